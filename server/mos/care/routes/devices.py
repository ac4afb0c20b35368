"""One's own devices: heartbeat, push, ring test."""

from datetime import datetime
from uuid import UUID

from litestar import delete, get, post, put
from msgspec import Struct

from mos.care import store
from mos.care.actions import devices
from mos.care.model import Actor
from mos.db import Pool, Scope
from mos.dispatch import webpush
from mos.kernel.settings import Settings


class PushKey(Struct, frozen=True):
    """The server's public key for `pushManager.subscribe`, base64url."""

    key: str


@get("/devices", tags=["devices"])
async def get_devices(pool: Pool, actor: Actor) -> list[store.Device]:
    """List your own devices, the latest heard of first."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await devices.list_devices(db, actor)


@put("/devices/{device_id:uuid}", status_code=204, tags=["devices"])
async def put_device(
    device_id: UUID, data: devices.Heartbeat, pool: Pool, actor: Actor, now: datetime
) -> None:
    """Tell that this device is alive, and what it is."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        await devices.heartbeat(db, actor, device_id, data, now)


@delete("/devices/{device_id:uuid}", tags=["devices"])
async def delete_device(device_id: UUID, pool: Pool, actor: Actor, now: datetime) -> None:
    """End one of your devices, and every session on it."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        await devices.revoke(db, actor, device_id, now)


@put("/devices/{device_id:uuid}/push", status_code=204, tags=["devices"])
async def put_push(  # noqa: PLR0913, PLR0917  what Litestar injects
    device_id: UUID,
    data: devices.PushSubscription,
    pool: Pool,
    actor: Actor,
    settings: Settings,
    now: datetime,
) -> None:
    """Store where this device takes its push messages."""
    private = settings.push_private_hosts
    async with pool.transaction(Scope(org=actor.org)) as db:
        await devices.subscribe(db, actor, device_id, data, private_hosts=private, now=now)


@delete("/devices/{device_id:uuid}/push", tags=["devices"])
async def delete_push(device_id: UUID, pool: Pool, actor: Actor) -> None:
    """Forget this device's push subscription."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        await devices.unsubscribe(db, actor, device_id)


@post("/devices/{device_id:uuid}/ring-test", tags=["devices"])
async def post_ring_test(
    device_id: UUID, pool: Pool, push: webpush.Post, actor: Actor, now: datetime
) -> devices.RingTestBegun:
    """Send a test push to this device; its payload is `{"kind": "test", "nonce": …}`.

    409 `no_push` before a subscription, 409 `push_gone` when it has ended: subscribe anew.
    """
    return await devices.begin_ring_test(pool, push, actor, device_id, now)


@put("/devices/{device_id:uuid}/ring-test", status_code=204, tags=["devices"])
async def put_ring_test(
    device_id: UUID, data: devices.RingTest, pool: Pool, actor: Actor, now: datetime
) -> None:
    """Store what the test found. `push` counts when `nonce` is the word that the push carried."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        await devices.finish_ring_test(db, actor, device_id, data, now)


@get("/push-key", tags=["devices"])
async def get_push_key(push: webpush.Post, actor: Actor) -> PushKey:  # noqa: ARG001  signed in
    """Return the key that browsers subscribe to push with."""
    return PushKey(push.vapid.public_key)


HANDLERS = [
    get_devices,
    put_device,
    delete_device,
    put_push,
    delete_push,
    post_ring_test,
    put_ring_test,
    get_push_key,
]

"""One's own devices: heartbeat, push, ring test."""

from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from mos.care import store
from mos.care.actions import devices
from mos.care.actions.news import telling
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


class PushKey(Struct, frozen=True):
    """The server's public key for `pushManager.subscribe`, base64url."""

    key: str


@get("/devices", tags=["devices"])
async def get_devices(given: FromEdge, me: SignedIn) -> list[store.Device]:
    """List your own devices, the latest heard of first."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await devices.list_devices(db, me)


@put("/devices/{device_id:uuid}", status_code=204, tags=["devices"])
async def put_device(
    device_id: FromPath[UUID], data: JSONBody[devices.Described], given: FromEdge, me: SignedIn
) -> None:
    """Tell what this device is."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await devices.describe(db, me, device_id, data, given.now)


@post("/device/heartbeat", status_code=204, tags=["devices"])
async def post_heartbeat(data: JSONBody[store.Beat], given: FromEdge, me: SignedIn) -> None:
    """Tell that the device you are signed in on lives, and how it is; every five minutes."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await devices.heartbeat(db, me, data, given.now)


class SignerQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a device asks who signs before each dose."""

    asks: bool


@put("/device/signer-question", status_code=204, tags=["devices"])
async def put_signer_question(
    data: JSONBody[SignerQuestion], given: FromEdge, me: SignedIn
) -> None:
    """Let the device you are signed in on ask who signs before each dose, or no longer.

    For those who manage people, with a step-up. It stays with the device, whoever signs in.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await devices.ask_signer(db, me, given.now, asks=data.asks)


@delete("/devices/{device_id:uuid}", tags=["devices"])
async def delete_device(device_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """End one of your devices, and every session on it; it forgets what it has."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await devices.end_own(db, me, device_id, given.now)
        news.access([me.account])


@get("/devices/ended", tags=["devices"])
async def get_ended_devices(given: FromEdge, me: SignedIn) -> list[store.EndedDevice]:
    """List your devices that were ended in the last 90 days, and when they were wiped."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await devices.list_ended(db, me.org, me.account, given.now)


@put("/devices/{device_id:uuid}/push", status_code=204, tags=["devices"])
async def put_push(
    device_id: FromPath[UUID],
    data: JSONBody[devices.PushSubscription],
    given: FromEdge,
    me: SignedIn,
) -> None:
    """Store where this device takes its push messages."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await devices.subscribe(db, me, device_id, data, post=given.push, now=given.now)


@delete("/devices/{device_id:uuid}/push", tags=["devices"])
async def delete_push(device_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """Forget this device's push subscription."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await devices.unsubscribe(db, me, device_id)


@post("/devices/{device_id:uuid}/ring-test", tags=["devices"])
async def post_ring_test(
    device_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> devices.RingTestBegun:
    """Send a test push to this device; its payload is `{"kind": "test", "nonce": …}`.

    409 `no_push` before a subscription, 409 `push_gone` when it has ended: subscribe anew.
    """
    return await devices.begin_ring_test(given.pool, given.push, me, device_id, given.now)


@put("/devices/{device_id:uuid}/ring-test", status_code=204, tags=["devices"])
async def put_ring_test(
    device_id: FromPath[UUID], data: JSONBody[devices.RingTest], given: FromEdge, me: SignedIn
) -> None:
    """Store what the test found. `push` counts when `nonce` is the word that the push carried."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await devices.finish_ring_test(db, me, device_id, data, given.now)


@get("/push-key", tags=["devices"])
async def get_push_key(given: FromEdge, me: SignedIn) -> PushKey:  # noqa: ARG001  signed in
    """Return the key that browsers subscribe to push with."""
    return PushKey(given.push.vapid.public_key)


HANDLERS = [
    get_devices,
    put_device,
    post_heartbeat,
    put_signer_question,
    delete_device,
    get_ended_devices,
    put_push,
    delete_push,
    post_ring_test,
    put_ring_test,
    get_push_key,
]

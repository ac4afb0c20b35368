"""Devices: heard of by heartbeats, told by push, tested for whether they can ring."""

import secrets
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from mos.audit import log
from mos.audit.model import Happened
from mos.care import store
from mos.care.actions import permit
from mos.care.actions.noting import note
from mos.care.actions.permit import no_such
from mos.care.actions.pin_ends import end_pins_of_device
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Name, Short
from mos.care.model import Actor
from mos.db import Db, Pool, Scope
from mos.dispatch import actions as dispatch
from mos.dispatch import webpush
from mos.dispatch.outward import is_public_name
from mos.kernel.errors import Conflict, Invalid, TooMany

_Base64Url = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-]+=*\Z")]
_P256DH_BYTES = 65
_AUTH_BYTES = 16
_TEST_PAUSE = timedelta(seconds=5)
# For how long a device that was ended is shown.
_ENDED_SHOWN = timedelta(days=90)


class Described(Struct, frozen=True, forbid_unknown_fields=True):
    """What a device is, as it tells at its start and when somebody names it."""

    name: Name | Literal[""] = ""
    app: Short = ""
    zone_release: Short = ""


class PushSubscription(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a browser takes its push messages (`PushSubscription.toJSON()`)."""

    endpoint: Annotated[str, Meta(max_length=2048)]
    p256dh: _Base64Url
    auth: _Base64Url
    # The key of ours that it was made with (`applicationServerKey`); without it the present one.
    key: _Base64Url | None = None


class RingTestBegun(Struct, frozen=True):
    """The word that the test's push carries. `sent`: the push service took the message."""

    nonce: str
    sent: bool


class RingTest(Struct, frozen=True, forbid_unknown_fields=True):
    """What the person at the device saw and heard. A `nonce` proves that the push arrived."""

    sound: bool
    permission: Literal["granted", "denied", "default"]
    push: bool
    nonce: Annotated[str, Meta(max_length=64)] | None = None


async def list_devices(db: Db, actor: Actor) -> list[store.Device]:
    """Return the actor's own devices, the latest heard of first."""
    return await store.devices_of_account(db, actor.org, actor.account)


async def list_ended(db: Db, org: UUID, account: UUID, now: datetime) -> list[store.EndedDevice]:
    """Return an account's devices that were ended lately, the latest first."""
    return await store.ended_devices(db, org, account, after=now - _ENDED_SHOWN)


async def describe(db: Db, actor: Actor, device: UUID, told: Described, now: datetime) -> None:
    """Remember what a device of the actor's is; raises NotFound."""
    seen = await store.device_seen(
        db,
        actor,
        device,
        name=told.name.strip(),
        app=told.app,
        zone_release=told.zone_release,
        now=now,
    )
    if not seen:
        raise no_such("device")


async def heartbeat(db: Db, actor: Actor, beat: store.Beat, now: datetime) -> None:
    """Remember that the device behind the session lives, and how it is; raises NotFound.

    A resident's device that lives is not silent any more.
    """
    if actor.device is None or not await store.device_beat(db, actor, actor.device, beat, now):
        raise no_such("device")
    spaces = await store.spaces_of_resident(db, actor)
    if spaces:
        await db.widen(spaces)
        await dispatch.hear(db, actor.org, spaces, now)


async def ask_signer(db: Db, actor: Actor, now: datetime, *, asks: bool) -> None:
    """Let the device behind the session ask who signs before each dose, or no longer.

    For those who manage people; raises Forbidden, StepUpNeeded or NotFound.
    """
    await permit.require_reach(db, actor, now)
    await require_step_up(db, actor, now)
    if actor.device is None or not await store.ask_signer(db, actor, actor.device, asks=asks):
        raise no_such("device")
    note(db, actor, "device_changed", now, of=actor.device, asks_signer=asks)


async def subscribe(  # noqa: PLR0913  one more than five
    db: Db,
    actor: Actor,
    device: UUID,
    wanted: PushSubscription,
    *,
    post: webpush.Post,
    now: datetime,
) -> None:
    """Store where a device's pushes go; raises NotFound or Invalid.

    Only https to a public host, unless `post` is a test's own, and only what is bound to a key that
    is still ours.
    """
    private_hosts = post.private_hosts
    ours = _key(wanted.key, _P256DH_BYTES, field="key") if wanted.key else post.vapid.point
    if post.key_of(ours) is None:
        raise Invalid("This key is not ours: ask for push-key, and subscribe anew.", field="key")
    _check_endpoint(wanted.endpoint, private_hosts=private_hosts)
    saved = await store.save_push(
        db,
        actor,
        device,
        endpoint=wanted.endpoint,
        p256dh=_key(wanted.p256dh, _P256DH_BYTES, field="p256dh"),
        auth=_key(wanted.auth, _AUTH_BYTES, field="auth"),
        key=ours,
        now=now,
    )
    if not saved:
        raise no_such("device")


async def unsubscribe(db: Db, actor: Actor, device: UUID) -> None:
    """Forget a device's push subscription; raises NotFound."""
    if not await store.forget_push(db, actor, device):
        raise no_such("device")


async def end_own(db: Db, actor: Actor, device: UUID, now: datetime) -> None:
    """End one of the actor's own devices, as `revoke` does; raises NotFound."""
    await revoke(db, actor, actor.account, device, now)
    note(db, actor, "device_ended", now, of=device)


async def revoke(db: Db, actor: Actor, account: UUID, device: UUID, now: datetime) -> None:
    """End a device of an account, every session and every PIN on it; raises NotFound.

    It is to forget everything, and to say so: `wiped`.
    """
    # Whoever brings the word back is signed in nowhere: it says of itself where it belongs.
    nonce = f"{actor.org.hex}{secrets.token_urlsafe(24)}"
    if not await store.revoke_device(db, actor.org, account, device, nonce=nonce, now=now):
        raise no_such("device")
    await end_pins_of_device(db, actor, device, now)
    await store.end_sessions_of_device(db, actor.org, device, now)


class Wiped(Struct, frozen=True):
    """A revoked device says that it has forgotten everything; `nonce` is what it was told."""

    device_id: UUID
    nonce: Annotated[str, Meta(max_length=100)]


async def wiped(db: Db, said: Wiped, now: datetime) -> None:
    """Remember that a revoked device is empty; raises NotFound unless it says the right word."""
    try:
        org = UUID(said.nonce[:32])
    except ValueError as error:
        raise no_such("device") from error
    await db.scope(Scope(org=org))
    nonce = await store.wipe_nonce(db, org, said.device_id)
    if nonce is None or not secrets.compare_digest(nonce.encode(), said.nonce.encode()):
        raise no_such("device")
    await store.device_wiped(db, org, said.device_id, now)
    log.note(db, org, Happened(event="device_wiped", of=said.device_id), now)


async def begin_ring_test(
    pool: Pool, post: webpush.Post, actor: Actor, device: UUID, now: datetime
) -> RingTestBegun:
    """Send a test push to one's own device; raises NotFound, Conflict or TooMany.

    The word is stored before the message leaves: its answer may be faster than we are.
    """
    nonce = secrets.token_urlsafe(12)
    async with pool.transaction(Scope(org=actor.org)) as db:
        found = await store.subscription_for_update(db, actor, device)
        subscription = _require_subscription(found)
        before = (found.ring_test if found else None) or {}
        _require_pause(before, now)
        asked = {**before, "asked": {"nonce": nonce, "at": _moment(now)}}
        await store.save_ring_test(db, actor, device, asked)
    payload = msgspec.json.encode({"kind": "test", "nonce": nonce})
    message = webpush.Message(payload=payload, ttl_s=60, tag="ring-test")
    result = await webpush.send(post, subscription, message)
    if result.outcome == "gone":
        async with pool.transaction(Scope(org=actor.org)) as db:
            await store.push_gone(db, actor.org, device, now)
        raise Conflict("The push service has forgotten this device.", code="push_gone")
    return RingTestBegun(nonce, sent=result.outcome == "sent")


async def finish_ring_test(
    db: Db, actor: Actor, device: UUID, told: RingTest, now: datetime
) -> None:
    """Store what the person at the device told. Push counts when it brought the word back."""
    found = await store.subscription_for_update(db, actor, device)
    if found is None:
        raise no_such("device")
    asked = (found.ring_test or {}).get("asked")
    proven = asked is not None and told.nonce == asked["nonce"]
    result = {
        "at": _moment(now),
        "sound": told.sound,
        "permission": told.permission,
        "push": told.push and proven,
    }
    await store.save_ring_test(db, actor, device, result)


def _require_subscription(found: store.Subscription | None) -> webpush.Subscription:
    if found is None:
        raise no_such("device")
    if found.endpoint is None or found.p256dh is None or found.auth is None:
        raise Conflict("This device has not subscribed to push.", code="no_push")
    return webpush.Subscription(found.endpoint, found.p256dh, found.auth, found.key)


def _require_pause(before: dict[str, Any], now: datetime) -> None:
    asked = before.get("asked")
    if asked is None:
        return
    wait = datetime.fromisoformat(asked["at"]) + _TEST_PAUSE - now
    if wait > timedelta(0):
        raise TooMany("Wait for the test that is under way.", retry_after_s=wait.seconds + 1)


def _check_endpoint(endpoint: str, *, private_hosts: bool) -> None:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid("This is not an address.", field="endpoint") from error
    plain = all("!" <= character <= "~" for character in endpoint)
    if parts.scheme != "https" or not host or parts.username is not None or not plain:
        raise Invalid("A push endpoint is an https address.", field="endpoint")
    if not private_hosts and (port not in (None, 443) or not is_public_name(host)):
        raise Invalid("A push endpoint is on the public internet.", field="endpoint")


def _key(text: str, size: int, *, field: str) -> bytes:
    bare = text.rstrip("=")
    try:
        raw = urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError as error:
        raise Invalid("This is not base64url.", field=field) from error
    if len(raw) != size:
        raise Invalid(f"This key has {size} bytes.", field=field)
    return raw


def _moment(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

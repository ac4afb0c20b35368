"""Devices that ring, and where their push messages go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, structs

from mos.care.model import Actor
from mos.db import Db, Queries
from mos.privacy import texts
from mos.privacy.texts import DEVICE_NAME, Text

_sql = Queries(__package__, "devices.sql")


# Whether the browser may show what a device is pushed.
Permission = Literal["granted", "denied", "default"]
# `locked`: nobody has touched the page since it was opened, so that it cannot be heard. `none`: the
# resident has chosen to have no sound.
Sound = Literal["on", "locked", "none"]


class Beat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a device says that it is. None: it cannot tell."""

    permission: Permission | None = None
    sound: Sound | None = None
    # Percent.
    battery: Annotated[int, Meta(ge=0, le=100)] | None = None
    charging: bool | None = None
    # What is left for MOS, in megabytes.
    storage: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    # Whether the browser has promised not to throw away what is kept.
    persisted: bool | None = None
    # It shows the clock and nothing else, day and night.
    kiosk: bool = False
    # Of the app.
    version: Annotated[str, Meta(max_length=100)] = ""


class Device(Struct, frozen=True):
    """A tablet, phone or computer that rings for one account."""

    id: UUID
    name: str
    app: str
    zone_release: str
    created_at: datetime
    seen_at: datetime
    # Is there a push subscription that still lives?
    push: bool
    ring_test: dict[str, Any] | None


class ResidentDevice(Struct, frozen=True):
    """What is seen of a resident's tablet; `id` is None for those who may not end it."""

    space: UUID
    id: UUID | None
    name: str
    seen_at: datetime
    # Its last heartbeat, and what it said; None: it could not tell.
    beat_at: datetime | None
    kiosk: bool
    permission: Permission | None
    sound: Sound | None
    battery: int | None
    charging: bool | None
    storage_mb: int | None
    persisted: bool | None
    app: str
    push: bool
    ring_test: dict[str, Any] | None
    # When it said that it has forgotten what the resident's space holds.
    purged_at: datetime | None
    # Which kind of PIN its resident signs in with there.
    pin: Literal["pin", "picture"] | None


class Subscription(Struct, frozen=True):
    """Where a device's push messages go, and its last ring test."""

    endpoint: str | None
    p256dh: bytes | None
    auth: bytes | None
    key: bytes | None
    ring_test: dict[str, Any] | None


class EndedDevice(Struct, frozen=True):
    """A device that was ended, and when it said that it has forgotten everything."""

    name: str
    seen_at: datetime
    ended_at: datetime
    wiped_at: datetime | None


class _Ended(Struct, frozen=True):
    id: UUID
    name: str
    seen_at: datetime
    ended_at: datetime
    wiped_at: datetime | None


class _Space(Struct, frozen=True):
    space: UUID


class _Yes(Struct, frozen=True):
    yes: bool


class _Nonce(Struct, frozen=True):
    nonce: str


_DEVICES_OF_ACCOUNT = _sql.query("devices_of_account", Device)
_DEVICES_OF_RESIDENTS = _sql.query("devices_of_residents", ResidentDevice)
_TAKE_DEVICE = _sql.command("take_device")
_DEVICE_SEEN = _sql.command("device_seen")
_ASKS_SIGNER = _sql.query("asks_signer", _Yes)
_ASK_SIGNER = _sql.command("ask_signer")
_DEVICE_BEAT = _sql.command("device_beat")
_SPACES_OF_RESIDENT = _sql.query("spaces_of_resident", _Space)
_SAVE_PUSH = _sql.command("save_push")
_FORGET_PUSH = _sql.command("forget_push")
_FORGET_PUSH_ELSEWHERE = _sql.command("forget_push_elsewhere")
_PUSH_GONE = _sql.command("push_gone")
_SUBSCRIPTION_FOR_UPDATE = _sql.query("subscription_for_update", Subscription)
_SAVE_RING_TEST = _sql.command("save_ring_test")
_REVOKE_DEVICE = _sql.command("revoke_device")
_WIPE_NONCE = _sql.query("wipe_nonce", _Nonce)
_DEVICE_WIPED = _sql.command("device_wiped")
_ENDED_DEVICES = _sql.query("ended_devices", _Ended)


async def devices_of_account(db: Db, org: UUID, account: UUID) -> list[Device]:
    """Return the devices that ring for an account, the latest heard of first."""
    found = await db.all(_DEVICES_OF_ACCOUNT, org=org, account=account)
    lying = [Text(each.id, each.name, (account,)) for each in found]
    names = await texts.shown(db, org, DEVICE_NAME, lying)
    return [structs.replace(each, name=name) for each, name in zip(found, names, strict=True)]


async def devices_of_residents(db: Db, org: UUID, spaces: Sequence[UUID]) -> list[ResidentDevice]:
    """Return the devices that ring for residents, by space and the latest heard of first.

    The scope must show the spaces, or nothing is known of what they have forgotten.
    """
    found = await db.all(_DEVICES_OF_RESIDENTS, org=org, spaces=spaces)
    residents = await texts.residents_of(db, org, {each.space for each in found})
    lying = [Text(each.id or org, each.name, (residents.get(each.space, org),)) for each in found]
    names = await texts.shown(db, org, DEVICE_NAME, lying)
    return [structs.replace(each, name=name) for each, name in zip(found, names, strict=True)]


async def take_device(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, device: UUID, *, account: UUID, name: str, now: datetime
) -> None:
    """Let a device, new or known, ring for `account`."""
    sealed = await _sealed_name(db, org, device, account, name)
    await db.run(_TAKE_DEVICE, org=org, device=device, account=account, name=sealed, now=now)


async def device_seen(  # noqa: PLR0913  one row's columns
    db: Db, actor: Actor, device: UUID, *, name: str, app: str, zone_release: str, now: datetime
) -> bool:
    """Remember a heartbeat of one of the actor's devices; False when it is none of theirs."""
    seen = await db.run(
        _DEVICE_SEEN,
        org=actor.org,
        account=actor.account,
        device=device,
        name=await _sealed_name(db, actor.org, device, actor.account, name),
        app=app,
        zone_release=zone_release,
        now=now,
    )
    return seen == 1


async def asks_signer(db: Db, org: UUID, device: UUID) -> bool:
    """Say whether a device asks who signs before each dose."""
    row = await db.one(_ASKS_SIGNER, org=org, device=device)
    return row is not None and row.yes


async def ask_signer(db: Db, actor: Actor, device: UUID, *, asks: bool) -> bool:
    """Let a device ask who signs, or not; False when it is none of the actor's."""
    changed = await db.run(
        _ASK_SIGNER, org=actor.org, account=actor.account, device=device, asks=asks
    )
    return changed == 1


async def device_beat(db: Db, actor: Actor, device: UUID, beat: Beat, now: datetime) -> bool:
    """Store how one of the actor's devices says that it is; False when it is none of theirs."""
    beaten = await db.run(
        _DEVICE_BEAT,
        org=actor.org,
        account=actor.account,
        device=device,
        app=beat.version,
        kiosk=beat.kiosk,
        permission=beat.permission,
        sound=beat.sound,
        battery=beat.battery,
        charging=beat.charging,
        storage=beat.storage,
        persisted=beat.persisted,
        now=now,
    )
    return beaten == 1


async def spaces_of_resident(db: Db, actor: Actor) -> list[UUID]:
    """Return the spaces that ring on a resident's own devices; none for a supporter."""
    rows = await db.all(_SPACES_OF_RESIDENT, org=actor.org, account=actor.account)
    return [row.space for row in rows]


async def save_push(  # noqa: PLR0913  one row's columns
    db: Db,
    actor: Actor,
    device: UUID,
    *,
    endpoint: str,
    p256dh: bytes,
    auth: bytes,
    key: bytes,
    now: datetime,
) -> bool:
    """Store where a device's pushes go, and nowhere else; False when it is none of the actor's."""
    saved = await db.run(
        _SAVE_PUSH,
        org=actor.org,
        account=actor.account,
        device=device,
        endpoint=endpoint,
        p256dh=p256dh,
        auth=auth,
        key=key,
        now=now,
    )
    if saved:
        await db.run(_FORGET_PUSH_ELSEWHERE, org=actor.org, device=device, endpoint=endpoint)
    return saved == 1


async def forget_push(db: Db, actor: Actor, device: UUID) -> bool:
    """Forget a device's push subscription; False when it is none of the actor's."""
    return await db.run(_FORGET_PUSH, org=actor.org, account=actor.account, device=device) == 1


async def push_gone(db: Db, org: UUID, device: UUID, now: datetime) -> None:
    """Remember that the push service no longer knows the subscription."""
    await db.run(_PUSH_GONE, org=org, device=device, now=now)


async def subscription_for_update(db: Db, actor: Actor, device: UUID) -> Subscription | None:
    """Return a device's subscription and ring test, locked, or None if it is not the actor's."""
    return await db.one(
        _SUBSCRIPTION_FOR_UPDATE, org=actor.org, account=actor.account, device=device
    )


async def save_ring_test(db: Db, actor: Actor, device: UUID, ring_test: dict[str, Any]) -> None:
    """Store what is known of a device's ring test."""
    await db.run(
        _SAVE_RING_TEST, org=actor.org, account=actor.account, device=device, ring_test=ring_test
    )


async def revoke_device(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, account: UUID, device: UUID, *, nonce: str, now: datetime
) -> bool:
    """End a device, which is told `nonce`; False when it is none of the account's."""
    ended = await db.run(
        _REVOKE_DEVICE, org=org, account=account, device=device, nonce=nonce, now=now
    )
    return ended == 1


async def wipe_nonce(db: Db, org: UUID, device: UUID) -> str | None:
    """Return the word that a revoked device was told, or None for any other."""
    row = await db.one(_WIPE_NONCE, org=org, device=device)
    return row.nonce if row else None


async def device_wiped(db: Db, org: UUID, device: UUID, now: datetime) -> None:
    """Remember that a device has forgotten everything; the first time counts."""
    await db.run(_DEVICE_WIPED, org=org, device=device, now=now)


async def ended_devices(db: Db, org: UUID, account: UUID, *, after: datetime) -> list[EndedDevice]:
    """Return an account's devices that were ended after a moment, the latest first."""
    found = await db.all(_ENDED_DEVICES, org=org, account=account, after=after)
    lying = [Text(each.id, each.name, (account,)) for each in found]
    names = await texts.shown(db, org, DEVICE_NAME, lying)
    return [
        EndedDevice(name, each.seen_at, each.ended_at, each.wiped_at)
        for each, name in zip(found, names, strict=True)
    ]


async def _sealed_name(db: Db, org: UUID, device: UUID, account: UUID, name: str) -> str:
    return (await texts.sealed(db, org, DEVICE_NAME, [Text(device, name, (account,))]))[0]

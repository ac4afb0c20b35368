"""Deliveries: one for each device, channel and step."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import Alert, Audience, Occurrence

# Who holds this permission in a relation may be called.
_MAY_TAKE = "alert.take"

# How long a taken delivery is left to its worker: longer than any attempt may last.
LEASE = timedelta(seconds=30)

_sql = Queries(__package__, "deliveries.sql")


class Taken(Struct, frozen=True):
    """A delivery that this worker is to attempt now. No `endpoint`: nowhere to send it."""

    org: UUID
    delivery: int
    space: UUID
    kind: str
    subject: str
    device: UUID
    attempts: int
    expires_at: datetime
    endpoint: str | None
    p256dh: bytes | None
    auth: bytes | None


class Settled(Struct, frozen=True):
    """What an attempt came to: done with (`next_at` None), or to be tried again."""

    org: UUID
    delivery: int
    attempts: int
    state: str
    next_at: datetime | None
    error: str


_RING = _sql.command("ring")
_TELL = _sql.command("tell")
_WITHDRAW = _sql.command("withdraw")
_EXPIRE_DELIVERIES = _sql.command("expire_deliveries")
_TAKE_DELIVERIES = _sql.query("take_deliveries", Taken)
_SETTLE_DELIVERIES = _sql.command("settle_deliveries")
_SEE_DELIVERIES = _sql.command("see_deliveries")
_PRUNE_DEVICES = _sql.command("prune_devices")


async def ring(db: Db, rows: Sequence[tuple[Occurrence, datetime]], now: datetime) -> None:
    """Queue deliveries to the residents' devices, each until the moment beside it."""
    await db.run(
        _RING,
        orgs=[row.org for row, _ in rows],
        spaces=[row.space for row, _ in rows],
        occs=[row.occ for row, _ in rows],
        steps=[row.step for row, _ in rows],
        expires=[expires for _, expires in rows],
        now=now,
    )


async def tell(
    db: Db, rows: Sequence[tuple[Alert, Audience]], *, expires_at: datetime, now: datetime
) -> None:
    """Queue deliveries to the supporters whom these steps tell."""
    await db.run(
        _TELL,
        orgs=[alert.org for alert, _ in rows],
        spaces=[alert.space for alert, _ in rows],
        alerts=[str(alert.alert) for alert, _ in rows],
        steps=[alert.step for alert, _ in rows],
        audiences=[audience for _, audience in rows],
        expires=[expires_at for _ in rows],
        permission=_MAY_TAKE,
        now=now,
    )


async def withdraw(
    db: Db, subjects: Sequence[tuple[UUID, UUID, str]], *, expires_at: datetime, now: datetime
) -> None:
    """Drop what waits for these subjects (organisation, space, name); clear it from screens."""
    await db.run(
        _WITHDRAW,
        orgs=[org for org, _, _ in subjects],
        spaces=[space for _, space, _ in subjects],
        subjects=[subject for _, _, subject in subjects],
        expires=expires_at,
        now=now,
    )


async def expire_deliveries(db: Db, channel: str, now: datetime, limit: int) -> int:
    """Settle what came too late to be of use; return how many."""
    return await db.run(_EXPIRE_DELIVERIES, channel=channel, now=now, limit=limit)


async def take_deliveries(
    db: Db, channel: str, now: datetime, *, limit: int, resting: Sequence[str] = ()
) -> list[Taken]:
    """Take up to `limit` deliveries to attempt now, none to the origins in `resting`."""
    return await db.all(
        _TAKE_DELIVERIES,
        channel=channel,
        now=now,
        lease=now + LEASE,
        limit=limit,
        resting=resting,
    )


async def settle_deliveries(db: Db, rows: Sequence[Settled], now: datetime) -> None:
    """Store what attempts came to."""
    await db.run(
        _SETTLE_DELIVERIES,
        orgs=[row.org for row in rows],
        deliveries=[row.delivery for row in rows],
        attempts=[row.attempts for row in rows],
        states=[row.state for row in rows],
        next_ats=[row.next_at for row in rows],
        errors=[row.error for row in rows],
        now=now,
    )


async def see_deliveries(
    db: Db, org: UUID, rows: Sequence[tuple[UUID, str, UUID]], now: datetime
) -> None:
    """Settle the rings (space, occ, device) that a device says it has made."""
    await db.run(
        _SEE_DELIVERIES,
        org=org,
        spaces=[space for space, _, _ in rows],
        occs=[occ for _, occ, _ in rows],
        devices=[device for _, _, device in rows],
        now=now,
    )


async def prune_devices(db: Db, rows: Sequence[tuple[UUID, UUID, str]], now: datetime) -> None:
    """Remember that subscriptions (organisation, device, endpoint) are gone."""
    await db.run(
        _PRUNE_DEVICES,
        orgs=[org for org, _, _ in rows],
        devices=[device for _, device, _ in rows],
        endpoints=[endpoint for _, _, endpoint in rows],
        now=now,
    )

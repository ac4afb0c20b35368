"""Deliveries: one for each device or contact, channel and step."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import Alert, By, Occurrence, Told
from mos.dispatch.rules.weights import weight

# How long a taken delivery is left to its worker: longer than any attempt may last.
LEASE = timedelta(seconds=30)

_sql = Queries(__package__, "deliveries.sql")

# What people call the channels that reach supporters.
_BY_CHANNEL: dict[str, By] = {
    "webpush": "push",
    "email": "email",
    "sms": "sms",
    "webhook": "webhook",
}


class Delivery(Struct, frozen=True, kw_only=True):
    """A delivery that this worker is to attempt now."""

    org: UUID
    delivery: int
    space: UUID
    kind: str
    subject: str
    attempts: int
    created_at: datetime
    expires_at: datetime


class Taken(Delivery, frozen=True, kw_only=True):
    """One to a device. No `endpoint`: nowhere to send it."""

    device: UUID
    endpoint: str | None
    p256dh: bytes | None
    auth: bytes | None
    key: bytes | None  # the public key of ours that the subscription is bound to


class Addressed(Delivery, frozen=True, kw_only=True):
    """One to a contact, about an alert. No `address`: the contact is gone.

    `address` lies sealed under the key of `owner`, a person or the organisation. `secret` is
    sealed; so is `old_secret`, which signs beside it for a while. The alert's fields are absent
    when it was erased meanwhile.
    """

    step: int
    contact: UUID
    address: str | None
    owner: UUID | None
    secret: bytes | None
    old_secret: bytes | None
    language: str
    alert_kind: str | None
    ladder: str | None
    criticality: str | None
    opened_at: datetime | None
    taken_by: UUID | None
    closed_why: str | None
    zone: str | None


class BoundTo(Struct, frozen=True):
    """How many devices' push is bound to one of our keys (a public one)."""

    key: bytes
    devices: int


class Settled(Struct, frozen=True):
    """What an attempt came to: done with (`next_at` None), or to be tried again."""

    org: UUID
    delivery: int
    attempts: int
    state: str
    next_at: datetime | None
    error: str


class _Way(Struct, frozen=True):
    step: int
    account: UUID
    channel: str


_RING = _sql.command("ring")
_TELL = _sql.command("tell")
_WAYS = _sql.query("ways", _Way)
_TELL_WEBHOOKS = _sql.command("tell_webhooks")
_WITHDRAW = _sql.command("withdraw")
_TAKE_DELIVERIES = _sql.query("take_deliveries", Taken)
_TAKE_MESSAGES = _sql.query("take_messages", Addressed)
_SETTLE_DELIVERIES = _sql.command("settle_deliveries")
_TELL_OTHERWISE = _sql.command("tell_otherwise")
_SEE_DELIVERIES = _sql.command("see_deliveries")
_PRUNE_DEVICES = _sql.command("prune_devices")
_BOUND_TO = _sql.query("bound_to", BoundTo)
_DROP_CONTACTS = _sql.command("drop_contacts")


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
    db: Db, rows: Sequence[tuple[Alert, Told]], *, expires_at: datetime, now: datetime
) -> None:
    """Queue deliveries to these people, of the step that each alert has come to."""
    await db.run(
        _TELL,
        orgs=[alert.org for alert, _ in rows],
        spaces=[alert.space for alert, _ in rows],
        alerts=[str(alert.alert) for alert, _ in rows],
        steps=[alert.step for alert, _ in rows],
        weights=[weight(alert.ladder, alert.criticality) for alert, _ in rows],
        # What has no step after it waits for nothing more.
        lasts=[alert.next_at is None for alert, _ in rows],
        accounts=[told.account for _, told in rows],
        bys=[",".join(told.by) for _, told in rows],
        expires=expires_at,
        now=now,
    )


async def ways_to_tell(
    db: Db, org: UUID, space: UUID, rows: Sequence[tuple[int, str, bool, Told]]
) -> dict[tuple[int, UUID], list[By]]:
    """Return by which channels steps would tell people, by step and account.

    Of each: the step's number, its alert's weight, whether it is the last, and whom it tells.
    """
    found: dict[tuple[int, UUID], list[By]] = defaultdict(list)
    for row in await db.all(
        _WAYS,
        orgs=[org for _ in rows],
        spaces=[space for _ in rows],
        alerts=["" for _ in rows],
        steps=[step for step, _, _, _ in rows],
        weights=[weighs for _, weighs, _, _ in rows],
        lasts=[is_last for _, _, is_last, _ in rows],
        accounts=[told.account for _, _, _, told in rows],
        bys=[",".join(told.by) for _, _, _, told in rows],
    ):
        found[row.step, row.account].append(_BY_CHANNEL[row.channel])
    return {name: sorted(by) for name, by in found.items()}


async def tell_webhooks(
    db: Db, alerts: Sequence[Alert], *, expires_at: datetime, now: datetime
) -> None:
    """Queue deliveries to the webhooks of the organisations whose alerts have come to a step."""
    await db.run(
        _TELL_WEBHOOKS,
        orgs=[alert.org for alert in alerts],
        spaces=[alert.space for alert in alerts],
        alerts=[str(alert.alert) for alert in alerts],
        steps=[alert.step for alert in alerts],
        expires=expires_at,
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


async def take_messages(
    db: Db, channel: str, now: datetime, *, limit: int, resting: Sequence[UUID] = ()
) -> list[Addressed]:
    """Take up to `limit` deliveries to contacts, past organisations and contacts in `resting`."""
    return await db.all(
        _TAKE_MESSAGES,
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


async def tell_otherwise(db: Db, rows: Sequence[Settled], now: datetime) -> None:
    """Queue another way for people to whom these deliveries, which have failed, did not get."""
    await db.run(
        _TELL_OTHERWISE,
        orgs=[row.org for row in rows],
        deliveries=[row.delivery for row in rows],
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


async def drop_contacts(db: Db, rows: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    """Remember that nothing arrives at these contacts (organisation, contact) any more."""
    await db.run(
        _DROP_CONTACTS,
        orgs=[org for org, _ in rows],
        contacts=[contact for _, contact in rows],
        now=now,
    )


async def bound_to(db: Db) -> list[BoundTo]:
    """Return how many devices' push is bound to each of our keys."""
    return await db.all(_BOUND_TO)

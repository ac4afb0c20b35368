"""Emergency access: who opened whom, why, and what came of the look. Its texts lie sealed."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.care.model import Cause, Reach, Role
from mos.care.store.rows import Id
from mos.db import Db, Queries
from mos.privacy.keyring import Unsealed, keyring_of
from mos.privacy.sealing import Sealer

_sql = Queries(__package__, "emergencies.sql")

_MOST = 200


class Choice(Struct, frozen=True):
    """Something to choose by its name."""

    id: UUID
    name: str


class NewEmergency(Struct, frozen=True, kw_only=True):
    """A row to add; `reason` as it was written."""

    id: UUID
    relation: UUID
    account: UUID
    space: UUID
    resident_account: UUID
    unit: UUID
    at: datetime
    until: datetime
    cause: Cause
    reason: str


class EmergencyRow(Struct, frozen=True, kw_only=True):
    """A row as it lies, with the names that people have now; `reason` and `note` are sealed."""

    id: UUID
    relation: UUID
    account: UUID
    person: str
    role: Role
    space: UUID
    resident_account: UUID
    resident: str
    unit: UUID
    unit_name: str
    at: datetime
    until: datetime
    cause: Cause
    reason: str
    outcome: Literal["reasonable", "follow_up", "forbidden"] | None
    note: str
    reviewer: str | None
    reviewed_at: datetime | None


class _Number(Struct, frozen=True):
    number: int


_UNITS_TO_OPEN = _sql.query("units_to_open", Choice)
_RESIDENTS_TO_OPEN = _sql.query("residents_to_open", Choice)
_OPENED_SINCE = _sql.query("opened_since", _Number)
_ADD = _sql.command("add_emergency")
_END = _sql.command("end_emergency")
_REVIEW = _sql.command("review_emergency")
_EMERGENCIES = _sql.query("emergencies", EmergencyRow)
_WATCHERS = _sql.query("watchers", Id)


async def units_to_open(db: Db, org: UUID) -> list[Choice]:
    """Return the units in which somebody lives, by name."""
    return await db.all(_UNITS_TO_OPEN, org=org)


async def residents_to_open(db: Db, org: UUID, unit: UUID, seen: list[UUID]) -> list[Choice]:
    """Return who lives in a unit and is none of `seen`, as spaces of their days, by name."""
    return await db.all(_RESIDENTS_TO_OPEN, org=org, unit=unit, seen=seen)


async def opened_since(db: Db, org: UUID, account: UUID, since: datetime) -> int:
    """Return how often somebody has opened anybody since a moment."""
    row = await db.one(_OPENED_SINCE, org=org, account=account, since=since)
    return row.number if row else 0


async def add_emergency(db: Db, org: UUID, new: NewEmergency) -> None:
    """Add a row, its reason sealed under the resident's key."""
    sealer = await _sealer(db, org, new.resident_account, "reason")
    reason = sealer.seal_text(_context(org, new.id, "reason"), new.reason.encode())
    await db.run(
        _ADD, org=org, id=new.id, relation=new.relation, account=new.account, space=new.space,
        unit=new.unit, at=new.at, until=new.until, cause=new.cause, reason=reason,
    )  # fmt: skip


async def end_emergency(db: Db, org: UUID, emergency: UUID, now: datetime) -> None:
    """Let it end now, where it has not ended before."""
    await db.run(_END, org=org, id=emergency, now=now)


async def review_emergency(  # noqa: PLR0913  one look
    db: Db, org: UUID, row: EmergencyRow, *, outcome: str, note: str, by: UUID, now: datetime
) -> bool:
    """Keep what came of a look; return whether it could still be decided."""
    sealed = ""
    if note:
        sealer = await _sealer(db, org, row.resident_account, "note")
        sealed = sealer.seal_text(_context(org, row.id, "note"), note.encode())
    done = await db.run(_REVIEW, org=org, id=row.id, outcome=outcome, note=sealed, by=by, now=now)
    return done > 0


async def emergencies(  # noqa: PLR0913  which
    db: Db,
    org: UUID,
    reach: Reach,
    *,
    account: UUID | None = None,
    one: UUID | None = None,
    after: datetime,
) -> list[EmergencyRow]:
    """Return those within `reach` or of `account` that ended after a moment, undecided first."""
    return await db.all(
        _EMERGENCIES, org=org, everything=reach.everything, units=list(reach.units),
        account=account, id=one, after=after, limit=_MOST,
    )  # fmt: skip


async def watchers(db: Db, org: UUID, unit: UUID, *, but: UUID, now: datetime) -> list[UUID]:
    """Return the accounts that are told of it, but for one: who manages the unit, or admins."""
    return [row.id for row in await db.all(_WATCHERS, org=org, unit=unit, but=but, now=now)]


async def opened_text(db: Db, org: UUID, row: EmergencyRow, column: str) -> str:
    """Return a row's `reason` or `note`, opened."""
    sealed: str = getattr(row, column)
    return await open_emergency_text(db, org, row.resident_account, row.id, column, sealed)


async def open_emergency_text(  # noqa: PLR0913, PLR0917  where it lies
    db: Db, org: UUID, resident: UUID, emergency: UUID, column: str, sealed: str
) -> str:
    """Return a sealed `reason` or `note` of an emergency, opened; nothing where nothing is."""
    if not sealed:
        return ""
    sealer = await _sealer(db, org, resident, column)
    return sealer.open_text(_context(org, emergency, column), sealed).decode()


async def _sealer(db: Db, org: UUID, resident: UUID, column: str) -> Sealer:
    ring = keyring_of(db)
    if isinstance(ring, Unsealed):
        raise RuntimeError("reasons are kept sealed alone")  # noqa: TRY004  nobody's request
    opened = await ring.opened(org, [resident], make=True)
    return opened.sealer(resident, f"emergency|{column}")


def _context(org: UUID, emergency: UUID, column: str) -> bytes:
    return f"emergency|{column}|{org}|{emergency}".encode()

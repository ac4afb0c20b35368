"""What will come due: how far each space is materialised, and taking what is due."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import Planned, PlanScope
from mos.dispatch.store.rows import Space

_sql = Queries(__package__, "due.sql")


class Claimed(Planned, frozen=True, kw_only=True):
    """A row of `due` that is now this worker's."""

    org: UUID


class Horizon(Struct, frozen=True):
    """How far ahead a space is materialised."""

    space: UUID
    until: datetime


_LOCK_HORIZONS = _sql.query("lock_horizons", Horizon)
_EXTEND_HORIZONS = _sql.command("extend_horizons")
_SHORT_HORIZONS = _sql.query("short_horizons", Space)
_BEGIN_HORIZONS = _sql.command("begin_horizons")
_ARCHIVED_HORIZONS = _sql.query("archived_horizons", Space)
_FORGET_HORIZONS = _sql.command("forget_horizons")
_REPLACE_DUE = _sql.command("replace_due")
_CLAIM_DUE = _sql.query("claim_due", Claimed)
_CLAIM_NAMED = _sql.query("claim_named", Claimed)
_LOCK_DUE = _sql.command("lock_due")


async def lock_horizons(
    db: Db, org: UUID, spaces: Sequence[UUID], now: datetime
) -> dict[UUID, datetime]:
    """Return how far each space is materialised; locks their plans until the transaction ends."""
    rows = await db.all(_LOCK_HORIZONS, org=org, spaces=sorted(spaces), now=now)
    return {row.space: row.until for row in rows}


async def extend_horizons(db: Db, org: UUID, spaces: Sequence[UUID], until: datetime) -> None:
    """Remember that `spaces` are materialised until `until`."""
    await db.run(_EXTEND_HORIZONS, org=org, spaces=spaces, until=until)


async def short_horizons(db: Db, *, before: datetime, limit: int) -> list[Space]:
    """Return spaces of residents that are materialised less far than `before`."""
    return await db.all(_SHORT_HORIZONS, before=before, limit=limit)


async def begin_horizons(db: Db, now: datetime) -> None:
    """Let those who were never planned count as planned until `now`. Looks at everybody."""
    await db.run(_BEGIN_HORIZONS, now=now)


async def archived_horizons(db: Db, limit: int) -> list[Space]:
    """Return spaces that are materialised although their resident is archived."""
    return await db.all(_ARCHIVED_HORIZONS, limit=limit)


async def forget_horizons(db: Db, org: UUID, spaces: Sequence[UUID]) -> None:
    """Forget how far `spaces` are materialised: the next look plans them anew, or never."""
    await db.run(_FORGET_HORIZONS, org=org, spaces=spaces)


async def replace_due(db: Db, scope: PlanScope, plan: Sequence[Planned], now: datetime) -> None:
    """Make `due` hold exactly `plan` for the reminders in `scope`, from its `since` on."""
    await db.run(
        _REPLACE_DUE,
        org=scope.org,
        scope_spaces=[space for space, _ in scope.reminders],
        scope_reminders=[reminder for _, reminder in scope.reminders],
        spaces=[row.space for row in plan],
        occs=[row.occ for row in plan],
        reminders=[row.reminder for row in plan],
        ats=[row.at for row in plan],
        first_ats=[row.first_at for row in plan],
        ends_ats=[row.ends_at for row in plan],
        categories=[row.category for row in plan],
        criticalities=[row.criticality for row in plan],
        checkables=[row.checkable for row in plan],
        graces=[row.grace_s for row in plan],
        ring_starts=[row.ring_start for row in plan],
        ring_agains=[row.ring_again for row in plan],
        add_froms=[scope.add_from[row.space] for row in plan],
        since=scope.since,
        now=now,
    )


async def claim_due(db: Db, now: datetime, limit: int) -> list[Claimed]:
    """Take up to `limit` of what is due away from `due`; nobody else gets the same."""
    return await db.all(_CLAIM_DUE, now=now, limit=limit)


async def claim_named(
    db: Db, org: UUID, names: Sequence[tuple[UUID, str]], before: datetime
) -> list[Claimed]:
    """Take these (space, occ) away from `due`, if their time comes by `before`."""
    return await db.all(
        _CLAIM_NAMED,
        org=org,
        spaces=[space for space, _ in names],
        occs=[occ for _, occ in names],
        before=before,
    )


async def lock_due(db: Db, org: UUID, names: Sequence[tuple[UUID, str]]) -> None:
    """Let no worker take these (space, occ) until the transaction ends.

    What one is just taking is its occurrence in the next statement, and no more in `due`.
    """
    await db.run(
        _LOCK_DUE,
        org=org,
        spaces=[space for space, _ in names],
        occs=[occ for _, occ in names],
    )

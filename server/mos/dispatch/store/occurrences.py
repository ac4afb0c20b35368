"""Occurrences that the engine has taken."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import Occurrence, PlanScope, Sign
from mos.dispatch.store.rows import columns

# What the engine may change of an occurrence, and what it never does.
_KEY = ("org", "space", "occ")
_CHANGING = (
    "at", "ends_at", "category", "criticality", "checkable", "grace_s", "ring_start", "ring_again",
    "state", "outcome", "from_at", "missed_at", "told_at", "late_at", "closed_at", "closed_by",
    "snoozed_until", "snoozed_by", "silent_at", "rung", "step", "next_at",
)  # fmt: skip
_LATER = frozenset({"told_at", "snoozed_until", "snoozed_by"})

_sql = Queries(__package__, "occurrences.sql")


class _Name(Struct, frozen=True):
    space_id: UUID
    occ: str


_ADD_OCCURRENCES = _sql.query("add_occurrences", _Name)
_SET_OCCURRENCES_ASIDE = _sql.command("set_occurrences_aside")
_SAVE_OCCURRENCES = _sql.command("save_occurrences")
_OCCURRENCES_TO_LOOK_AT = _sql.query("occurrences_to_look_at", Occurrence)
_OCCURRENCES_NAMED = _sql.query("occurrences_named", Occurrence)
_OCCURRENCES_OF_REMINDERS = _sql.query("occurrences_of_reminders", Occurrence)
_OCCURRENCES_SNOOZED_BY = _sql.query("occurrences_snoozed_by", Occurrence)
_SIGNS_OF = _sql.query("signs_of", Sign)


async def add_occurrences(db: Db, rows: Sequence[Occurrence]) -> set[tuple[UUID, str]]:
    """Store what was claimed; return the names (space, occ) of those that were not there before."""
    # Nobody has been told and nothing is snoozed yet.
    born = [name for name in _CHANGING if name not in _LATER]
    new = await db.all(_ADD_OCCURRENCES, **columns(rows, (*_KEY, "reminder", *born)))
    return {(row.space_id, row.occ) for row in new}


async def save_occurrences(db: Db, rows: Sequence[Occurrence]) -> None:
    """Store what became of occurrences that this transaction has locked."""
    await db.run(_SAVE_OCCURRENCES, **columns(rows, (*_KEY, *_CHANGING)))


async def occurrences_to_look_at(db: Db, now: datetime, limit: int) -> list[Occurrence]:
    """Return and lock up to `limit` whose moment has come, past those that others hold."""
    return await db.all(_OCCURRENCES_TO_LOOK_AT, now=now, limit=limit)


async def occurrences_named(db: Db, names: Iterable[tuple[UUID, UUID, str]]) -> list[Occurrence]:
    """Return and lock the occurrences of these names (organisation, space, occ)."""
    rows = sorted(set(names))
    return await db.all(
        _OCCURRENCES_NAMED,
        orgs=[org for org, _, _ in rows],
        spaces=[space for _, space, _ in rows],
        occs=[occ for _, _, occ in rows],
    )


async def occurrences_of_reminders(db: Db, scope: PlanScope) -> list[Occurrence]:
    """Return and lock what a change of these reminders may concern: what may still ring.

    What was missed is among them where a snooze waits.
    """
    return await db.all(
        _OCCURRENCES_OF_REMINDERS,
        org=scope.org,
        scope_spaces=[space for space, _ in scope.reminders],
        scope_reminders=[reminder for _, reminder in scope.reminders],
        since=scope.since,
    )


async def occurrences_snoozed_by(
    db: Db, org: UUID, spaces: Sequence[UUID], ops: Sequence[UUID]
) -> list[Occurrence]:
    """Return and lock the occurrences whose latest snooze is one of `ops`."""
    return await db.all(_OCCURRENCES_SNOOZED_BY, org=org, spaces=spaces, ops=ops)


async def set_occurrences_aside(db: Db, rows: Sequence[Occurrence], until: datetime) -> None:
    """Leave these alone until then: they could not be followed."""
    await db.run(
        _SET_OCCURRENCES_ASIDE,
        orgs=[row.org for row in rows],
        spaces=[row.space for row in rows],
        occs=[row.occ for row in rows],
        until=until,
    )


async def signs_of(db: Db, rows: Sequence[Occurrence]) -> Mapping[tuple[UUID, str], Sequence[Sign]]:
    """Return by (space, occ) what is known of the devices that should ring for occurrences."""
    signs: dict[tuple[UUID, str], list[Sign]] = defaultdict(list)
    if rows:
        for sign in await db.all(_SIGNS_OF, **columns(rows, _KEY)):
            signs[sign.space, sign.occ].append(sign)
    return signs

"""What medication does: what rings follows the orders, and what was given twice is told."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.care import store as care
from mos.care.actions.profile import homes_of
from mos.care.model import Policy
from mos.care.rules import lack
from mos.care.store import medication_of
from mos.db import Db
from mos.dispatch import actions as dispatch
from mos.dispatch.store import AlertCall, Given, given_between
from mos.medication import rules, store
from mos.medication.model import AsNeeded, active_of, as_needed_of, delegation_of
from mos.plan import actions as plan
from mos.plan.actions import moment
from mos.sync.model import Author, Groups

# Names go by the wall, limits by elapsed time: no zone is further from UTC than this.
_ANY_ZONE = timedelta(days=1)


class Done(Struct, frozen=True):
    """An outcome that was recorded now: the completion's op, of what, and when by the device."""

    space: UUID
    op: UUID
    occ: str
    at: datetime

    @property
    def record(self) -> UUID:
        """Return what it was an occurrence of."""
        return UUID(self.occ.partition("@")[0])


async def follow_orders(
    db: Db, org: UUID, docs: Mapping[tuple[UUID, UUID], dict[str, Any]], now: datetime
) -> None:
    """Let what is due and open follow orders that have changed, by (space, record)."""
    changed = {name: store.reminder_of(name[1], doc) for name, doc in docs.items()}
    homes = await homes_of(db, org, {space for space, _ in docs})
    await plan.replan_reminders(db, org, changed, now, homes=homes)


async def follow_pauses(db: Db, org: UUID, days: Iterable[UUID], now: datetime) -> None:
    """Let medication be silent while its residents' days are paused."""
    homes = {medication_of(space): space for space in days}
    await db.widen(sorted(homes))
    await plan.replan_spaces(db, org, homes, now, source=store.orders, homes=homes)


async def watch_doubles(db: Db, org: UUID, done: list[Done], now: datetime) -> None:
    """Alert, once for each, where a dose that was recorded now may have been one too many."""
    found = await store.orders_named(db, {(each.space, each.record) for each in done})
    orders = {(order.space, order.rec): active_of(order.doc) or {} for order in found}
    doses = [each for each in done if (each.space, each.record) in orders]
    if not doses:
        return
    limits = {name: as_needed_of(v) for name, v in orders.items()}
    ranges = {_range(dose, limits[dose.space, dose.record]) for dose in doses}
    given = {row.op: row for row in await given_between(db, org, sorted(ranges))}
    new = {dose.op for dose in doses}
    calls = [
        AlertCall(
            org=org,
            space=space,
            alert=dispatch.double_alert(space, occ),
            kind="double",
            occ=occ,
            ladder="double",
            grace_s=0,
            from_at=now,
            about={"order": str(rec)},
        )
        for (space, rec), limit in limits.items()
        for occ in sorted(_doubled(_of(given.values(), space, rec), limit, new))
    ]
    await dispatch.call(db, calls, now)


async def unentitled(
    db: Db, author: Author, doses: list[tuple[Done, frozenset[str]]], now: datetime
) -> dict[UUID, Groups]:
    """Return, by op, what is said of doses whose giver might not give them: with what they lacked.

    `doses` with the words that their author had in each space. The fact stands all the same: a
    dose that was lost would be given once more.
    """
    found = await store.orders_named(db, {(dose.space, dose.record) for dose, _ in doses})
    asks = {(o.space, o.rec): delegation_of(active_of(o.doc) or {}) for o in found}
    doses = [(dose, words) for dose, words in doses if (dose.space, dose.record) in asks]
    if not doses:
        return {}
    who = await care.standing(db, author.org, author.account)
    if who.policy is not Policy.CARE_RECORD:
        return {}
    spaces = sorted({dose.space for dose, _ in doses})
    after = min(dose.at for dose, _ in doses)
    held = await care.delegations_held(db, author.org, [author.account], spaces, after=after)
    said: dict[UUID, Groups] = {}
    for dose, words in doses:
        task = asks[dose.space, dose.record]
        theirs = [each.held for each in held if medication_of(each.space) == dose.space]
        lacked = lack(who.policy, who.role, words, task, theirs, dose.at)
        if lacked is not None:
            more = {"task": task} if lacked == "delegation" else {}
            said[dose.op] = {"unentitled": {"why": lacked, "at": moment(now), **more}}
    return said


async def tell_unentitled(db: Db, org: UUID, doses: list[Done], now: datetime) -> None:
    """Tell whoever decides about medication of doses that somebody gave who might not."""
    calls = [
        AlertCall(
            org=org,
            space=dose.space,
            alert=dispatch.unentitled_alert(dose.space, dose.op),
            kind="unentitled",
            occ=dose.occ,
            ladder="unentitled",
            grace_s=0,
            from_at=now,
            about={"order": str(dose.record)},
        )
        for dose in doses
    ]
    await dispatch.call(db, calls, now)


def _range(dose: Done, limits: AsNeeded | None) -> tuple[UUID, str, str]:
    """Return between which names doses lie that may be too near this one."""
    if limits is None:
        return dose.space, dose.occ, dose.occ
    reach = max(limits.min_interval, timedelta(hours=24)) + _ANY_ZONE
    low, high = (moment(at)[:16] for at in (dose.at - reach, dose.at + reach))
    return dose.space, f"{dose.record}@{low}", f"{dose.record}@{high}"


def _of(given: Iterable[Given], space: UUID, rec: UUID) -> list[Given]:
    return [row for row in given if row.space == space and row.occ.startswith(f"{rec}@")]


def _doubled(given: list[Given], limits: AsNeeded | None, new: set[UUID]) -> set[str]:
    """Return what is one too many because of what is new: the rest was told before."""
    if limits is None:
        twice = rules.given_twice(row.occ for row in given)
        return {row.occ for row in given if row.op in new and row.occ in twice}
    before = [rules.Dose(row.at, row.occ) for row in given if row.op not in new]
    after = [rules.Dose(row.at, row.occ) for row in given]
    return set(rules.doubled(limits, after)) - set(rules.doubled(limits, before))

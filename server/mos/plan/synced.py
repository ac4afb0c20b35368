"""What the plan synchronises, and how the engine follows: in the push's own transaction.

The order is that in which one push is followed: first what is planned, then what is taken back,
then what is said of it, last the alerts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET

from mos.care import store as care
from mos.care.actions.profile import follow_profiles, residents_of
from mos.db import Db
from mos.dispatch import actions as dispatch
from mos.dispatch.model import Answer
from mos.dispatch.store import AlertCall, Taking
from mos.kernel.ids import named_id
from mos.plan import actions
from mos.plan.actions import Source
from mos.plan.model import events
from mos.plan.model.events import ALERT_CLEAR
from mos.plan.model.ladder import check_ladder, is_ladders_name, read_ladder
from mos.plan.model.reminder import (
    check_profile,
    check_reminder,
    is_own_choice,
    read_reminder,
)
from mos.sync.model import CONFLICT, Change, Collection

Event = TypeVar("Event")

# Only these change when something rings; a new title or picture does not.
_PROFILE_RINGS = frozenset({"pause"})
_REMINDER_RINGS = frozenset(
    {"category", "minutes", "checkable", "grace", "criticality", "ring", "rule", "deleted"}
)
# "Jag tar det" holds a ladder no longer than this, whatever a device's clock says.
_LONGEST_TAKE = timedelta(hours=12)


# ───────────────────────────────────────────────────────────── the plan
async def _profiles_changed(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    await follow_profiles(db, org, changes)
    spaces = {change.space for change in changes if change.groups.keys() & _PROFILE_RINGS}
    if spaces:
        await actions.replan_spaces(db, org, spaces, now)


async def _reminders_changed(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    changed = {
        (change.space, change.rec): read_reminder(change.rec, change.doc)
        for change in changes
        if change.groups.keys() & _REMINDER_RINGS
    }
    if changed:
        await actions.replan_reminders(db, org, changed, now)


async def _ladders_changed(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    last = {(change.space, change.rec): change.doc for change in changes}
    read = [(space, read_ladder(space, rec, doc)) for (space, rec), doc in last.items()]
    ladders = [(space, ladder) for space, ladder in read if ladder is not None]
    if not ladders:
        return
    # A resident's medication follows the ladders of their day.
    days = sorted({space for space, _ in ladders})
    medication = [care.medication_of(space) for space in days]
    await db.widen(medication)
    await dispatch.choose_ladders(db, org, ladders, [*days, *medication], now)


# ───────────────────────────────────────────────────────────── what happened
def _said(changes: Iterable[Change], shape: type[Event]) -> Iterator[tuple[Change, Event]]:
    for change in changes:
        yield change, msgspec.convert(change.groups["v"], shape)


async def _retracted(
    sources: Sequence[Source], db: Db, org: UUID, changes: list[Change], now: datetime
) -> None:
    ops = [(change.space, retract.of) for change, retract in _said(changes, events.Retract)]
    await actions.lock(db, org, {space for space, _ in ops}, now)
    reopened = await dispatch.retract(db, org, ops, now)
    # An answer that stood for another time stands for none any more.
    await actions.follow_answers(db, org, reopened, now, sources)


async def _completed(
    sources: Sequence[Source], db: Db, org: UUID, changes: list[Change], now: datetime
) -> None:
    answers = [
        (change.space, done.occ, Answer(change.rec, done.st, done.at))
        for change, done in _said(changes, events.Completion)
    ]
    strays = await actions.strays(db, org, [(space, occ) for space, occ, _ in answers], now)
    await dispatch.answer(db, org, answers, now)
    await actions.follow_answers(db, org, strays, now, sources)


async def _snoozed(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    snoozes = sorted(_said(changes, events.Snooze), key=lambda pair: pair[1].at)
    await dispatch.snooze(
        db,
        org,
        [
            # A device's clock may be years ahead; for how long it is meant to rest is certain.
            dispatch.Snooze(change.space, change.rec, s.occ, min(s.until, now + (s.until - s.at)))
            for change, s in snoozes
        ],
        now,
    )


async def _help_called(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    calls = [
        dispatch.Help(change.space, change.rec, None if call.occ is UNSET else call.occ)
        for change, call in _said(changes, events.Help)
    ]
    await dispatch.call_for_help(db, org, calls, now)


async def _rang(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    residents = await residents_of(db, org, {change.space for change in changes})
    rings = [
        dispatch.Rang(change.space, rang.occ, change.device)
        for change, rang in _said(changes, events.Rang)
        # A supporter who looks in on a day has heard it; the resident may not have.
        if residents.get(change.space) == change.by
    ]
    if rings:
        await dispatch.rang(db, org, rings, now)


# ───────────────────────────────────────────────────────────── alerts
async def _alerts_touched(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    takings = {
        (change.space, change.rec): _taking(change, now)
        for change in changes
        if "taken" in change.groups
    }
    if takings:
        await dispatch.take(db, org, list(takings.values()), now)
    # Of several words in one push the last one counts: the record holds it.
    closed = {
        (change.space, change.rec): change.doc.get("closed") is not None
        for change in changes
        if "closed" in change.groups
    }
    if shut := sorted(name for name, is_closed in closed.items() if is_closed):
        await dispatch.close_by_hand(db, org, shut, now)
    if back := sorted(name for name, is_closed in closed.items() if not is_closed):
        await dispatch.reopen_by_hand(db, org, back, now)


async def _conflicts_changed(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    last = {(change.space, change.rec): change.doc for change in changes}
    shut = {name for name, doc in last.items() if doc.get("state") != "open"}
    await dispatch.settle(
        db, org, [(space, dispatch.conflict_alert(space, rec)) for space, rec in sorted(shut)], now
    )
    calls = [
        AlertCall(
            org=org,
            space=space,
            alert=dispatch.conflict_alert(space, rec),
            kind="conflict",
            occ=None,
            ladder="conflict",
            grace_s=0,
            from_at=now,
            about={doc["of"]["coll"]: doc["of"]["rec"]},
        )
        for (space, rec), doc in last.items()
        if (space, rec) not in shut
    ]
    await dispatch.call(db, calls, now)


def _taking(change: Change, now: datetime) -> Taking:
    taken: Any = change.doc.get("taken")
    if taken is None:
        return Taking(change.space, change.rec, None, None, None)
    said = msgspec.convert(taken, events.Taken)
    # Who it was is known from the session, whatever the device wrote.
    until = min(max(said.again_at, now), now + min(said.again_at - said.at, _LONGEST_TAKE))
    to = None if said.to is UNSET else said.to
    return Taking(change.space, change.rec, change.by, min(said.at, now), until, to)


def synced(sources: Sequence[Source]) -> tuple[Collection, ...]:
    """Return what the plan synchronises; `sources` read all that rings, of other domains too."""
    return (
        Collection(
            name="profile",
            kind="set",
            write="plan.edit",
            lesser=("sound.choose", is_own_choice),
            check=check_profile,
            named=lambda space, rec, _groups: rec == named_id(space, "profile"),
            # The name of a picture of ours, which a demo's sign-in page shows.
            clear=frozenset({"face"}),
            applied=_profiles_changed,
        ),
        Collection(
            name="reminder",
            kind="set",
            write="plan.edit",
            check=check_reminder,
            applied=_reminders_changed,
        ),
        Collection(
            name="ladder",
            kind="set",
            write="plan.edit",
            check=check_ladder,
            named=is_ladders_name,
            # The engine keeps the same in a table of its own.
            clear=frozenset({"for", "steps"}),
            applied=_ladders_changed,
        ),
        Collection(
            name="retract",
            kind="event",
            write="outcome.record",
            check=events.check_retract,
            applied=partial(_retracted, sources),
        ),
        Collection(
            name="completion",
            kind="event",
            write="outcome.record",
            check=events.check_completion,
            applied=partial(_completed, sources),
        ),
        Collection(
            name="snooze",
            kind="event",
            write="outcome.record",
            check=events.check_snooze,
            applied=_snoozed,
        ),
        Collection(
            name="help",
            kind="event",
            write="outcome.record",
            check=events.check_help,
            applied=_help_called,
        ),
        Collection(
            name="rang",
            kind="event",
            write="outcome.record",
            check=events.check_rang,
            applied=_rang,
        ),
        Collection(
            name="alert",
            kind="set",
            write="alert.take",
            check=events.check_alert,
            people_may=frozenset({"taken", "closed"}),
            known=dispatch.known_alerts,
            clear=ALERT_CLEAR,
            applied=_alerts_touched,
        ),
        # The server writes it; what waits for a decision is told to those who may decide.
        Collection(
            name=CONFLICT,
            kind="set",
            write="plan.edit",
            check=events.check_conflict,
            people_may=frozenset(),
            applied=_conflicts_changed,
        ),
    )

"""What the plan does: keeps what is due in step with records, and records with alerts."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mos.care.actions.profile import homes_of
from mos.db import Db
from mos.dispatch import actions as dispatch
from mos.dispatch import store as engine
from mos.dispatch.model import Alert, Planned, PlanScope
from mos.dispatch.rules import LADDERS
from mos.plan import store
from mos.plan.model.events import ALERT_CLEAR
from mos.plan.model.reminder import Profile, Reminder
from mos.plan.rules.planned import planned
from mos.plan.rules.stand_ins import earliest, latest, moves_answers, stand_ins
from mos.sync.actions import record
from mos.sync.model import SystemChange

# How far ahead everything is materialised, and from when on a space's turn comes again.
AHEAD = timedelta(hours=48)
RENEW_BELOW = timedelta(hours=47)
# An open occurrence may be this old: a day's grace, and the night that moved the clocks.
_OPEN_FOR = timedelta(hours=26)
# What somebody plans for this minute, or sent a little late, still begins.
_STILL_BEGINS = timedelta(minutes=5)
# After a longer stop, what lies further back is history.
_CATCH_UP = timedelta(days=7)


# What reads the plan of spaces: their reminders, and what another domain lets ring as one.
Source = Callable[[Db, Sequence[UUID]], Awaitable[dict[UUID, list[Reminder]]]]


async def materialise(
    db: Db, org: UUID, spaces: Sequence[UUID], now: datetime, sources: Sequence[Source]
) -> None:
    """Plan all of `spaces` for the next 48 h, and what passed since each was planned last.

    Widens the transaction's scope to the residents' days, whose pauses silence their medication.
    """
    until = await engine.lock_horizons(db, org, spaces, now)
    found = [await source(db, spaces) for source in sources]
    reminders = {space: [r for each in found for r in each[space]] for space in spaces}
    profiles = await _profiles(db, spaces, await homes_of(db, org, spaces))
    add_from = {
        space: max(min(until[space], now - _STILL_BEGINS), now - _CATCH_UP) for space in spaces
    }
    plan: list[Planned] = []
    paused: set[tuple[UUID, str]] = set()
    for space in spaces:
        start = min(add_from[space], now - _OPEN_FOR)
        for reminder in reminders[space]:
            rows, silenced = planned(space, reminder, profiles[space], start=start, end=now + AHEAD)
            plan += rows
            paused |= {(space, occ) for occ in silenced}
    answered = await _answered_elsewhere(db, org, reminders, plan, paused)
    plan = [row for row in plan if (row.space, row.occ) not in answered]
    scope = PlanScope(
        org=org,
        reminders=[(space, None) for space in spaces],
        since=now - _OPEN_FOR,
        add_from=add_from,
    )
    await engine.replace_due(db, scope, plan, now)
    await engine.extend_horizons(db, org, spaces, now + AHEAD)


async def retire(db: Db, org: UUID, spaces: Sequence[UUID], now: datetime) -> None:
    """Let nothing of `spaces` be due, ring or alert any more: the residents have moved out."""
    scope = PlanScope(
        org=org,
        reminders=[(space, None) for space in spaces],
        since=now - _CATCH_UP,
        add_from={},
    )
    await engine.lock_horizons(db, org, spaces, now)
    await dispatch.retire(db, scope, now)
    await engine.forget_horizons(db, org, spaces)


async def replan_spaces(  # noqa: PLR0913  one more than five
    db: Db,
    org: UUID,
    spaces: Iterable[UUID],
    now: datetime,
    *,
    source: Source = store.reminders,
    homes: Mapping[UUID, UUID] | None = None,
) -> None:
    """Let what is due and open follow whole plans that have changed, as by a pause.

    `homes` names the space of the day to which another space belongs, whose pauses count.
    """
    wanted = sorted(set(spaces))
    await engine.lock_horizons(db, org, wanted, now)
    reminders = await source(db, wanted)
    pairs: list[tuple[UUID, UUID | None]] = [(space, None) for space in wanted]
    await _replan(db, org, pairs, reminders, now, homes or {})


async def replan_reminders(
    db: Db,
    org: UUID,
    changed: Mapping[tuple[UUID, UUID], Reminder | None],
    now: datetime,
    *,
    homes: Mapping[UUID, UUID] | None = None,
) -> None:
    """Let what is due and open follow changed reminders, by (space, reminder); None: deleted."""
    await engine.lock_horizons(db, org, sorted({space for space, _ in changed}), now)
    reminders: dict[UUID, list[Reminder]] = {}
    for (space, _), reminder in changed.items():
        reminders.setdefault(space, [])
        if reminder is not None:
            reminders[space].append(reminder)
    await _replan(db, org, list(changed), reminders, now, homes or {})


async def _profiles(
    db: Db, spaces: Sequence[UUID], homes: Mapping[UUID, UUID]
) -> dict[UUID, Profile]:
    elsewhere = {homes.get(space, space) for space in spaces} - set(spaces)
    await db.widen(sorted(elsewhere))
    found = await store.profiles(db, sorted({*spaces, *elsewhere}))
    return {space: found[homes.get(space, space)] for space in spaces}


async def _replan(  # noqa: PLR0913, PLR0917  one more than five
    db: Db,
    org: UUID,
    pairs: Sequence[tuple[UUID, UUID | None]],
    reminders: Mapping[UUID, list[Reminder]],
    now: datetime,
    homes: Mapping[UUID, UUID],
) -> None:
    spaces = sorted({space for space, _ in pairs})
    profiles = await _profiles(db, spaces, homes)
    plan: list[Planned] = []
    paused: set[tuple[UUID, str]] = set()
    for space in spaces:
        for reminder in reminders.get(space, []):
            rows, silenced = planned(
                space, reminder, profiles[space], start=now - _OPEN_FOR, end=now + AHEAD
            )
            plan += rows
            paused |= {(space, occ) for occ in silenced}
    answered = await _answered_elsewhere(db, org, reminders, plan, paused)
    plan = [row for row in plan if (row.space, row.occ) not in answered]
    scope = PlanScope(
        org=org,
        reminders=list(pairs),
        since=now - _OPEN_FOR,
        add_from=dict.fromkeys(spaces, now - _STILL_BEGINS),
    )
    await dispatch.replan(db, scope, plan, paused, now, answered=answered)


async def _answered_elsewhere(
    db: Db,
    org: UUID,
    reminders: Mapping[UUID, Sequence[Reminder]],
    plan: Sequence[Planned],
    paused: set[tuple[UUID, str]],
) -> set[tuple[UUID, str]]:
    """Return what of `plan` (space, occ) somebody has answered under a time that it had before.

    `paused` is planned, too, and silent: what was answered of it has not moved.
    """
    moving = {
        (space, str(each.id))
        for space, found in reminders.items()
        for each in found
        if moves_answers(each)
    }
    times: dict[tuple[UUID, str], list[str]] = defaultdict(list)
    for space, occ in [*((row.space, row.occ) for row in plan), *paused]:
        reminder, _, local = occ.partition("@")
        if (space, reminder) in moving:
            times[space, reminder].append(local)
    if not times:
        return set()
    ranges = [
        (space, f"{reminder}@{earliest(min(found))}", f"{reminder}@{latest(max(found))}")
        for (space, reminder), found in times.items()
    ]
    given: dict[tuple[UUID, str], list[str]] = defaultdict(list)
    for space, occ in await engine.answered_between(db, org, ranges):
        reminder, _, local = occ.partition("@")
        given[space, reminder].append(local)
    return {
        (space, f"{reminder}@{local}")
        for (space, reminder), found in given.items()
        for local in stand_ins(times[space, reminder], found)
    }


async def lock(db: Db, org: UUID, spaces: Iterable[UUID], now: datetime) -> None:
    """Lock the plans of `spaces` until the transaction ends, before anything of them is."""
    await engine.lock_horizons(db, org, sorted(set(spaces)), now)


async def strays(
    db: Db, org: UUID, names: Sequence[tuple[UUID, str]], now: datetime
) -> list[tuple[UUID, str]]:
    """Return which of these (space, occ) no plan has, with their spaces' plans locked."""
    found = await engine.strays(db, org, names)
    if found:
        await lock(db, org, {space for space, _ in found}, now)
    return found


async def follow_answers(
    db: Db,
    org: UUID,
    names: Sequence[tuple[UUID, str]],
    now: datetime,
    sources: Sequence[Source],
) -> None:
    """Let what is due and open follow answers (space, occ) that came or went.

    For those under times that the plan may not have: they stand for others (`stand_ins`).
    """
    wanted = {(space, occ.partition("@")[0]) for space, occ in names}
    spaces = sorted({space for space, _ in wanted})
    if not spaces:
        return
    changed: dict[tuple[UUID, UUID], Reminder | None] = {}
    for source in sources:
        for space, found in (await source(db, spaces)).items():
            changed |= {(space, each.id): each for each in found if (space, str(each.id)) in wanted}
    if changed:
        await replan_reminders(db, org, changed, now, homes=await homes_of(db, org, spaces))


# ───────────────────────────────────────────────────────────── alerts and their records
async def record_alerts(
    db: Db, org: UUID, spaces: Sequence[UUID], now: datetime
) -> dict[UUID, int]:
    """Write what changed of alerts into the spaces' records; return the new heads to poke.

    Empty when another worker is at it.
    """
    if not await engine.try_recorder(db, org):
        return {}
    shown = [(alert, alert_doc(alert)) for alert in await engine.unrecorded_alerts(db, org, spaces)]
    changes = [
        SystemChange(
            space=alert.space, coll="alert", rec=alert.alert, groups=changed, clear=ALERT_CLEAR
        )
        for alert, doc in shown
        if (changed := _difference(alert.recorded, doc))
    ]
    made = await record(db, org, changes, now)
    await engine.mark_recorded(db, org, shown)
    heads: dict[UUID, int] = {}
    for change in made:
        heads[change.space] = max(change.seq, heads.get(change.space, 0))
    return heads


def _difference(before: dict[str, Any], doc: dict[str, Any]) -> dict[str, Any]:
    # Only what changed: a group written again would win over what a person writes meanwhile.
    return {group: value for group, value in doc.items() if before.get(group, ...) != value}


def alert_doc(alert: Alert) -> dict[str, Any]:
    """Return an alert as its record shows it (docs/records.md)."""
    what: dict[str, Any] = {"kind": alert.kind, "at": moment(alert.opened_at)}
    if alert.occ is not None:
        what |= {"occ": alert.occ}
        if not alert.about or alert.kind == "help":
            what |= {"reminder": alert.occ.partition("@")[0]}
    what |= alert.about
    return {
        "what": what,
        "step": {
            "n": alert.rung,
            "of": len(alert.steps or LADDERS[alert.ladder]),
            "next_at": alert.next_at and moment(alert.next_at),
        },
        "taken": alert.taken_by
        and alert.taken_at
        and alert.resumes_at
        and {
            "by": str(alert.taken_by),
            "at": moment(alert.taken_at),
            "again_at": moment(alert.resumes_at),
        }
        | ({"to": str(alert.handed_to)} if alert.handed_to else {}),
        "closed": alert.closed_at and {"at": moment(alert.closed_at), "why": alert.closed_why},
    }


def moment(at: datetime) -> str:
    """Return an instant as records write it: `2026-11-27T07:00:12.345Z`."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

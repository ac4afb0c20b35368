"""Decisions about what is due. Pure: no await, no clock, no database.

Two machines walk side by side. An occurrence rings for the resident until it is answered or its
grace ends; an alert tells supporters, wider at each step, until somebody takes it or it is closed.
Each looks at what is true now and says what comes next and when to look again, so that one look
catches up with a stop of any length.
"""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from mos.dispatch.model import (
    OPEN,
    Alert,
    AlertKind,
    AlertMove,
    Answer,
    Audience,
    Event,
    Move,
    Occurrence,
    Planned,
    State,
)

_S, _E = State, Event

# What an event makes of a state. A pair that is absent changes nothing.
TRANSITIONS: dict[tuple[State, Event], State] = {
    (_S.PLANNED, _E.RING): _S.DUE,
    (_S.PLANNED, _E.MISS): _S.MISSED,
    (_S.PLANNED, _E.END): _S.CLOSED,
    (_S.PLANNED, _E.ANSWER): _S.CLOSED,
    (_S.PLANNED, _E.CANCEL): _S.CANCELLED,
    (_S.PLANNED, _E.PAUSE): _S.PAUSED,
    (_S.DUE, _E.TELL): _S.TOLD,
    (_S.DUE, _E.SNOOZE): _S.TOLD,
    (_S.DUE, _E.LATE): _S.LATE,
    (_S.DUE, _E.MISS): _S.MISSED,
    (_S.DUE, _E.END): _S.CLOSED,
    (_S.DUE, _E.ANSWER): _S.CLOSED,
    (_S.DUE, _E.CANCEL): _S.CANCELLED,
    (_S.DUE, _E.PAUSE): _S.PAUSED,
    (_S.TOLD, _E.SNOOZE): _S.TOLD,
    (_S.TOLD, _E.LATE): _S.LATE,
    (_S.TOLD, _E.MISS): _S.MISSED,
    (_S.TOLD, _E.END): _S.CLOSED,
    (_S.TOLD, _E.ANSWER): _S.CLOSED,
    (_S.TOLD, _E.CANCEL): _S.CANCELLED,
    (_S.TOLD, _E.PAUSE): _S.PAUSED,
    (_S.LATE, _E.SNOOZE): _S.LATE,
    (_S.LATE, _E.MISS): _S.MISSED,
    (_S.LATE, _E.ANSWER): _S.CLOSED,
    (_S.LATE, _E.CANCEL): _S.CANCELLED,
    (_S.LATE, _E.PAUSE): _S.PAUSED,
    # It is never too late for an answer, nor for one more ring that the resident asked for.
    (_S.MISSED, _E.SNOOZE): _S.LATE,
    (_S.MISSED, _E.ANSWER): _S.CLOSED,
    (_S.CLOSED, _E.ANSWER): _S.CLOSED,
    (_S.CLOSED, _E.REOPEN): _S.DUE,
    (_S.PAUSED, _E.ANSWER): _S.CLOSED,
    (_S.PAUSED, _E.RESTORE): _S.DUE,
    (_S.CANCELLED, _E.ANSWER): _S.CLOSED,
    (_S.CANCELLED, _E.RESTORE): _S.DUE,
}


class Step(Struct, frozen=True):
    """One step of the supporters' ladder, counted from the end of the grace."""

    tell: Audience
    after: timedelta


def _minutes(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


# When the resident's devices ring, from the start. Only the first of them without `ring.again`.
RINGS: dict[str, tuple[timedelta, ...]] = {
    "normal": (_minutes(0), _minutes(5), _minutes(10)),
    "important": (_minutes(0), _minutes(5), _minutes(10)),
    "critical": (_minutes(0), _minutes(5)),
}

# With the usual grace of 30 minutes (critical: 15) a supporter hears after 15, 30, 60 (10, 15, 30).
# Counted from the end of the grace, because it says when waiting becomes wrong: nobody is called
# about a walk of an hour before that hour is over.
LADDERS: dict[str, tuple[Step, ...]] = {
    "normal": (
        Step(Audience.PRIMARY, _minutes(-15)),
        Step(Audience.UNIT, _minutes(0)),
        Step(Audience.ALL, _minutes(30)),
    ),
    "important": (
        Step(Audience.PRIMARY, _minutes(-15)),
        Step(Audience.UNIT, _minutes(0)),
        Step(Audience.ALL, _minutes(30)),
    ),
    "critical": (
        Step(Audience.PRIMARY, _minutes(-5)),
        Step(Audience.UNIT, _minutes(0)),
        Step(Audience.ALL, _minutes(15)),
    ),
    "help": (Step(Audience.UNIT, _minutes(0)), Step(Audience.ALL, _minutes(5))),
    "silent": (Step(Audience.PRIMARY, _minutes(0)), Step(Audience.UNIT, _minutes(15))),
}

# A device that has said nothing for this long while something rings is silent.
SILENT_AFTER = timedelta(minutes=2)
# What is older than this when it is found is told once and not carried up the ladder.
STALE_AFTER = timedelta(days=1)


def after(state: State, event: Event) -> State:
    """Return what `event` makes of `state`: the state itself where it means nothing."""
    return TRANSITIONS.get((state, event), state)


def born(org: UUID, planned: Planned, now: datetime) -> Occurrence:
    """Return the occurrence that the engine takes from the plan, to be looked at now."""
    return Occurrence(
        org=org,
        space=planned.space,
        occ=planned.occ,
        reminder=planned.reminder,
        at=planned.at,
        ends_at=planned.ends_at,
        category=planned.category,
        criticality=planned.criticality,
        checkable=planned.checkable,
        grace_s=planned.grace_s,
        ring_start=planned.ring_start,
        ring_again=planned.ring_again,
        state=State.PLANNED,
        from_at=planned.at,
        missed_at=planned.at + timedelta(seconds=planned.grace_s),
        next_at=now,
    )


# ───────────────────────────────────────────────────────────── an occurrence, as time passes
def late_at(occurrence: Occurrence) -> datetime:
    """Return when the first supporter hears of it: no earlier than half the grace."""
    grace = timedelta(seconds=occurrence.grace_s)
    first = LADDERS[occurrence.criticality][0].after
    return occurrence.from_at + max(grace + first, grace / 2)


def over_at(occurrence: Occurrence) -> datetime:
    """Return when an occurrence that needs no answer is over."""
    return max(occurrence.ends_at, occurrence.missed_at)


def look(occurrence: Occurrence, now: datetime) -> Move:
    """Say what time has made of an occurrence by `now`, and when to look again."""
    if occurrence.state not in OPEN:
        return Move(replace(occurrence, next_at=None))
    if occurrence.state is State.PLANNED and now < occurrence.at:
        return _ring_before(occurrence)
    if occurrence.checkable and now >= occurrence.missed_at:
        return _miss(occurrence)
    if not occurrence.checkable and now >= over_at(occurrence):
        return _end(occurrence, now)
    return _wait(occurrence, now)


def _ring_before(occurrence: Occurrence) -> Move:
    first_time = occurrence.step == 0
    return Move(
        replace(occurrence, step=max(occurrence.step, 1), next_at=occurrence.at),
        ring=first_time,
    )


def _miss(occurrence: Occurrence) -> Move:
    return Move(
        replace(
            occurrence,
            state=after(occurrence.state, Event.MISS),
            snoozed_until=None,
            silent_at=None,
            next_at=None,
        ),
        alerts=("missed",),
    )


def _end(occurrence: Occurrence, now: datetime) -> Move:
    if occurrence.ring_start and occurrence.rung == 0:
        # It came and went while nothing ran: to say that it was shown would be untrue.
        return _miss(occurrence)
    return Move(
        replace(
            occurrence,
            state=after(occurrence.state, Event.END),
            outcome="shown",
            closed_at=now,
            silent_at=None,
            next_at=None,
        )
    )


def _wait(occurrence: Occurrence, now: datetime) -> Move:
    if occurrence.state is State.PLANNED:
        # Whoever was told ten minutes ahead has still to be told that it is time.
        occurrence = replace(occurrence, told_at=None)
    state = after(occurrence.state, Event.RING)
    ring, rung, snoozed_until = _rings(occurrence, now)
    silent_at = occurrence.silent_at
    if ring and occurrence.rung == 0 and occurrence.told_at is None:
        silent_at = now + SILENT_AFTER
    alerts: tuple[AlertKind, ...] = ()
    if silent_at is not None and silent_at <= now:
        silent_at, alerts = None, ("silent",)
    late = late_at(occurrence)
    became_late = occurrence.late_at
    if occurrence.checkable and late <= now and state is not State.LATE:
        state, became_late, alerts = after(state, Event.LATE), now, (*alerts, "late")
    moved = replace(
        occurrence,
        state=state,
        late_at=became_late,
        silent_at=silent_at,
        snoozed_until=snoozed_until,
        rung=rung,
        step=occurrence.step + ring,
    )
    return Move(replace(moved, next_at=_next(moved)), ring=ring, alerts=alerts)


def _ring_times(occurrence: Occurrence) -> list[datetime]:
    """Return when it rings, in order. What needs no answer rings once."""
    rings = RINGS[occurrence.criticality] if occurrence.checkable else (timedelta(),)
    return [occurrence.from_at + ring for ring in rings]


def _rings(occurrence: Occurrence, now: datetime) -> tuple[bool, int, datetime | None]:
    """Return whether it rings now, which ring is the next, and the snooze that still waits."""
    passed = sum(time <= now for time in _ring_times(occurrence))
    if occurrence.snoozed_until is not None:
        if now < occurrence.snoozed_until:
            return False, occurrence.rung, occurrence.snoozed_until
        return True, passed, None
    # Several that passed while nothing ran are one ring.
    missed = range(occurrence.rung, passed)
    ring = any(occurrence.ring_start if rung == 0 else occurrence.ring_again for rung in missed)
    return ring, max(occurrence.rung, passed), None


def _next(occurrence: Occurrence) -> datetime:
    times = [occurrence.missed_at if occurrence.checkable else over_at(occurrence)]
    if occurrence.checkable and occurrence.state is not State.LATE:
        times.append(late_at(occurrence))
    if occurrence.silent_at is not None:
        times.append(occurrence.silent_at)
    if occurrence.snoozed_until is not None:
        times.append(occurrence.snoozed_until)
    elif occurrence.ring_again or occurrence.rung == 0:
        times += _ring_times(occurrence)[occurrence.rung :]
    return min(times)


# ───────────────────────────────────────────────────────────── an occurrence, as people act
def answered(occurrence: Occurrence, first: Answer | None, now: datetime) -> Move | None:
    """Say what the answers that count make of it. `first` is the earliest, None when none is left.

    None: nothing changes.
    """
    if first is None:
        # What closed without an answer is not opened by one being taken back.
        return _reopened(occurrence, now) if occurrence.closed_by is not None else None
    if occurrence.closed_by == first.op:
        return None
    return Move(
        replace(
            occurrence,
            state=after(occurrence.state, Event.ANSWER),
            outcome=first.outcome,
            closed_at=min(first.at, now),
            closed_by=first.op,
            snoozed_until=None,
            silent_at=None,
            next_at=None,
        ),
        hush="outcome",
    )


def _reopened(occurrence: Occurrence, now: datetime) -> Move:
    opened = _opened(occurrence, Event.REOPEN, now)
    if now < occurrence.missed_at + STALE_AFTER:
        # Past its grace the next look finds it missed and tells.
        return Move(opened)
    return Move(replace(opened, state=after(opened.state, Event.MISS), next_at=None))


def _opened(occurrence: Occurrence, event: Event, now: datetime) -> Occurrence:
    state = after(occurrence.state, event)
    if now < occurrence.at:
        state = State.PLANNED
    elif occurrence.told_at is not None:
        state = after(state, Event.TELL)
    return replace(
        occurrence, state=state, outcome=None, closed_at=None, closed_by=None, next_at=now
    )


def snoozed(occurrence: Occurrence, op: UUID, until: datetime, now: datetime) -> Move | None:
    """Say what "Påminn igen" does: rings at `until`, and starts the grace anew.

    The grace of what is critical is never moved. None: nothing changes.
    """
    critical = occurrence.criticality == "critical"
    waits = occurrence.state in OPEN - {State.PLANNED}
    if not waits and (critical or occurrence.state is not State.MISSED):
        return None
    moved = replace(
        occurrence,
        state=after(occurrence.state, Event.SNOOZE),
        snoozed_until=until,
        snoozed_by=op,
        # Whoever snoozed has been told.
        told_at=occurrence.told_at or now,
        silent_at=None,
        next_at=now,
    )
    return Move(moved if critical else _counted_from(moved, max(until, occurrence.at)))


def unsnoozed(occurrence: Occurrence, now: datetime) -> Move:
    """Say what taking a snooze back does: rings and grace count from the start again."""
    counted = _counted_from(occurrence, occurrence.at)
    watched = now if occurrence.state in OPEN else occurrence.next_at
    return Move(replace(counted, snoozed_until=None, snoozed_by=None, next_at=watched))


def _counted_from(occurrence: Occurrence, from_at: datetime) -> Occurrence:
    grace = timedelta(seconds=occurrence.grace_s)
    return replace(occurrence, from_at=from_at, missed_at=from_at + grace)


def told(occurrence: Occurrence, now: datetime) -> Move | None:
    """Say what it changes that a device was told. None: nothing, it was known."""
    if occurrence.told_at is not None:
        return None
    return Move(
        replace(occurrence, state=after(occurrence.state, Event.TELL), told_at=now, silent_at=None)
    )


# ───────────────────────────────────────────────────────────── an occurrence, as the plan changes
def replanned(
    occurrence: Occurrence, planned: Planned | None, *, is_paused: bool, now: datetime
) -> Move | None:
    """Say what a changed plan makes of an occurrence that was taken already.

    `planned` is None when the plan no longer holds it; `is_paused` tells why. Returns None where
    nothing changes.
    """
    if planned is None:
        if occurrence.state not in OPEN:
            return None
        event = Event.PAUSE if is_paused else Event.CANCEL
        ended = replace(
            occurrence,
            state=after(occurrence.state, event),
            closed_at=now,
            snoozed_until=None,
            silent_at=None,
            next_at=None,
        )
        return Move(ended, hush="cancelled")
    fresh = _as_planned(occurrence, planned)
    if occurrence.state in (State.PAUSED, State.CANCELLED) and now < fresh.missed_at:
        return Move(_opened(fresh, Event.RESTORE, now))
    if occurrence.state in OPEN and fresh != occurrence:
        return Move(replace(fresh, next_at=now))
    return None


def _as_planned(occurrence: Occurrence, planned: Planned) -> Occurrence:
    # What has begun keeps its moment: a change of zone neither rings twice nor moves the grace.
    waits = occurrence.state is State.PLANNED
    from_at = planned.at if waits else occurrence.from_at
    return replace(
        occurrence,
        at=planned.at if waits else occurrence.at,
        ends_at=planned.ends_at if waits else occurrence.ends_at,
        category=planned.category,
        criticality=planned.criticality,
        checkable=planned.checkable,
        grace_s=planned.grace_s,
        ring_start=planned.ring_start,
        ring_again=planned.ring_again,
        from_at=from_at,
        missed_at=from_at + timedelta(seconds=planned.grace_s),
    )


# ───────────────────────────────────────────────────────────── an alert
def walk(alert: Alert, now: datetime) -> AlertMove:
    """Say whom an alert tells by `now`, and when to look again.

    Its first step is taken as soon as it opens. Steps that passed while nothing ran are one, the
    widest. When "Jag tar det" has run out and it is still open, it goes on where it is by then, and
    repeats its last step if there is no other.
    """
    if alert.closed_at is not None:
        return AlertMove(replace(alert, next_at=None))
    if alert.resumes_at is not None and now < alert.resumes_at:
        return AlertMove(replace(alert, next_at=alert.resumes_at))
    resumes = alert.resumes_at is not None
    steps = LADDERS[alert.ladder]
    ends_at = alert.from_at + timedelta(seconds=alert.grace_s)
    passed = sum(ends_at + step.after <= now for step in steps)
    rung = max(alert.rung, passed, 1)
    tell = steps[rung - 1].tell if rung > alert.rung or resumes else None
    if alert.rung == 0 and now >= ends_at + STALE_AFTER:
        tell, rung = steps[0].tell, len(steps)
    moved = replace(
        alert,
        rung=rung,
        step=alert.step + (tell is not None),
        next_at=ends_at + steps[rung].after if rung < len(steps) else None,
        taken_by=None,
        taken_at=None,
        resumes_at=None,
    )
    return AlertMove(moved, tell)

"""An occurrence, as time passes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from mos.dispatch.model import (
    OPEN,
    AlertKind,
    Event,
    Move,
    Occurrence,
    Planned,
    Sign,
    State,
    Step,
)
from mos.dispatch.rules.ladders import (
    RINGS,
    RINGS_LATE,
    SILENT_AFTER,
    STALE_AFTER,
    UNHEARD_AFTER,
)
from mos.dispatch.rules.silence import unheard_from
from mos.dispatch.rules.transitions import after


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


def late_at(occurrence: Occurrence, steps: Sequence[Step]) -> datetime:
    """Return when the first of `steps` tells of it: no earlier than half the grace."""
    grace = timedelta(seconds=occurrence.grace_s)
    return occurrence.from_at + max(grace + steps[0].after, grace / 2)


def over_at(occurrence: Occurrence) -> datetime:
    """Return when an occurrence that needs no answer is over."""
    return max(occurrence.ends_at, occurrence.missed_at)


def look(
    occurrence: Occurrence, steps: Sequence[Step], now: datetime, signs: Sequence[Sign] = ()
) -> Move:
    """Say what time has made of an occurrence by `now`, and when to look again.

    `steps` are those by which supporters are told of it, `signs` those of the devices that should
    ring for it.
    """
    if occurrence.state is State.MISSED and occurrence.snoozed_until is not None:
        return _ring_as_promised(occurrence, occurrence.snoozed_until, now)
    if occurrence.state not in OPEN:
        return Move(replace(occurrence, next_at=None))
    if occurrence.state is State.PLANNED and now < occurrence.at:
        return _ring_before(occurrence)
    if occurrence.checkable and now >= occurrence.missed_at:
        return _miss(occurrence, now)
    if not occurrence.checkable and now >= over_at(occurrence):
        return _end(occurrence, now)
    return _wait(occurrence, late_at(occurrence, steps), signs, now)


def _ring_before(occurrence: Occurrence) -> Move:
    first_time = occurrence.step == 0
    return Move(
        replace(occurrence, step=max(occurrence.step, 1), next_at=occurrence.at),
        ring=first_time,
    )


def _miss(occurrence: Occurrence, now: datetime) -> Move:
    until = occurrence.snoozed_until
    # The grace of what is critical does not wait for a snooze, but whoever asked is rung for.
    promised = until if until is not None and until >= occurrence.missed_at else None
    ring = _rings_late(occurrence, now)
    return Move(
        replace(
            occurrence,
            rung=occurrence.rung + ring,
            step=occurrence.step + ring,
            state=after(occurrence.state, Event.MISS),
            snoozed_until=promised,
            silent_at=None,
            next_at=promised,
        ),
        ring=ring,
        alerts=("missed",),
    )


def _rings_late(occurrence: Occurrence, now: datetime) -> bool:
    """Say whether what nothing rang for in time rings now that it is missed."""
    return (
        occurrence.category in RINGS_LATE
        and occurrence.ring_start
        and occurrence.rung == 0
        and now < occurrence.missed_at + timedelta(seconds=occurrence.grace_s)
    )


def _ring_as_promised(occurrence: Occurrence, until: datetime, now: datetime) -> Move:
    if now < until:
        return Move(replace(occurrence, next_at=until))
    return Move(
        replace(occurrence, snoozed_until=None, step=occurrence.step + 1, next_at=None),
        ring=now < until + STALE_AFTER,
    )


def _end(occurrence: Occurrence, now: datetime) -> Move:
    if occurrence.ring_start and occurrence.rung == 0:
        # It came and went while nothing ran: to say that it was shown would be untrue.
        return _miss(occurrence, now)
    return Move(
        replace(
            occurrence,
            state=after(occurrence.state, Event.END),
            outcome="shown",
            closed_at=now,
            silent_at=None,
            next_at=None,
        ),
        # Late it is only since it was missed and then snoozed: it has been shown after all.
        hush="outcome" if occurrence.state is State.LATE else None,
    )


def _wait(occurrence: Occurrence, late: datetime, signs: Sequence[Sign], now: datetime) -> Move:
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
        silent_at, is_silent = _silence(occurrence, signs, now)
        alerts = ("silent",) if is_silent else ()
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
    return Move(replace(moved, next_at=_next(moved, late)), ring=ring, alerts=alerts)


def _silence(
    occurrence: Occurrence, signs: Sequence[Sign], now: datetime
) -> tuple[datetime | None, bool]:
    """Return when to ask again whether devices are silent, and whether they are."""
    if occurrence.told_at is None:
        return None, True
    unheard = unheard_from(occurrence, signs)
    if unheard is None or unheard > now:
        return unheard, False
    return now + UNHEARD_AFTER, True


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


def _next(occurrence: Occurrence, late: datetime) -> datetime:
    times = [occurrence.missed_at if occurrence.checkable else over_at(occurrence)]
    if occurrence.checkable and occurrence.state is not State.LATE:
        times.append(late)
    if occurrence.silent_at is not None:
        times.append(occurrence.silent_at)
    if occurrence.snoozed_until is not None:
        times.append(occurrence.snoozed_until)
    elif occurrence.ring_again or occurrence.rung == 0:
        times += _ring_times(occurrence)[occurrence.rung :]
    return min(times)

"""An occurrence, as the plan changes."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from mos.dispatch.model import OPEN, Event, Move, Occurrence, Planned, State
from mos.dispatch.rules.transitions import after, open_again


def replanned(
    occurrence: Occurrence,
    planned: Planned | None,
    *,
    is_paused: bool,
    is_answered: bool = False,
    now: datetime,
) -> Move | None:
    """Say what a changed plan makes of an occurrence that was taken already.

    `planned` is None when the plan no longer holds it; `is_paused` and `is_answered` (under the
    time that it had before) tell why. Returns None where nothing changes.
    """
    if planned is None:
        is_quiet = is_paused or is_answered
        if occurrence.state is State.MISSED and (is_quiet or occurrence.snoozed_until is not None):
            # Missed it stays, but the ring that a snooze has promised would be out of place, and in
            # a pause, or where it was given, nobody is called any more.
            quiet = replace(occurrence, snoozed_until=None, next_at=None)
            return Move(quiet, hush="cancelled" if is_quiet else None)
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
        return Move(open_again(fresh, Event.RESTORE, now))
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

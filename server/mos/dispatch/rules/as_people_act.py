"""An occurrence, as people act."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from mos.dispatch.model import OPEN, Answer, Event, Move, Occurrence, State
from mos.dispatch.rules.ladders import STALE_AFTER
from mos.dispatch.rules.transitions import after, open_again


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
    opened = open_again(occurrence, Event.REOPEN, now)
    if now < occurrence.missed_at + STALE_AFTER:
        # Past its grace the next look finds it missed and tells.
        return Move(opened)
    return Move(replace(opened, state=after(opened.state, Event.MISS), next_at=None))


def snoozed(occurrence: Occurrence, op: UUID, until: datetime, now: datetime) -> Move | None:
    """Say what "Påminn igen" does: rings at `until`, and starts the grace anew.

    The grace of what is critical is never moved, so that it stays missed where it is. None: nothing
    changes.
    """
    if occurrence.state not in (OPEN | {State.MISSED}) - {State.PLANNED}:
        return None
    critical = occurrence.criticality == "critical"
    asked = replace(occurrence, snoozed_until=until, snoozed_by=op, next_at=now)
    if critical and occurrence.state is State.MISSED:
        return Move(asked)
    moved = replace(
        asked,
        state=after(occurrence.state, Event.SNOOZE),
        # Whoever snoozed has been told.
        told_at=occurrence.told_at or now,
        silent_at=None,
    )
    return Move(moved if critical else _counted_from(moved, max(until, occurrence.at)))


def unsnoozed(occurrence: Occurrence, now: datetime) -> Move:
    """Say what taking a snooze back does: rings and grace count from the start again."""
    counted = _counted_from(occurrence, occurrence.at)
    watched = now if occurrence.state in OPEN else None
    return Move(replace(counted, snoozed_until=None, snoozed_by=None, next_at=watched))


def _counted_from(occurrence: Occurrence, from_at: datetime) -> Occurrence:
    grace = timedelta(seconds=occurrence.grace_s)
    return replace(occurrence, from_at=from_at, missed_at=from_at + grace)


def told(occurrence: Occurrence, now: datetime) -> Move | None:
    """Say what it changes that a device was told. None: nothing, it was known."""
    if occurrence.told_at is not None:
        return None
    return Move(replace(occurrence, state=after(occurrence.state, Event.TELL), told_at=now))

"""What an event makes of an occurrence's state."""

from datetime import datetime

from msgspec.structs import replace

from mos.dispatch.model import Event, Occurrence, State

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
    # Without a need for an answer it is late only because somebody snoozed it after it was missed.
    (_S.LATE, _E.END): _S.CLOSED,
    (_S.LATE, _E.ANSWER): _S.CLOSED,
    (_S.LATE, _E.CANCEL): _S.CANCELLED,
    (_S.LATE, _E.PAUSE): _S.PAUSED,
    # It is never too late for an answer, nor for one more ring that the resident asked for. What is
    # critical rings once more and stays missed (the rule `snoozed`).
    (_S.MISSED, _E.SNOOZE): _S.LATE,
    (_S.MISSED, _E.ANSWER): _S.CLOSED,
    (_S.CLOSED, _E.ANSWER): _S.CLOSED,
    (_S.CLOSED, _E.REOPEN): _S.DUE,
    (_S.PAUSED, _E.ANSWER): _S.CLOSED,
    (_S.PAUSED, _E.RESTORE): _S.DUE,
    (_S.CANCELLED, _E.ANSWER): _S.CLOSED,
    (_S.CANCELLED, _E.RESTORE): _S.DUE,
}

# What opens an occurrence again finds it where it is by now; one look finds what has passed since.
_OPENS = {
    _E.REOPEN: (_S.PLANNED, _S.DUE, _S.TOLD, _S.MISSED),
    _E.RESTORE: (_S.PLANNED, _S.DUE, _S.TOLD),
}
# Every move that may be stored; the database's table `transition` holds the same.
MOVES: frozenset[tuple[State, Event, State]] = frozenset(
    {
        (before, event, each)
        for (before, event), then in TRANSITIONS.items()
        for each in _OPENS.get(event, (then,))
        if each is not before
    }
    | {(_S.PLANNED, _E.LATE, _S.LATE)}
)


def after(state: State, event: Event) -> State:
    """Return what `event` makes of `state`: the state itself where it means nothing."""
    return TRANSITIONS.get((state, event), state)


def open_again(occurrence: Occurrence, event: Event, now: datetime) -> Occurrence:
    """Return an occurrence that `event` opens, to be looked at now."""
    state = after(occurrence.state, event)
    if now < occurrence.at:
        state = State.PLANNED
    elif occurrence.told_at is not None:
        state = after(state, Event.TELL)
    return replace(
        occurrence, state=state, outcome=None, closed_at=None, closed_by=None, next_at=now
    )

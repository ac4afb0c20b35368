"""What was answered under a time that the plan no longer has stands for one that it has. Pure.

A dose of 15:05 that was given at 15:06 and whose order is then moved to 15:50 has been given: it
must neither ring nor be missed at 15:50. The app decides alike: pwa/src/plan/stand-ins.ts,
spec/vectors/stand_ins.json.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from mos.plan.model.reminder import Reminder
from mos.plan.model.rule import Once

# As far as a dose once a day may be off and still be that dose (ISMP's guidelines for timely
# administration, 2011); of what comes more often, half the way to the next.
_FURTHEST = timedelta(hours=2)


def moves_answers(reminder: Reminder) -> bool:
    """Say whether what was answered of it moves with its time.

    Of what comes once it does not: who moves that wants to be reminded once more. A medicine that
    was given has been given all the same.
    """
    return reminder.category == "medication" or not isinstance(reminder.rule, Once)


def earliest(local: str) -> str:
    """Return the earliest wall time whose answer could stand for that of `local`."""
    return (datetime.fromisoformat(local) - _FURTHEST).isoformat(timespec="minutes")


def latest(local: str) -> str:
    """Return the latest one."""
    return (datetime.fromisoformat(local) + _FURTHEST).isoformat(timespec="minutes")


def stand_ins(planned: Iterable[str], answered: Iterable[str]) -> set[str]:
    """Return which planned wall times (`2026-11-28T15:50`) of one reminder need no answer.

    Each time that was answered and is not planned any more stands for the nearest planned one that
    was not answered itself, if it is near enough; of two as near for the earlier.
    """
    slots = {local: at for local in planned if (at := _wall(local)) is not None}
    given = {local: at for local in answered if (at := _wall(local)) is not None}
    strays = sorted(given.keys() - slots.keys())
    if not strays:
        return set()
    times = sorted(slots.values())
    free = {local: at for local, at in slots.items() if local not in given}
    left_out: set[str] = set()
    for stray in strays:
        near = [
            (abs(at - given[stray]), local)
            for local, at in free.items()
            if local not in left_out and abs(at - given[stray]) <= _reach(at, times)
        ]
        if near:
            left_out.add(min(near)[1])
    return left_out


def _reach(at: datetime, times: list[datetime]) -> timedelta:
    others = [abs(other - at) / 2 for other in times if other != at]
    return min(_FURTHEST, *others) if others else _FURTHEST


def _wall(local: str) -> datetime | None:
    try:
        return datetime.strptime(local, "%Y-%m-%dT%H:%M")  # noqa: DTZ007  wall time, of no zone
    except ValueError:
        return None

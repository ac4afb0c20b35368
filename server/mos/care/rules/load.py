"""How much rings and calls: what is too much is heard no more. Pure."""

from collections.abc import Sequence
from datetime import date
from statistics import median

from msgspec import Struct

# More alerts a day than this are no longer each a reason to get up.
MOST = 5


class LoadDay(Struct, frozen=True):
    """One day's rings and alerts. `many`: more alerts than `MOST`; `at_night`: of the alerts."""

    day: date
    rings: int
    alerts: int
    many: bool
    at_night: int


class Spread(Struct, frozen=True):
    """The day in the middle, and the worst one."""

    median: float
    worst: int


class AlarmLoad(Struct, frozen=True):
    """Rings and alerts of some days, every day of them."""

    days: list[LoadDay]
    rings: Spread
    alerts: Spread
    most: int = MOST


def alarm_load(days: Sequence[tuple[date, int, int, int]]) -> AlarmLoad:
    """Return the load of days (day, rings, alerts, of these at night); there is at least one."""
    return AlarmLoad(
        [
            LoadDay(day, rings, alerts, many=alerts > MOST, at_night=at_night)
            for day, rings, alerts, at_night in days
        ],
        _spread([rings for _, rings, _, _ in days]),
        _spread([alerts for _, _, alerts, _ in days]),
    )


def _spread(numbers: list[int]) -> Spread:
    return Spread(float(median(numbers)), max(numbers))

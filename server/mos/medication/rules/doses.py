"""What is given as needed, and what was given twice. Pure.

The numbers are the prescriber's; here they are only compared. Nothing is ever advised. The app
counts alike: pwa/src/medication/doses.ts, spec/vectors/order.json.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from mos.medication.model import AsNeeded

# A dose that was given in part was given.
GIVEN = ("done", "partly")
_A_DAY = timedelta(hours=24)


class Dose(Struct, frozen=True, order=True):
    """A dose that was given: when, and by what name."""

    at: datetime
    occ: str


class Next(Struct, frozen=True):
    """Whether one more dose is within what was ordered.

    `at` is the first moment at which it is, `left` how many doses the last 24 hours leave, and
    `is_last` whether the one that may be given reaches the most.
    """

    may: bool
    at: datetime
    left: int
    is_last: bool


def next_dose(limits: AsNeeded, given: Iterable[datetime], now: datetime) -> Next:
    """Return whether a dose at `now` keeps the interval and the most of any 24 hours.

    A dose exactly at the interval is in time; one exactly 24 hours old counts no more.
    """
    times = sorted(given)
    at = now
    if times:
        at = max(at, times[-1] + limits.min_interval)
    if len(times) >= limits.max_24h:
        at = max(at, times[-limits.max_24h] + _A_DAY)
    left = max(limits.max_24h - sum(now - time < _A_DAY for time in times), 0)
    return Next(at <= now, at, left, is_last=at <= now and left == 1)


def doubled(limits: AsNeeded, given: Iterable[Dose]) -> list[str]:
    """Return the names of doses that came sooner than ordered after another, or were too many."""
    doses = sorted(given)
    found = []
    for index, dose in enumerate(doses):
        before = doses[:index]
        soon = bool(before) and dose.at - before[-1].at < limits.min_interval
        many = sum(dose.at - other.at < _A_DAY for other in before) >= limits.max_24h
        if soon or many:
            found.append(dose.occ)
    return found


def given_twice(given: Iterable[str]) -> set[str]:
    """Return the occurrences, of all that were recorded as given, that were so more than once."""
    return {occ for occ, times in Counter(given).items() if times > 1}

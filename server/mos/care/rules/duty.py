"""Who is on call when, by a unit's rotas. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.care.rules.holidays import holiday_test
from mos.kernel.zones import instant_of, zone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Holidays = Literal["usual", "sunday", "none"]
Turn = Literal["day", "week"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_A_DAY = timedelta(days=1)


class Rule(Struct, frozen=True):
    """When turns begin and end, wall time in the unit's zone, and whose they are.

    `to` not after `from` is on the next day. `valid_from` and `valid_to` are included.
    """

    weekdays: list[Weekday]
    from_: str
    to: str
    holidays: Holidays
    turn: Turn
    accounts: list[UUID]
    valid_from: date
    valid_to: date | None


class Duty(Struct, frozen=True):
    """One turn: whose, and between which instants. `day` is the one that it begins on."""

    day: date
    account: UUID
    from_at: datetime
    to_at: datetime


def duties(
    rule: Rule,
    changes: Mapping[date, UUID | None],
    place: str,
    *,
    since: datetime,
    until: datetime,
) -> list[Duty]:
    """Return the turns that end after `since` and begin before `until`, in order.

    `place` is the unit's zone. `changes` name who has the turn of a day instead; None: nobody.
    """
    first = since.astimezone(zone(place)).date() - _A_DAY
    last = until.astimezone(zone(place)).date()
    found = []
    for day, usual in _turns(rule, holiday_test(place), last):
        account = changes.get(day, usual)
        if day < first or account is None:
            continue
        from_at, to_at = _bounds(rule, day, place)
        if since < to_at and from_at < until and from_at < to_at:
            found.append(Duty(day, account, from_at, to_at))
    return found


def _turns(
    rule: Rule, is_holiday: Callable[[date], bool], last: date
) -> Iterator[tuple[date, UUID | None]]:
    """Yield the days on which turns begin, up to `last`, with whose each one is."""
    end = last if rule.valid_to is None else min(last, rule.valid_to)
    monday = rule.valid_from - timedelta(days=rule.valid_from.weekday())
    number = 0
    day = rule.valid_from
    while day <= end:
        if _begins(rule, day, is_holiday=is_holiday(day)):
            turn = number if rule.turn == "day" else (day - monday).days // 7
            yield day, rule.accounts[turn % len(rule.accounts)] if rule.accounts else None
            number += 1
        day += _A_DAY


def _begins(rule: Rule, day: date, *, is_holiday: bool) -> bool:
    if is_holiday and rule.holidays == "none":
        return False
    as_sunday = is_holiday and rule.holidays == "sunday"
    return ("sun" if as_sunday else WEEKDAYS[day.weekday()]) in rule.weekdays


def _bounds(rule: Rule, day: date, place: str) -> tuple[datetime, datetime]:
    from_, to = _minute(rule.from_), _minute(rule.to)
    ends_on = day if from_ < to else day + _A_DAY
    return instant_of(day, from_, place), instant_of(ends_on, to, place)


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)

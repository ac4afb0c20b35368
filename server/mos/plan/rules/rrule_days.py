"""The days that an RRULE selects. Pure.

Bounded by the window that is asked for, whatever the rule says: one that never matches costs no
more than one that does. Days are proleptic ordinals (`date.toordinal`) inside.
"""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from mos.plan.model.rrule import Freq, Nth, Rrule

_BEYOND = date.max.toordinal() + 1


def rrule_days(rule: Rrule, start: date, first: date, last: date) -> list[date]:
    """Return the days from `first` to `last`, both included, of the rule that begins on `start`."""
    end = last.toordinal()
    if rule.until_day is not None:
        end = min(end, rule.until_day.toordinal())
    # A rule selects a day once at most: a COUNT beyond the days there are does not matter.
    if rule.count is not None and rule.count <= last.toordinal() - start.toordinal():
        end = min(end, _counted_out(rule, start, last.year))
    days = _select(rule, start.toordinal(), first.toordinal(), end)
    return [date.fromordinal(day) for day in days]


@lru_cache(maxsize=8192)
def _counted_out(rule: Rrule, start: date, year: int) -> int:
    """Return the day on which COUNT is used up, or beyond every day if not before `year` ends."""
    left = rule.count or 0
    for day in _select(rule, start.toordinal(), start.toordinal(), _month(year, 13) - 1):
        left -= 1
        if left == 0:
            return day
    return _BEYOND


def _select(rule: Rrule, start: int, first: int, last: int) -> Iterator[int]:
    begin = max(first, start)
    if begin > last:
        return
    base = _unit(rule, start)
    behind = _unit(rule, begin) - base
    unit = base + -(-behind // rule.interval) * rule.interval
    while (begins := _unit_start(rule, unit)) <= last:
        ends = _unit_start(rule, unit + 1) - 1
        if rule.by_set_pos:
            yield from (day for day in _positions(rule, begins, ends) if begin <= day <= last)
        else:
            yield from _fitting(rule, max(begins, begin), min(ends, last))
        unit += rule.interval


def _fitting(rule: Rrule, first: int, last: int) -> Iterator[int]:
    return (day for day in range(first, last + 1) if _fits(rule, day))


def _positions(rule: Rrule, begins: int, ends: int) -> list[int]:
    """BYSETPOS counts in the whole unit, also in what lies before the start."""
    days = list(_fitting(rule, begins, ends))
    places = {at - 1 if at > 0 else len(days) + at for at in rule.by_set_pos}
    return [day for place, day in enumerate(days) if place in places]


# What the interval counts: the unit that holds a day, and where a unit begins.


def _unit(rule: Rrule, day: int) -> int:
    match rule.freq:
        case "DAILY":
            return day
        case "WEEKLY":
            # Day 1 was a Monday.
            return (day - 1 - rule.wkst) // 7
        case "MONTHLY":
            on = date.fromordinal(day)
            return on.year * 12 + on.month - 1
        case "YEARLY":
            return date.fromordinal(day).year


def _unit_start(rule: Rrule, unit: int) -> int:
    match rule.freq:
        case "DAILY":
            return unit
        case "WEEKLY":
            return unit * 7 + 1 + rule.wkst
        case "MONTHLY":
            return _month(unit // 12, unit % 12 + 1)
        case "YEARLY":
            return _month(unit, 1)


def _month(year: int, month: int) -> int:
    """Return the first day of a month; month 13 is the next year's January."""
    year, month = (year + 1, 1) if month == 13 else (year, month)
    return date(year, month, 1).toordinal() if year <= date.max.year else _BEYOND


# Whether a day fits. Numbers count from the start (1, 2, …) or from the end (-1, -2, …).


def _fits(rule: Rrule, day: int) -> bool:
    on = date.fromordinal(day)
    return (
        (not rule.by_month or on.month in rule.by_month)
        and (
            not rule.by_day or any(_fits_nth(rule.freq, rule.by_month, n, on) for n in rule.by_day)
        )
        and (not rule.by_month_day or _fits_month_day(rule.by_month_day, on))
        and (not rule.by_year_day or _fits_year_day(rule.by_year_day, on))
        and (not rule.by_week_no or _fits_week(rule, day))
    )


def _either(numbers: frozenset[int], from_start: int, from_end: int) -> bool:
    return from_start in numbers or -from_end in numbers


def _fits_month_day(numbers: frozenset[int], on: date) -> bool:
    return _either(numbers, on.day, _month(on.year, on.month + 1) - on.toordinal())


def _fits_year_day(numbers: frozenset[int], on: date) -> bool:
    day = on.toordinal()
    return _either(numbers, day - _month(on.year, 1) + 1, _month(on.year + 1, 1) - day)


def _fits_nth(freq: Freq, by_month: frozenset[int], wanted: Nth, on: date) -> bool:
    if on.weekday() != wanted.weekday:
        return False
    if wanted.nth == 0:
        return True
    # An ordinal counts in the year only when a yearly rule names no months.
    in_year = freq == "YEARLY" and not by_month
    begins = _month(on.year, 1 if in_year else on.month)
    ends = _month(on.year, 13 if in_year else on.month + 1) - 1
    day = on.toordinal()
    if wanted.nth > 0:
        return (day - begins) // 7 + 1 == wanted.nth
    return -((ends - day) // 7) - 1 == wanted.nth


def _fits_week(rule: Rrule, day: int) -> bool:
    week = day - (day - 1 - rule.wkst) % 7
    # A week belongs to the year that has its fourth day.
    year = date.fromordinal(week + 3).year
    number = (week - _week_one(year, rule.wkst)) // 7 + 1
    left = (_week_one(year + 1, rule.wkst) - week) // 7
    return _either(rule.by_week_no, number, left)


def _week_one(year: int, wkst: int) -> int:
    """Return where week 1 of the year begins: the first week that has four days in it."""
    fourth = _month(year, 1) + 3
    return fourth - (fourth - 1 - wkst) % 7

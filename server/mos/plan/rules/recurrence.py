"""When a rule rings. Pure; docs/rules.md says in words what is decided here.

The app decides the same in pwa/src/plan/recurrence.ts; spec/vectors/recurrence.json holds the two
together.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, assert_never

from mos.kernel.zones import instant_of, wall_time
from mos.plan.model.rule import (
    Interval,
    Occurrence,
    Once,
    Recurring,
    Rule,
    Weekly,
    decode_rule,
)
from mos.plan.rules.rrule_days import rrule_days

# How many days from its day an occurrence may fire: an offset, a skipped day, an interval's night.
_REACH = 2
# Within these every wall time of every zone has an instant.
_FIRST = date(1, 1, 3).toordinal()
_LAST = date(9999, 12, 25).toordinal()


def occurrences(rule: Rule, *, start: datetime, end: datetime) -> list[Occurrence]:
    """Return the occurrences with `start` ≤ at < `end` (both aware), ordered by `at`."""
    if start >= end:
        return []
    found = [
        occurrence
        for day in _days(rule, *_window(rule, start, end))
        if day not in rule.except_days and not any(pause.covers(day) for pause in rule.pause)
        for occurrence in _on(rule, day)
        if start <= occurrence.at < end and _stands(rule, occurrence)
    ]
    found.sort(key=lambda occurrence: (occurrence.at, occurrence.local))
    return found


def preview(value: object, start: datetime, end: datetime) -> dict[str, Any]:
    """Return the occurrences of a rule in its JSON form, as JSON, with `at` in UTC.

    Raises Invalid naming the field.
    """
    found = occurrences(decode_rule(value), start=start, end=end)
    return {
        "occurrences": [
            {"local": occurrence.local, "at": occurrence.at.isoformat().replace("+00:00", "Z")}
            for occurrence in found
        ]
    }


def _window(rule: Rule, start: datetime, end: datetime) -> tuple[int, int]:
    """Return the first and last day (ordinals) whose occurrences may fall in the window."""
    first = max(_utc_day(start) - _REACH, _FIRST)
    last = min(_utc_day(end) + _REACH, _LAST)
    if isinstance(rule, Once):
        day = rule.day.toordinal()
        return max(first, day), min(last, day)
    if rule.end is not None:
        last = min(last, rule.end.toordinal())
    return max(first, rule.start.toordinal()), last


def _utc_day(moment: datetime) -> int:
    try:
        return moment.astimezone(UTC).toordinal()
    except OverflowError:  # the first or last hours of the calendar, where nothing is planned
        return moment.toordinal()


def _days(rule: Rule, first: int, last: int) -> Iterator[date]:
    """Yield the days that the rule selects from `first` to `last`."""
    if first > last:
        return
    match rule:
        case Once() | Interval():
            yield from map(date.fromordinal, range(first, last + 1))
        case Weekly():
            week = _iso_week(rule.start.toordinal())
            for day in range(first, last + 1):
                in_turn = (_iso_week(day) - week) % rule.every == 0
                if in_turn and (day - 1) % 7 in rule.weekdays:
                    yield date.fromordinal(day)
        case Recurring():
            window = (date.fromordinal(first), date.fromordinal(last))
            yield from rrule_days(rule.rrule, rule.start, *window)
        case _:
            assert_never(rule)


def _iso_week(day: int) -> int:
    """Return the number of the ISO week since day 1, which was a Monday."""
    return (day - 1) // 7


def _on(rule: Rule, day: date) -> Iterator[Occurrence]:
    """Yield what is scheduled on one of the rule's days."""
    match rule:
        case Once():
            yield _at(rule, day, rule.minute)
        case Weekly() | Recurring():
            for minute in rule.minutes:
                yield _at(rule, day, minute)
        case Interval():
            yield from _steps(rule, day)
        case _:
            assert_never(rule)


def _at(rule: Rule, day: date, minute: int) -> Occurrence:
    local = f"{day.isoformat()}T{minute // 60:02}:{minute % 60:02}"
    return Occurrence(local, instant_of(day, minute, rule.zone), day)


def _steps(rule: Interval, day: date) -> Iterator[Occurrence]:
    """Step by elapsed time from the instant at which `from` fired; `to` is included."""
    first = _at(rule, day, rule.from_minute)
    yield first
    last_day = day + timedelta(days=1) if rule.to_minute < rule.from_minute else day
    end = instant_of(last_day, rule.to_minute, rule.zone)
    step = timedelta(minutes=rule.every)
    # A wall time that comes twice in a night names one occurrence, and rings at its first.
    named = {first.local}
    at = first.at + step
    while at <= end:
        local = wall_time(at, rule.zone)
        if local not in named:
            named.add(local)
            yield Occurrence(local, at, day)
        at += step


def _stands(rule: Rule, occurrence: Occurrence) -> bool:
    """Return False for what a single exception or the instant of UNTIL takes away."""
    if occurrence.local in rule.except_at:
        return False
    until = rule.rrule.until_at if isinstance(rule, Recurring) else None
    return until is None or occurrence.at <= until

"""When: the one JSON form of a rule (docs/records.md), read into types.

A rule comes from outside, through a device's store: what is not understood is refused by name.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from mos.kernel.errors import Invalid
from mos.kernel.zones import is_zone
from mos.plan.model.rrule import Rrule, decode_rrule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_LIMITS = ("zone", "kind", "except", "except_at", "pause")
_FIELDS = {
    "once": (*_LIMITS, "at"),
    "weekly": (*_LIMITS, "days", "times", "every", "start", "end"),
    "rrule": (*_LIMITS, "rrule", "times", "start", "end"),
    "interval": (*_LIMITS, "every", "from", "to", "start", "end"),
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_STEP = re.compile(r"PT(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?")
_DAY_MINUTES = 24 * 60
# Zones had no whole offsets before, and nobody plans there.
_EARLIEST = date(1900, 1, 1)
_MOST_PAUSES = 1000
# An app keeps whole numbers exactly up to here.
_MOST_EVERY = 2**53 - 1


class Pause(Struct, frozen=True):
    """Days without ringing, both included; without `to_day` until it is lifted."""

    from_day: date
    to_day: date | None

    def covers(self, day: date) -> bool:
        """Return True when `day` lies in it."""
        return self.from_day <= day and (self.to_day is None or day <= self.to_day)


class Limits(Struct, frozen=True, kw_only=True):
    """What every rule has: its zone, and what silences single occurrences."""

    zone: str
    except_days: frozenset[date]
    except_at: frozenset[str]  # wall times, `2026-05-01T08:00`
    pause: tuple[Pause, ...]


class Once(Limits, frozen=True, kw_only=True):
    """One wall time. Minutes are counted from midnight on the wall, here and below."""

    day: date
    minute: int


class Weekly(Limits, frozen=True, kw_only=True):
    """Weekdays by times; `every` 2 is every other ISO week, from the one that holds `start`."""

    weekdays: frozenset[int]  # Monday 0
    minutes: tuple[int, ...]
    every: int
    start: date
    end: date | None


class Recurring(Limits, frozen=True, kw_only=True):
    """The days of an RRULE by times."""

    rrule: Rrule
    minutes: tuple[int, ...]
    start: date
    end: date | None


class Interval(Limits, frozen=True, kw_only=True):
    """Each day from one clock time to another; `to_minute` before `from_minute` is next morning."""

    every: int  # elapsed minutes
    from_minute: int
    to_minute: int
    start: date
    end: date | None


Rule = Once | Weekly | Recurring | Interval


class Occurrence(Struct, frozen=True):
    """One due instance: its scheduled wall time (`2026-03-29T02:30`) and when it fires, in UTC.

    `day` is the day it belongs to: for an interval's hours after midnight, the day before.
    """

    local: str
    at: datetime
    day: date


def decode_rule(value: object) -> Rule:
    """Return the rule that `value`, decoded JSON, says. Raises Invalid naming the `field`."""
    if not isinstance(value, dict):
        raise _refused("rule", "malformed", "is an object")
    kind = _text(value, "kind")
    if kind not in _FIELDS:
        raise _refused("kind", "unknown", "is once, weekly, rrule or interval")
    for name in value:
        if name not in _FIELDS[kind]:
            raise _refused(str(name)[:40], "unknown", f"does not belong to a rule of kind {kind}")
    limits = _limits(value)
    match kind:
        case "once":
            return _once(value, limits)
        case "weekly":
            return _weekly(value, limits)
        case "rrule":
            return _recurring(value, limits)
        case _:
            return _interval(value, limits)


def _once(value: dict[str, Any], limits: dict[str, Any]) -> Once:
    at = _wall_time("at", _need(value, "at"))
    day = _not_before_1900("at", _date("at", at[:10]))
    return Once(**limits, day=day, minute=_clock("at", at[11:]))


def _weekly(value: dict[str, Any], limits: dict[str, Any]) -> Weekly:
    start, end = _start_and_end(value)
    return Weekly(
        **limits,
        weekdays=_weekdays(value),
        every=_every(value),
        minutes=_minutes(value),
        start=start,
        end=end,
    )


def _recurring(value: dict[str, Any], limits: dict[str, Any]) -> Recurring:
    start, end = _start_and_end(value)
    rrule = decode_rrule(_text(value, "rrule"), start)
    return Recurring(**limits, rrule=rrule, minutes=_minutes(value), start=start, end=end)


def _interval(value: dict[str, Any], limits: dict[str, Any]) -> Interval:
    start, end = _start_and_end(value)
    return Interval(
        **limits,
        from_minute=_clock("from", _need(value, "from")),
        to_minute=_clock("to", _need(value, "to")),
        every=_step(value),
        start=start,
        end=end,
    )


def _refused(field: str, code: str, why: str) -> Invalid:
    return Invalid(f"{field} {why}", field=field, code=code)


def _need(value: dict[str, Any], field: str) -> Any:
    if field not in value:
        raise _refused(field, "missing", "is missing")
    return value[field]


def _text(value: dict[str, Any], field: str) -> str:
    text = _need(value, field)
    if not isinstance(text, str):
        raise _refused(field, "malformed", "is text")
    return text


def _list(value: dict[str, Any], field: str) -> list[Any]:
    items = _need(value, field)
    if not isinstance(items, list):
        raise _refused(field, "malformed", "is a list")
    return items


def _date(field: str, text: object) -> date:
    if isinstance(text, str) and _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise _refused(field, "malformed", "is a date of the calendar, as in 2026-11-27")


def _clock(field: str, text: object) -> int:
    found = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise _refused(field, "malformed", "is a clock time from 00:00 to 23:59")
    return int(found[1]) * 60 + int(found[2])


def _wall_time(field: str, text: object) -> str:
    if not isinstance(text, str) or text[10:11] != "T":
        raise _refused(field, "malformed", "is a wall time, as in 2026-11-27T08:00")
    _date(field, text[:10])
    _clock(field, text[11:])
    return text


def _not_before_1900(field: str, day: date) -> date:
    if day < _EARLIEST:
        raise _refused(field, "malformed", "lies before 1900")
    return day


def _limits(value: dict[str, Any]) -> dict[str, Any]:
    zone = _text(value, "zone")
    if not is_zone(zone):
        raise _refused("zone", "unknown", "is an IANA time zone, as in Europe/Stockholm")
    days = _list(value, "except") if "except" in value else []
    at = _list(value, "except_at") if "except_at" in value else []
    pauses = _list(value, "pause") if "pause" in value else []
    return {
        "zone": zone,
        "except_days": frozenset(_date("except", day) for day in days),
        "except_at": frozenset(_wall_time("except_at", wall) for wall in at),
        "pause": _pauses(pauses),
    }


def _pauses(pauses: list[Any]) -> tuple[Pause, ...]:
    if len(pauses) > _MOST_PAUSES:
        raise _refused("pause", "too_many", f"holds at most {_MOST_PAUSES}")
    return tuple(_pause(pause) for pause in pauses)


def _pause(pause: object) -> Pause:
    if not isinstance(pause, dict):
        raise _refused("pause", "malformed", 'holds objects, as in {"from": "2026-07-01"}')
    if not pause.keys() <= {"from", "to"}:
        raise _refused("pause", "unknown", "has only from and to")
    if "from" not in pause:
        raise _refused("pause", "missing", "needs a from")
    from_day = _date("pause", pause["from"])
    to_day = _date("pause", pause["to"]) if "to" in pause else None
    if to_day is not None and to_day < from_day:
        raise _refused("pause", "backwards", "ends before it begins")
    return Pause(from_day, to_day)


def _start_and_end(value: dict[str, Any]) -> tuple[date, date | None]:
    start = _not_before_1900("start", _date("start", _need(value, "start")))
    end = _date("end", value["end"]) if "end" in value else None
    if end is not None and end < start:
        raise _refused("end", "backwards", "lies before start")
    return start, end


def _once_each(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))


def _minutes(value: dict[str, Any]) -> tuple[int, ...]:
    times = _list(value, "times")
    if not times:
        raise _refused("times", "empty", "needs at least one clock time")
    return _once_each(_clock("times", time) for time in times)


def _weekdays(value: dict[str, Any]) -> frozenset[int]:
    days = _list(value, "days")
    if not days:
        raise _refused("days", "empty", "needs at least one day")
    if any(day not in DAYS for day in days):
        raise _refused("days", "unknown", "holds mon, tue, wed, thu, fri, sat and sun")
    return frozenset(DAYS.index(day) for day in days)


def _every(value: dict[str, Any]) -> int:
    every = value.get("every", 1)
    # True is an int to Python.
    if type(every) is not int or not 1 <= every <= _MOST_EVERY:
        raise _refused("every", "malformed", "is a whole number of weeks from 1")
    return every


def _step(value: dict[str, Any]) -> int:
    found = _STEP.fullmatch(_text(value, "every"))
    step = int(found[1] or 0) * 60 + int(found[2] or 0) if found else 0
    if step == 0:
        raise _refused("every", "malformed", "is a time in hours and minutes, as in PT4H or PT90M")
    if step >= _DAY_MINUTES:
        raise _refused("every", "too_long", "is shorter than a day; use times for once a day")
    return step

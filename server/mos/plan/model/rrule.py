"""An RRULE (RFC 5545) as MOS reads it: it selects days, and a rule's `times` multiply them."""

import re
from datetime import UTC, date, datetime
from typing import Literal

from msgspec import Struct, structs

from mos.kernel.errors import Invalid

Freq = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]

_FREQS: dict[str, Freq] = {
    "DAILY": "DAILY",
    "WEEKLY": "WEEKLY",
    "MONTHLY": "MONTHLY",
    "YEARLY": "YEARLY",
}
_FINER = ("HOURLY", "MINUTELY", "SECONDLY")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIMES_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_CHOOSING = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY")
_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS", *_CHOOSING)

_NUMBER = re.compile(r"[0-9]{1,10}")
_BY_DAY = re.compile(r"([+-]?[0-9]{1,2})?([A-Z]{2})")
_UNTIL = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])Z)?"
)


class Nth(Struct, frozen=True):
    """A weekday, Monday 0, and which one of its month or year; `nth` 0 means every one."""

    nth: int
    weekday: int


class Rrule(Struct, frozen=True, kw_only=True):
    """Which days. Numbers count from the start (1, 2, …) or from the end (-1, -2, …)."""

    freq: Freq
    interval: int
    count: int | None
    until_day: date | None  # UNTIL as a date: the last day
    until_at: datetime | None  # UNTIL with Z: the last instant
    wkst: int  # first day of the week, Monday 0
    by_month: frozenset[int]
    by_month_day: frozenset[int]
    by_year_day: frozenset[int]
    by_week_no: frozenset[int]
    by_day: tuple[Nth, ...]
    by_set_pos: frozenset[int]


def decode_rrule(text: str, start: date) -> Rrule:
    """Return the RRULE, with what RFC 5545 takes from the first day filled in.

    Raises Invalid(field="rrule"): unknown or repeated parts, times of day, and what RFC 5545
    forbids or its readers disagree about. See docs/rules.md.
    """
    parts = _split(text)
    freq = _freq(parts)
    _refuse_contradictions(freq, parts)
    until_day, until_at = _until(parts)
    rule = Rrule(
        freq=freq,
        interval=_number(parts, "INTERVAL") or 1,
        count=_number(parts, "COUNT"),
        until_day=until_day,
        until_at=until_at,
        wkst=_wkst(parts),
        by_month=_numbers(parts, "BYMONTH", most=12, signed=False),
        by_month_day=_numbers(parts, "BYMONTHDAY", most=31),
        by_year_day=_numbers(parts, "BYYEARDAY", most=366),
        by_week_no=_numbers(parts, "BYWEEKNO", most=53),
        by_day=_by_day(parts, freq),
        by_set_pos=_numbers(parts, "BYSETPOS", most=366),
    )
    return _with_defaults(rule, start)


def _refused(part: str, code: str, why: str) -> Invalid:
    return Invalid(f"{part} in rrule {why}", field="rrule", code=code)


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in text.upper().split(";"):
        name, _, value = piece.partition("=")
        if name in _TIMES_OF_DAY:
            raise _refused(name, "not_supported", "is not used here: put the times into `times`")
        if name not in _PARTS:
            raise _refused(name[:20] or "part", "unknown", "is not a part of an RRULE")
        if not value or "=" in value or name in parts:
            raise _refused(name, "malformed", "must stand once, with one value")
        parts[name] = value
    return parts


def _freq(parts: dict[str, str]) -> Freq:
    value = parts.get("FREQ")
    if value is None:
        raise _refused("FREQ", "missing", "is missing")
    if value in _FINER:
        raise _refused("FREQ", "not_supported", "is DAILY or coarser; use an interval for hours")
    if value not in _FREQS:
        raise _refused("FREQ", "unknown", "is DAILY, WEEKLY, MONTHLY or YEARLY")
    return _FREQS[value]


def _refuse_contradictions(freq: Freq, parts: dict[str, str]) -> None:
    wrong = {
        "COUNT": "UNTIL" in parts,
        "BYMONTHDAY": freq == "WEEKLY",
        "BYYEARDAY": freq != "YEARLY",
        "BYWEEKNO": freq != "YEARLY" or "BYDAY" not in parts,
        "BYSETPOS": freq == "WEEKLY" or not any(part in parts for part in _CHOOSING),
    }
    for part, refused in wrong.items():
        if refused and part in parts:
            raise _refused(part, "not_supported", "cannot be combined with the rest of this RRULE")


def _number(parts: dict[str, str], part: str) -> int | None:
    value = parts.get(part)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value) or int(value) == 0:
        raise _refused(part, "malformed", "is a whole number from 1")
    return int(value)


def _numbers(parts: dict[str, str], part: str, *, most: int, signed: bool = True) -> frozenset[int]:
    pattern = re.compile(r"[+-]?[0-9]{1,3}" if signed else r"[0-9]{1,2}")
    numbers = set()
    for value in parts[part].split(",") if part in parts else ():
        if not pattern.fullmatch(value) or not 1 <= abs(int(value)) <= most:
            raise _refused(part, "malformed", f"holds numbers from 1 to {most}")
        numbers.add(int(value))
    return frozenset(numbers)


def _by_day(parts: dict[str, str], freq: Freq) -> tuple[Nth, ...]:
    ordinals = freq in {"MONTHLY", "YEARLY"} and "BYWEEKNO" not in parts
    days = []
    for value in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        found = _BY_DAY.fullmatch(value)
        if found is None or found[2] not in _WEEKDAYS or not 1 <= abs(int(found[1] or 1)) <= 53:
            raise _refused("BYDAY", "malformed", "holds MO to SU, as in MO, 2TU or -1FR")
        if found[1] is not None and not ordinals:
            raise _refused("BYDAY", "not_supported", "has a number only by month or by year")
        days.append(Nth(int(found[1] or 0), _WEEKDAYS.index(found[2])))
    return tuple(days)


def _wkst(parts: dict[str, str]) -> int:
    value = parts.get("WKST", "MO")
    if value not in _WEEKDAYS:
        raise _refused("WKST", "malformed", "is one of MO to SU")
    return _WEEKDAYS.index(value)


def _until(parts: dict[str, str]) -> tuple[date | None, datetime | None]:
    if "UNTIL" not in parts:
        return None, None
    found = _UNTIL.fullmatch(parts["UNTIL"])
    refused = _refused(
        "UNTIL", "malformed", "is a date (20261231) or an instant in UTC (20261231T220000Z)"
    )
    if found is None:
        raise refused
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        if found[4] is None:
            return date(year, month, day), None
        return None, datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise refused from None


def _with_defaults(rule: Rrule, start: date) -> Rrule:
    chosen = rule.by_week_no or rule.by_year_day or rule.by_month_day or rule.by_day
    if chosen or rule.freq == "DAILY":
        return rule
    if rule.freq == "WEEKLY":
        return structs.replace(rule, by_day=(Nth(0, start.weekday()),))
    days = frozenset({start.day})
    if rule.freq == "MONTHLY" or rule.by_month:
        return structs.replace(rule, by_month_day=days)
    return structs.replace(rule, by_month=frozenset({start.month}), by_month_day=days)

"""A second opinion on when a rule rings: slow, literal, and made of other parts than mos.plan.

The clock on the wall is watched minute by minute, and the days of an RRULE come from
python-dateutil.
"""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule as dateutil_rrule

from mos.kernel import zones

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# dateutil looks for a rule that never matches until this year; 9999 would take seconds.
dateutil_rrule.datetime = SimpleNamespace(**{**vars(dt), "MAXYEAR": 2130})


@lru_cache(maxsize=2000)
def watched(zone: str, day: date) -> tuple[datetime, list[datetime]]:
    """From when on the clock was watched, and the latest wall time it had shown by each minute."""
    place = zones.zone(zone)
    # No offset is further from UTC than 14 hours, no gap longer than a day.
    begun = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    latest = datetime.min  # noqa: DTZ901  a wall time
    return begun, [
        latest := max(latest, shown(begun + minute * MINUTE, place)) for minute in range(54 * 60)
    ]


def shown(at: datetime, place: ZoneInfo) -> datetime:
    return at.astimezone(place).replace(tzinfo=None)


def first_at(local: datetime, zone: str) -> datetime:
    """The first instant at which the clock on the wall shows `local` or later."""
    begun, latest = watched(zone, local.date())
    return begun + bisect_left(latest, local) * MINUTE


def occurrences(rule: dict[str, Any], start: datetime, end: datetime) -> list[tuple[str, str]]:
    """(local, at) of the rule in its JSON form, for start ≤ at < end."""
    found = [
        (at, _name(local))
        for day in days(rule, end.date() + 2 * DAY)
        if day > start.date() - 4 * DAY and not silenced(rule, day)
        for local, at in scheduled(rule, day)
        if start <= at < end and _name(local) not in rule.get("except_at", [])
    ]
    return [(local, at.strftime("%Y-%m-%dT%H:%M:%SZ")) for at, local in sorted(found)]


def _name(local: datetime) -> str:
    return local.isoformat()[:16]


def silenced(rule: dict[str, Any], day: date) -> bool:
    name = day.isoformat()
    pauses = rule.get("pause", [])
    return name in rule.get("except", []) or any(
        pause["from"] <= name <= pause.get("to", "9999") for pause in pauses
    )


def days(rule: dict[str, Any], last: date) -> Iterator[date]:
    """Every day from the rule's start, whether it is looked at or not."""
    if rule["kind"] == "once":
        yield date.fromisoformat(rule["at"][:10])
        return
    start = date.fromisoformat(rule["start"])
    last = min(last, date.fromisoformat(rule.get("end", "9999-12-31")))
    if rule["kind"] == "rrule":
        yield from rrule_days(rule["rrule"], start, last)
        return
    monday = start - start.weekday() * DAY
    day = start
    while day <= last:
        weeks = (day - monday).days // 7
        wanted = rule["kind"] == "interval" or NAMES[day.weekday()] in rule["days"]
        if wanted and (rule["kind"] == "interval" or weeks % rule.get("every", 1) == 0):
            yield day
        day += DAY


def rrule_days(text: str, start: date, last: date) -> Iterator[date]:
    parts = dict(part.split("=") for part in text.upper().split(";"))
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", "")
    if len(until) == len("20261231"):
        last = min(last, date.fromisoformat(until))
    # dateutil 2.9 puts 2 January 2022 into week 53 of 2021, which has 52.
    weeks = {int(number) for number in parts.pop("BYWEEKNO", "").split(",") if number}
    # It fails on the 53rd weekday of a year that has 52.
    nth = parts.get("BYDAY", "") if parts.get("BYDAY", "")[:2].isdigit() else ""
    parts |= {"BYDAY": nth[2:]} if nth else {}
    left = ";".join(f"{name}={value}" for name, value in parts.items())
    midnight = datetime(start.year, start.month, start.day)  # noqa: DTZ001  a day, no instant
    found = (day.date() for day in dateutil_rrule.rrulestr(left, dtstart=midnight))
    chosen = (
        day
        for day in found
        if (not weeks or weeks & week_numbers(day)) and (not nth or nth == place_in_year(day))
    )
    yield from islice(takewhile(lambda day: day <= last, chosen), int(count) if count else None)


def place_in_year(day: date) -> str:
    same = [
        day - weeks * 7 * DAY for weeks in range(53) if (day - weeks * 7 * DAY).year == day.year
    ]
    return f"{len(same)}{NAMES[day.weekday()][:2].upper()}"


def week_numbers(day: date) -> set[int]:
    """The ISO week of the day, counted from the start of its year and from the end."""
    year, week, _ = day.isocalendar()
    return {week, week - date(year, 12, 28).isocalendar().week - 1}


def scheduled(rule: dict[str, Any], day: date) -> list[tuple[datetime, datetime]]:
    if rule["kind"] == "interval":
        return stepped(rule, day)
    times = [rule["at"][11:]] if rule["kind"] == "once" else sorted(set(rule["times"]))
    fired = [
        (local := datetime.fromisoformat(f"{day}T{time}"), first_at(local, rule["zone"]))
        for time in times
    ]
    return [(local, at) for local, at in fired if at <= until_of(rule)]


def until_of(rule: dict[str, Any]) -> datetime:
    for part in rule.get("rrule", "").split(";"):
        if part.startswith("UNTIL=") and part.endswith("Z"):
            return datetime.strptime(part[6:], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return datetime.max.replace(tzinfo=UTC)


def stepped(rule: dict[str, Any], day: date) -> list[tuple[datetime, datetime]]:
    place = zones.zone(rule["zone"])
    first = datetime.fromisoformat(f"{day}T{rule['from']}")
    last = datetime.fromisoformat(f"{day}T{rule['to']}")
    at = first_at(first, rule["zone"])
    ended = first_at(last + DAY if last < first else last, rule["zone"])
    found = {first: at}
    while (at := at + duration(rule["every"])) <= ended:
        found.setdefault(shown(at, place), at)
    return list(found.items())


def duration(every: str) -> timedelta:
    hours, _, minutes = every.removeprefix("PT").rpartition("H")
    return timedelta(hours=int(hours or 0), minutes=int(minutes.removesuffix("M") or 0))

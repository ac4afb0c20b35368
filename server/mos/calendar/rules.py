"""From a plan to an iCalendar stream (RFC 5545). Pure.

Each occurrence is an event of its own, at an instant: what rings is decided here once, and no
reader's idea of recurrence or of time zones comes between.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import icalendar

from mos.calendar.model import Event, Plan
from mos.dispatch.model import Planned
from mos.plan.rules.planned import planned

_BACK = timedelta(days=7)
_AHEAD = timedelta(days=60)
# So much is planned at a time, and no more than so many events are shown: the nearest ones.
_STRETCH = timedelta(days=7)
_MOST_EVENTS = 5000

# How often a program should look again.
_REFRESH = timedelta(hours=1)

# What stands where nobody may read what is planned.
_SOMETHING = {"sv": "Påminnelse", "en": "Reminder", "fi": "Muistutus"}


def day_of(now: datetime) -> datetime:
    """Return the beginning of the day (UTC) whose window is shown: all day long it is the same."""
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def stream(plan: Plan, day: datetime) -> bytes:
    """Return what a feed answers on `day`: 7 days back and 60 ahead, one VEVENT an occurrence."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//MOS//MOS//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"MOS \N{EN DASH} {plan.name}" if plan.says == "titles" else "MOS")
    calendar.add("refresh-interval", _REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", icalendar.vDuration(_REFRESH))
    for event in events(plan, day):
        calendar.add_component(_component(event, day))
    written: bytes = calendar.to_ical()
    return written


def events(plan: Plan, day: datetime) -> list[Event]:
    """Return what is shown on `day`, by time. What a pause silences is left out."""
    found: list[Event] = []
    start, end = day - _BACK, day + timedelta(days=1) + _AHEAD
    while start < end and len(found) < _MOST_EVENTS:
        stop = min(start + _STRETCH, end)
        found += sorted(_between(plan, start, stop), key=lambda event: (event.at, event.uid))
        start = stop
    return found[:_MOST_EVENTS]


def _between(plan: Plan, start: datetime, end: datetime) -> Iterator[Event]:
    for entry in plan.entries:
        rows, _ = planned(entry.space, entry.reminder, plan.profile, start=start, end=end)
        title = entry.title if plan.says == "titles" and entry.title else _SOMETHING[plan.language]
        for row in rows:
            yield Event(row.occ, title, row.at, row.ends_at, _alarms(row))


def _alarms(row: Planned) -> tuple[timedelta, ...]:
    before = row.first_at - row.at
    at_start = (timedelta(0),) if row.ring_start else ()
    return (before, *at_start) if before else at_start


def _component(event: Event, day: datetime) -> icalendar.Event:
    component = icalendar.Event()
    component.add("uid", event.uid)
    component.add("dtstamp", day)
    component.add("dtstart", event.at)
    if event.ends_at > event.at:
        component.add("dtend", event.ends_at)
    component.add("summary", event.title)
    component.add("class", "PRIVATE")
    # Nobody is busy because somebody else has breakfast.
    component.add("transp", "TRANSPARENT")
    for before in event.alarms:
        alarm = icalendar.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", event.title)
        alarm.add("trigger", before)
        component.add_component(alarm)
    return component

"""From a reminder to the occurrences that will come due. Pure."""

from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from mos.dispatch.model import Planned
from mos.kernel.zones import instant_of
from mos.plan.model.reminder import Profile, Reminder
from mos.plan.model.rule import Occurrence
from mos.plan.rules.grace import grace_minutes
from mos.plan.rules.recurrence import occurrences

_DAY_MINUTES = 24 * 60


def planned(
    space: UUID, reminder: Reminder, profile: Profile, *, start: datetime, end: datetime
) -> tuple[list[Planned], set[str]]:
    """Return what comes due with `start` ≤ at < `end`, and the names of what a pause silences."""
    pauses = (*reminder.rule.pause, *profile.pause)
    rows, silenced = [], set()
    for occurrence in occurrences(replace(reminder.rule, pause=()), start=start, end=end):
        if any(pause.covers(occurrence.day) for pause in pauses):
            silenced.add(f"{reminder.id}@{occurrence.local}")
        else:
            rows.append(_row(space, reminder, occurrence))
    return rows, silenced


def _row(space: UUID, reminder: Reminder, occurrence: Occurrence) -> Planned:
    grace = grace_minutes(
        category=reminder.category,
        criticality=reminder.criticality,
        minutes=reminder.minutes,
        grace=reminder.grace,
    )
    before = timedelta(minutes=reminder.ring.before or 0)
    return Planned(
        space=space,
        occ=f"{reminder.id}@{occurrence.local}",
        reminder=reminder.id,
        at=occurrence.at,
        first_at=occurrence.at - before,
        ends_at=_end(reminder, occurrence),
        category=reminder.category,
        criticality=reminder.criticality,
        checkable=reminder.checkable,
        grace_s=grace * 60,
        ring_start=reminder.ring.start,
        # Without a first ring there is nothing to repeat.
        ring_again=reminder.ring.start and reminder.ring.again,
    )


def _end(reminder: Reminder, occurrence: Occurrence) -> datetime:
    """Return when it ends by the clock on the wall: sleep until 06:00 ends at 06:00 each night."""
    if reminder.minutes == 0:
        return occurrence.at
    hour, minute = int(occurrence.local[11:13]), int(occurrence.local[14:])
    days, minutes = divmod(hour * 60 + minute + reminder.minutes, _DAY_MINUTES)
    day = date.fromisoformat(occurrence.local[:10]) + timedelta(days=days)
    return max(occurrence.at, instant_of(day, minutes, reminder.rule.zone))

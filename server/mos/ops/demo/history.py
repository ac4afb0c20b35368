"""Thirty invented days: which occurrences there were and what happened with each.

Pure: the same residents, plans and moment always give the same history.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from mos.ops.demo.people import Resident
from mos.ops.demo.plans import Planned
from mos.plan.model.rule import Rule
from mos.plan.rules.recurrence import occurrences

DAYS = 30
GRACE = timedelta(minutes=30)
# What stands unanswered is no older than this: longer ago, somebody would have come.
_UNANSWERED_FOR = timedelta(hours=5)
# How often in a morning or an evening something is needed.
_NEEDED = 0.2
# The last hours went well, so that what stands unanswered stands out.
_CALM_FOR = timedelta(hours=14)


@dataclass(frozen=True)
class Reminder:
    """A reminder of the demo, or an order that rings as one: where it lies, and its id and rule."""

    space: UUID
    id: UUID
    planned: Planned
    rule: Rule
    grace: timedelta = GRACE
    # Of an order: the version that doses are signed by.
    ver: UUID | None = None


@dataclass(frozen=True)
class Past:
    """One occurrence that has been. `outcome` None: nobody answered, it was missed."""

    occ: str
    reminder: Reminder
    at: datetime
    outcome: str | None
    answered_at: datetime | None
    by_resident: bool


@dataclass(frozen=True)
class History:
    """What happened, oldest first, and the moment from which on the engine takes over."""

    happened: list[Past]
    until: datetime


def history(resident: Resident, reminders: list[Reminder], now: datetime) -> History:
    """Return what became of the last thirty days, up to `now` (aware).

    What is due within its grace, and what the resident left unanswered, is for the engine to find
    and for a person to answer.
    """
    # A stable seed: `hash()` of a string differs from one start to the next.
    dice = random.Random(resident.key)  # noqa: S311  invents a past, protects nothing
    start = (now - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    found = sorted(
        (
            (occurrence.at, occurrence.local, reminder)
            for reminder in reminders
            for occurrence in occurrences(
                reminder.rule, start=start.astimezone(UTC), end=now - GRACE
            )
        ),
        key=lambda item: item[0],
    )
    recent = [
        item for item in found if item[2].planned.checkable and item[0] > now - _UNANSWERED_FOR
    ]
    left = recent[-resident.unanswered :] if resident.unanswered else []
    kept = [item for item in found if item not in left]
    until = left[0][0] if left else now - GRACE
    return History(list(_happened(resident, kept, dice, now - _CALM_FOR)), until)


def as_needed(key: str, now: datetime) -> list[datetime]:
    """Return when the resident called `key` was given what is given as needed, oldest first.

    At most twice a day, six hours and more apart; `now` is in the home's zone, as what is returned.
    """
    dice = random.Random(f"{key} as needed")  # noqa: S311  invents a past, protects nothing
    given = []
    for back in range(DAYS, -1, -1):
        day = (now - timedelta(days=back)).replace(minute=0, second=0, microsecond=0)
        for hour in (9, 18):
            at = day.replace(hour=hour) + timedelta(minutes=dice.randrange(150))
            if dice.random() < _NEEDED and at < now - GRACE:
                given.append(at)
    return given


def _happened(
    resident: Resident,
    found: list[tuple[datetime, str, Reminder]],
    dice: random.Random,
    calm_from: datetime,
) -> Iterator[Past]:
    for at, local, reminder in found:
        occ = f"{reminder.id}@{local}"
        if not reminder.planned.checkable:
            yield Past(occ, reminder, at, "shown", at, by_resident=False)
            continue
        chance = dice.random()
        if chance < resident.done or at >= calm_from:
            outcome: str | None = "done"
        elif chance < resident.done + resident.refused:
            outcome = dice.choice(("refused", "asleep", "partly"))
        else:
            outcome = None
        wait = timedelta(minutes=min(dice.expovariate(1 / resident.late_minutes), 28))
        length = timedelta(minutes=reminder.planned.minutes * 0.7)
        answered = None if outcome is None else at + max(wait, min(length, timedelta(minutes=25)))
        yield Past(occ, reminder, at, outcome, answered, dice.random() < resident.by_themselves)

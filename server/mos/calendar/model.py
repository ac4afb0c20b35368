"""Words of calendar feeds. Types only."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.plan.model.reminder import Profile, Reminder

# What an event is called: as it is planned, or nothing that tells what it is.
Says = Literal["titles", "plain"]


class Feed(Struct, frozen=True):
    """An address at which calendar programs read a resident's plan, without its secret."""

    id: UUID
    says: Says
    medication: bool
    created_by: UUID
    created_at: datetime
    last_read_at: datetime | None


class Entry(Struct, frozen=True):
    """One thing that is planned, and what it is called."""

    space: UUID
    title: str
    reminder: Reminder


class Plan(Struct, frozen=True):
    """All that a feed shows: whose it is, what is planned, and when it is silent."""

    name: str
    language: str
    says: Says
    profile: Profile
    entries: tuple[Entry, ...]


class Event(Struct, frozen=True):
    """One occurrence as a calendar shows it. Moments are UTC; `alarms` count from `at`."""

    uid: str
    title: str
    at: datetime
    ends_at: datetime
    alarms: tuple[timedelta, ...]

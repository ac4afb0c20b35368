"""Words of looking at the logs. Types only."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from mos.audit.model import Kind, Purpose
from mos.care.model import Cause

# What came of a look at a line that was drawn: nothing is wrong; somebody asks; it was not allowed.
Outcome = Literal["reasonable", "follow_up", "forbidden"]


class Reading(Struct, frozen=True):
    """What somebody may read: all accesses or those of units; and the organisation's chain."""

    everything: bool
    units: frozenset[UUID]
    chain: bool

    @property
    def accesses(self) -> bool:
        """Say whether it is any accesses at all."""
        return self.everything or bool(self.units)


class Access(Struct, frozen=True):
    """A line of the access log, with the names that people have now."""

    id: UUID
    at: datetime
    space: UUID
    resident: str
    unit: str
    account: UUID
    person: str
    role: str
    device: str | None
    kind: Kind
    what: str
    purpose: Purpose


class Seen(Struct, frozen=True):
    """What one person did on one day with one resident's data; moments in UTC."""

    day: date
    person: str
    role: str
    first: datetime
    last: datetime
    read: bool
    changed: bool
    exported: bool
    feed: bool
    emergency: bool
    medication: bool


class SeenPage(Struct, frozen=True):
    """Who has seen a resident's data since a day; `before` asks for what was earlier, if any."""

    since: date
    zone: str
    seen: list[Seen]
    before: date | None


class Line(Struct, frozen=True):
    """A line of an organisation's chain, with names: `device` is the one on which a PIN is."""

    n: int
    at: str
    event: str
    by: UUID | None
    person: str | None
    of: UUID | None
    whom: str | None
    device: str | None
    says: dict[str, Any]


class Month(Struct, frozen=True):
    """A month that was drawn: from how many lines, how many one may see, how many are left."""

    month: date
    lines: int
    drawn: int
    left: int


class Sample(Struct, frozen=True):
    """A line that was drawn, and what came of it. `own`: it is the reader's; another must look."""

    month: date
    entry: Access
    outcome: Outcome | None
    note: str
    reviewer: str | None
    reviewed_at: datetime | None
    own: bool


class Emergency(Struct, frozen=True, kw_only=True):
    """Whom somebody opened in an emergency, why, and what came of the look at it.

    `at` and `until` are instants. `own`: it is the reader's; another must look.
    """

    id: UUID
    person: str
    role: str
    space: UUID
    resident: str
    unit: str
    at: datetime
    until: datetime
    cause: Cause
    reason: str
    outcome: Outcome | None
    note: str
    reviewer: str | None
    reviewed_at: datetime | None
    own: bool


class Named(Struct, frozen=True):
    """Somebody to choose."""

    id: UUID
    name: str
    role: str | None = None


class Choices(Struct, frozen=True):
    """What a reader may look at, and whom they can choose."""

    accesses: bool
    events: bool
    residents: list[Named]
    people: list[Named]

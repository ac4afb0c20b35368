"""Words of making it ring: what is due, what became of it, who is told. Types only."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from mos.kernel.ids import MOS, named_id

# The organisation that does not exist: by its reminder the chain is watched (mos.dispatch.watch).
WATCH = named_id(MOS, "watch/organisation")


class State(StrEnum):
    """Where an occurrence stands (docs/engine.md)."""

    PLANNED = "planned"  # taken early, for the ring before it
    DUE = "due"  # its time has come; no device is known to have rung
    TOLD = "told"  # a device rang, or a push service took the message
    LATE = "late"  # unanswered, a supporter has been told
    MISSED = "missed"  # unanswered when the grace ended
    CLOSED = "closed"  # answered, or over without a need for an answer
    PAUSED = "paused"  # silenced by a pause that came while it was open
    CANCELLED = "cancelled"  # taken out of the plan while it was open


OPEN = frozenset({State.PLANNED, State.DUE, State.TOLD, State.LATE})


class Event(StrEnum):
    """What can happen to an occurrence."""

    RING = "ring"  # its time has come
    TELL = "tell"  # a device is known to be told
    LATE = "late"  # the supporters' first step has come
    MISS = "miss"  # the grace is over
    END = "end"  # it is over, and nobody had to answer
    ANSWER = "answer"  # somebody recorded an outcome
    SNOOZE = "snooze"  # "Påminn igen"
    REOPEN = "reopen"  # the answer was taken back
    CANCEL = "cancel"  # the plan no longer holds it
    PAUSE = "pause"  # a pause silences it
    RESTORE = "restore"  # the plan holds it again


class Planned(Struct, frozen=True, kw_only=True):
    """One occurrence to come, as a domain plans it. `first_at` is `at`, or the ring before it."""

    space: UUID
    occ: str
    reminder: UUID
    at: datetime
    first_at: datetime
    ends_at: datetime
    category: str
    criticality: str
    checkable: bool
    grace_s: int
    ring_start: bool
    ring_again: bool


class PlanScope(Struct, frozen=True, kw_only=True):
    """What a new plan replaces: reminders (space, reminder; None: all of the space) from `since`.

    What is planned before the space's `add_from` is not begun any more, unless it waits already.
    """

    org: UUID
    reminders: list[tuple[UUID, UUID | None]]
    since: datetime
    add_from: dict[UUID, datetime]


class Occurrence(Struct, frozen=True, kw_only=True):
    """One occurrence that the engine has taken. Moments are aware, UTC."""

    org: UUID
    space: UUID
    occ: str
    reminder: UUID
    at: datetime
    ends_at: datetime
    category: str
    criticality: str
    checkable: bool
    grace_s: int
    ring_start: bool
    ring_again: bool
    state: State
    from_at: datetime
    missed_at: datetime
    outcome: str | None = None
    told_at: datetime | None = None
    late_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: UUID | None = None
    snoozed_until: datetime | None = None
    snoozed_by: UUID | None = None
    silent_at: datetime | None = None
    rung: int = 0
    step: int = 0
    next_at: datetime | None = None


class Sign(Struct, frozen=True, kw_only=True):
    """What is known of one device that should ring for an occurrence, if it sends heartbeats."""

    space: UUID
    occ: str
    beat_at: datetime
    # It never closes MOS: it should be heard of all the time.
    kiosk: bool
    # It has said that it rang for this.
    rang: bool


# What is heard of a resident's device: that it rang, that it lives, or only that its push service
# took a message.
Heard = Literal["ring", "beat", "push"]


class Answer(Struct, frozen=True):
    """An outcome that somebody recorded: the completion's op, what and when (by the device)."""

    op: UUID
    outcome: str
    at: datetime


class Audience(StrEnum):
    """Whom a step of the supporters' ladder tells; those of its earlier steps again."""

    PRIMARY = "primary"  # the contact person; where there is none, the unit
    UNIT = "unit"  # whoever helps the whole unit; where nobody does, all
    ON_CALL = "on_call"  # whoever has duty now; where nobody has, the unit
    DECIDERS = "deciders"  # who may decide about it; where nobody may, all
    ALL = "all"  # everyone who may take the resident's alerts


# How a step may say that people are told.
By = Literal["push", "email", "sms", "webhook"]


class Step(Struct, frozen=True):
    """One step of the supporters' ladder, counted from the end of the grace.

    It tells an audience, or one account. `by` empty: by whatever people have chosen.
    """

    tell: Audience | UUID
    after: timedelta
    by: tuple[By, ...] = ()


class Ladder(Struct, frozen=True):
    """Steps that somebody chose, for what: None is every category, or every criticality."""

    category: str | None
    criticality: str | None
    steps: tuple[Step, ...]


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who may take a resident's alerts, as things are at one moment."""

    account: UUID
    is_primary: bool
    covers_unit: bool
    decides: bool
    sees: bool  # may see what the alert is about
    on_duty: bool
    is_quiet: bool
    channels: tuple[By, ...]  # what reaches them; nothing: nobody is told by telling them


class Told(Struct, frozen=True):
    """Somebody whom a step tells. `by` empty: by whatever they have chosen."""

    account: UUID
    by: tuple[By, ...] = ()


AlertKind = Literal["late", "missed", "help", "silent", "conflict", "double", "unentitled"]
ClosedWhy = Literal["outcome", "by_hand", "cancelled"]


class Move(Struct, frozen=True):
    """What becomes of an occurrence, and what is to be done about it."""

    after: Occurrence
    ring: bool = False  # tell the resident's devices
    alerts: tuple[AlertKind, ...] = ()  # open these
    hush: ClosedWhy | None = None  # close its alerts, take back what screens show


class Alert(Struct, frozen=True, kw_only=True):
    """A call for a supporter. `ladder` names its steps, which count from the end of the grace."""

    org: UUID
    space: UUID
    alert: UUID
    kind: AlertKind
    occ: str | None
    ladder: str
    grace_s: int
    from_at: datetime
    opened_at: datetime
    category: str = ""
    criticality: str = "important"
    rung: int = 0
    step: int = 0
    next_at: datetime | None = None
    taken_by: UUID | None = None
    taken_at: datetime | None = None
    handed_to: UUID | None = None
    resumes_at: datetime | None = None
    closed_at: datetime | None = None
    closed_why: ClosedWhy | None = None
    about: dict[str, Any] = {}
    unreached: bool = False  # all that its step sent has failed for good
    steps: list[Any] = []  # as it was last walked, in JSON; empty: not yet
    revision: int = 1
    recorded: dict[str, Any] = {}


class AlertMove(Struct, frozen=True):
    """What becomes of an alert, and the steps up to the one that is told now; none: nobody is."""

    after: Alert
    tell: tuple[Step, ...] = ()

"""What an earlier MOS held, and what becomes of it here. Types only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from mos.care.model import Role


class User(Struct, frozen=True):
    """A row of `app_user`."""

    id: UUID
    email: str
    name: str
    kind: str
    phone: str | None
    active: bool


class Given(Struct, frozen=True):
    """An enabled row of `user_permissions`: what somebody might do for themselves."""

    user: UUID
    permission: str


class Assigned(Struct, frozen=True):
    """A row of `user_assignments`: who cares for whom."""

    caregiver: UUID
    resident: UUID


class OldReminder(Struct, frozen=True):
    """A row of `reminder`. `at` is an instant; `recurrence` is as it lay there."""

    id: UUID
    user: UUID
    kind: str
    category: str
    note: str | None
    at: datetime | None
    recurrence: Any


class Diet(Struct, frozen=True):
    """A row of `meal_requirement`; `text` is the name that somebody chose or typed."""

    id: UUID
    user: UUID
    text: str | None


class Earlier(Struct, frozen=True):
    """All that is read from the earlier database, as of one moment."""

    users: Sequence[User]
    given: Sequence[Given]
    assigned: Sequence[Assigned]
    reminders: Sequence[OldReminder]
    diets: Sequence[Diet]


# `dropped`: it does not come along, somebody must plan it anew. `check`: it comes along, and
# somebody must look at it. `note`: good to know.
Weight = Literal["dropped", "check", "note"]


class Finding(Struct, frozen=True, omit_defaults=True):
    """One line of the report: what of whom is not simply as it was, and why.

    `code` is the sentence's name in `report`; `more` fills its holes; `id` is the row's in the
    earlier database.
    """

    weight: Weight
    code: str
    id: UUID
    who: UUID
    more: dict[str, str] = {}


class NewAccount(Struct, frozen=True):
    """An account to make, for the user `of`."""

    of: UUID
    role: Role
    name: str
    email: str | None
    phone: str | None
    active: bool


class NewRelation(Struct, frozen=True):
    """What the user `of` will be able to do for the resident `space_of`; None: for everybody."""

    of: UUID
    space_of: UUID | None
    permissions: tuple[str, ...]
    is_primary: bool


class NewRecord(Struct, frozen=True):
    """A record to write into the space of the resident `of`; `groups` as docs/records.md has it."""

    of: UUID
    coll: Literal["reminder", "allergy"]
    groups: dict[str, Any]


class Plan(Struct, frozen=True):
    """All that an import will write, and what there is to say of it."""

    accounts: Sequence[NewAccount]
    relations: Sequence[NewRelation]
    records: Sequence[NewRecord]
    findings: Sequence[Finding]

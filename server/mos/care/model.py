"""Words of care: roles, permissions, who acts and what they may reach. Types only."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct


class Role(StrEnum):
    """What a person is in the organisation. It bounds what any relation can give them."""

    RESIDENT = "resident"
    RELATIVE = "relative"
    CAREGIVER = "caregiver"
    NURSE = "nurse"
    MANAGER = "manager"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One thing that a person may do in a resident's space."""

    PLAN_VIEW = "plan.view"
    PLAN_EDIT = "plan.edit"
    OUTCOME_RECORD = "outcome.record"
    ALERT_TAKE = "alert.take"
    MEALS_VIEW = "meals.view"
    MEALS_EDIT = "meals.edit"
    MEDICATION_VIEW = "medication.view"
    MEDICATION_EDIT = "medication.edit"
    MEDICATION_SIGN = "medication.sign"
    STATISTICS_VIEW = "statistics.view"
    LOG_VIEW = "log.view"
    SOUND_CHOOSE = "sound.choose"
    CARE_MANAGE = "care.manage"


class Policy(StrEnum):
    """Whose rules an organisation lives by: a family's own, or those of a care record."""

    FAMILY = "family"
    CARE_RECORD = "care_record"


# How somebody proved who they are. `device`: by a link made for a resident's tablet; `oidc`: at
# their identity provider, which for `oidc_strong` tells of two steps.
Method = Literal[
    "password", "passkey", "totp", "recovery", "oidc", "oidc_strong", "device", "pin", "picture"
]  # fmt: skip


class Actor(Struct, frozen=True, kw_only=True):
    """Who is asking: the account behind a live session, and the device that it was opened on.

    `methods` is how they proved it; `strong_at` when they last did so as well as they can.
    """

    org: UUID
    account: UUID
    role: Role
    session: UUID
    device: UUID | None
    methods: tuple[Method, ...] = ()
    strong_at: datetime | None = None


SpaceKind = Literal["resident", "medication"]

# Why somebody opens a resident who is not theirs: something happened; they cover for a colleague;
# somebody asked them to; something else.
Cause = Literal["urgent", "cover", "asked", "other"]


class Access(Struct, frozen=True):
    """What one account may do in one space, already cut to what its role can ever have."""

    space: UUID
    permissions: frozenset[Permission]
    kind: SpaceKind = "resident"
    of: UUID | None = None  # the resident's space that this one belongs to


class EndedAccess(Struct, frozen=True):
    """What one account might do in one space from `since` until before `until`."""

    space: UUID
    permissions: frozenset[Permission]
    since: datetime
    until: datetime
    kind: SpaceKind = "resident"


class Reach(Struct, frozen=True):
    """What an account may manage: the whole organisation, or some of its units."""

    everything: bool
    units: frozenset[UUID]

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
    CARE_MANAGE = "care.manage"


class Policy(StrEnum):
    """Whose rules an organisation lives by: a family's own, or those of a care record."""

    FAMILY = "family"
    CARE_RECORD = "care_record"


class Actor(Struct, frozen=True, kw_only=True):
    """Who is asking: the account behind a live session, and the device that it was opened on."""

    org: UUID
    account: UUID
    role: Role
    session: UUID
    device: UUID | None


SpaceKind = Literal["resident", "medication"]


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

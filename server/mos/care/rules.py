"""Decisions about people. Pure: no await, no clock, no database."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from mos.care.model import Access, Actor, Permission, Policy, Reach, Role

_P = Permission
_SUPPORT = frozenset(
    {
        _P.PLAN_VIEW,
        _P.PLAN_EDIT,
        _P.OUTCOME_RECORD,
        _P.ALERT_TAKE,
        _P.MEALS_VIEW,
        _P.MEALS_EDIT,
        _P.MEDICATION_VIEW,
        _P.STATISTICS_VIEW,
    }
)

# The one rule table: the most that a role can ever have. A relation gives some of it, never more.
CEILING: dict[Role, frozenset[Permission]] = {
    Role.RESIDENT: frozenset({_P.PLAN_VIEW, _P.OUTCOME_RECORD, _P.MEALS_VIEW, _P.MEDICATION_VIEW}),
    Role.RELATIVE: _SUPPORT | {_P.MEDICATION_EDIT},
    Role.CAREGIVER: _SUPPORT | {_P.MEDICATION_SIGN},
    Role.NURSE: _SUPPORT | {_P.MEDICATION_EDIT, _P.MEDICATION_SIGN},
    Role.MANAGER: _SUPPORT | {_P.CARE_MANAGE},
    # An administrator manages accounts and never sees a resident's content.
    Role.ADMIN: frozenset({_P.CARE_MANAGE}),
    # An auditor reads logs, nothing else.
    Role.AUDITOR: frozenset(),
}

# What residents may do in their own space without any relation.
OWN: frozenset[Permission] = frozenset({_P.PLAN_VIEW, _P.OUTCOME_RECORD})

# Whom a manager may make, change and invite. Managers and administrators are the administrator's.
_MANAGED = frozenset({Role.RESIDENT, Role.RELATIVE, Role.CAREGIVER, Role.NURSE})


def cut(role: Role, words: Iterable[str]) -> frozenset[Permission]:
    """Return the permissions among `words` that `role` can have.

    A word that this release does not know gives nothing.
    """
    return frozenset(permission for permission in CEILING[role] if permission.value in set(words))


def may(actor: Actor, permission: Permission, access: Access) -> bool:
    """Say whether `actor`, whose access to one space is `access`, may do this there."""
    return permission in CEILING[actor.role] and permission in access.permissions


def ceiling(role: Role, policy: Policy) -> frozenset[Permission]:
    """Return what a relation may give `role` in an organisation of this policy.

    In a care record only nurses decide about medication; in a family a relative may.
    """
    if role is Role.RELATIVE and policy is Policy.CARE_RECORD:
        return CEILING[role] - {_P.MEDICATION_EDIT}
    return CEILING[role]


def may_manage_unit(reach: Reach, unit: UUID) -> bool:
    """Say whether people and residents of `unit` are theirs to manage."""
    return reach.everything or unit in reach.units


def may_manage_role(actor: Actor, role: Role) -> bool:
    """Say whether `actor` may make, change or invite accounts of this role."""
    match actor.role:
        case Role.ADMIN:
            return True
        case Role.MANAGER:
            return role in _MANAGED
        case _:
            return False


# A supporter's session ends after two idle weeks, and after a month however busy. A resident's
# tablet must not ask for a password that nobody there knows: it stays while it is used.
_STAFF_IDLE = timedelta(days=14)
_STAFF_TOTAL = timedelta(days=30)
_RESIDENT_IDLE = timedelta(days=60)
# Writing "last seen" at each request would make every read a write.
_SEEN_STEP = timedelta(minutes=1)


def session_end(role: Role, *, created_at: datetime, now: datetime) -> datetime:
    """Return when a session in use at `now` ends unless it is used again."""
    if role is Role.RESIDENT:
        return now + _RESIDENT_IDLE
    return min(now + _STAFF_IDLE, created_at + _STAFF_TOTAL)


def is_seen_due(seen_at: datetime, now: datetime) -> bool:
    """Say whether "last seen" is old enough to be written again."""
    return now - seen_at >= _SEEN_STEP

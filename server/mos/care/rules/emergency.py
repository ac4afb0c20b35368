"""Emergency access: who may open a resident who is not theirs, for how long, with what. Pure."""

from datetime import timedelta

from mos.care.model import Permission, Policy, Role
from mos.care.rules.people import ceiling

# Long enough for what is left of a shift; whoever needs more is given a relation by who manages.
EMERGENCY_LASTS = timedelta(hours=4)

# So often a day one person opens somebody: more is no emergency, or somebody who looks around.
EMERGENCIES_A_DAY = 5

# A reason that says nothing helps nobody who looks at it later.
REASON_LEAST = 10

# To see what is due and to do it. Nothing is planned or decided anew in an emergency.
_GIVES = frozenset(
    {
        Permission.PLAN_VIEW,
        Permission.OUTCOME_RECORD,
        Permission.ALERT_TAKE,
        Permission.MEALS_VIEW,
        Permission.MEDICATION_VIEW,
        Permission.MEDICATION_SIGN,
    }
)

_ROLES = frozenset({Role.CAREGIVER, Role.NURSE})


def may_open(role: Role, policy: Policy) -> bool:
    """Say whether such a person may open somebody in an emergency: who gives care in a care record.

    In a family everybody is related to everybody by choice, and a choice is not gone around.
    """
    return policy is Policy.CARE_RECORD and role in _ROLES


def emergency_gives(role: Role, policy: Policy) -> list[Permission]:
    """Return what it gives a role, in order: never more than the role can have."""
    return sorted(_GIVES & ceiling(role, policy))

"""Decisions about who reads which log. Pure."""

from mos.care.model import Reach, Role
from mos.kernel.errors import Invalid
from mos.review.model import Outcome, Reading

# So many lines of each unit are drawn each month.
DRAWN_EACH = 20


def reading(role: Role, reach: Reach, *, is_steward: bool) -> Reading:
    """Return what somebody of this role may read.

    An auditor reads everything. Whoever manages units reads who saw what in those, for that is
    theirs to answer for. An administrator manages accounts and reads the chain alone; who saw which
    resident is a resident's content, and none of theirs.
    """
    if role is Role.AUDITOR:
        return Reading(everything=True, units=frozenset(), chain=True)
    if role is Role.ADMIN:
        return Reading(everything=False, units=frozenset(), chain=True)
    return Reading(everything=False, units=reach.units, chain=is_steward)


def check_outcome(outcome: Outcome, note: str) -> None:
    """Refuse an outcome that somebody else has to act on, and that says nothing; raises Invalid."""
    if outcome != "reasonable" and not note:
        raise Invalid("Say what is to be followed up.", field="note")

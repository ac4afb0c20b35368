"""Delegations: who may give one, for how long, and who may say that a dose was given. Pure."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from mos.care.model import Permission, Policy, Role
from mos.kernel.errors import Invalid

# What an order can ask for. A delegation may be of something else, too (`other`, in words): no
# order asks for that, and it opens nothing here.
TASKS = (
    "medicine", "insulin", "injection", "drops", "inhalation", "skin", "suppository", "tube",
)  # fmt: skip
ANY_TASK = (*TASKS, "other")

# How many days before its end people are told.
WARNED_DAYS = (30, 7)
# Kept from its end: SOSFS 1997:14.
DELEGATION_KEPT = timedelta(days=3 * 366)
# A delegation is written when it is decided, not long before.
_EARLIEST_BEFORE = timedelta(days=92)
# What somebody knew longer ago is checked again.
_CHECKED_WITHIN = timedelta(days=366)

Lack = Literal["delegation", "sign"]

# Whom the rules of a care provider are for. Residents and relatives take care of themselves and
# their own (egenvård), which nobody delegates to them.
_STAFF = frozenset({Role.CAREGIVER, Role.NURSE, Role.MANAGER})


class Held(Struct, frozen=True):
    """A delegation as far as it holds for one resident: of a task, from until before an instant."""

    task: str
    since: datetime
    until: datetime


def may_delegate(role: Role, policy: Policy) -> bool:
    """Say whether such a person may delegate at all: nurses of a care provider."""
    return policy is Policy.CARE_RECORD and role is Role.NURSE


def may_be_delegated(role: Role) -> bool:
    """Say whether somebody of this role can be given one. A nurse's licence needs none."""
    return role is Role.CAREGIVER


def lack(  # noqa: PLR0913, PLR0917  what decides
    policy: Policy,
    role: Role,
    words: Iterable[str],
    task: str | None,
    held: Iterable[Held],
    at: datetime,
) -> Lack | None:
    """Return what somebody lacked who gave a dose at `at`, or None where they might.

    `words`: what they might do in the space; `task`: which delegation the order asks for, None for
    none; `held`: what holds for that resident.
    """
    if policy is not Policy.CARE_RECORD or role not in _STAFF:
        return None
    if task is not None and role is not Role.NURSE:
        mine = held if may_be_delegated(role) else ()
        if not any(each.task == task and each.since <= at < each.until for each in mine):
            return "delegation"
    return None if Permission.MEDICATION_SIGN.value in words else "sign"


def last_day_at_most(first: date) -> date:
    """Return the last day of a delegation that begins on `first`: a year, and no day more."""
    try:
        again = first.replace(year=first.year + 1)
    except ValueError:
        # It began on 29 February.
        again = date(first.year + 1, 3, 1)
    return again - timedelta(days=1)


def check_span(first: date, last: date, checked_on: date, today: date) -> None:
    """Refuse days that a delegation cannot have. Raises Invalid."""
    if first < today:
        raise Invalid("It cannot begin before today.", field="first")
    if first > today + _EARLIEST_BEFORE:
        raise Invalid("It begins within three months.", field="first")
    if last < first:
        raise Invalid("The last day comes before the first.", field="last")
    if last > last_day_at_most(first):
        raise Invalid("It lasts a year at most.", field="last")
    if not today - _CHECKED_WITHIN <= checked_on <= today:
        raise Invalid(
            "What they know is checked before, within a year.",
            field="checked_on",
        )


def warning(until: datetime, warned_days: int, now: datetime) -> int | None:
    """Return before how many days' end people are to be told now, or None. Each is told once."""
    due = [days for days in WARNED_DAYS if now >= until - timedelta(days=days)]
    if not due or now >= until:
        return None
    nearest = min(due)
    return nearest if warned_days == 0 or nearest < warned_days else None

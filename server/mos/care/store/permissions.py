"""What an account reaches, and what it may do there."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct, structs

from mos.care import rules
from mos.care.model import Access, Actor, EndedAccess, Permission, Policy, Reach, Role, SpaceKind
from mos.care.store.rows import Id, Number, there
from mos.db import Db, Queries

_sql = Queries(__package__, "permissions.sql")


class _Given(Struct, frozen=True):
    space: UUID
    medication: UUID
    words: frozenset[str]
    policy: Policy


class _Had(Struct, frozen=True):
    space: UUID
    of: UUID | None
    words: list[str]
    since: datetime
    until: datetime


_ACCESS = _sql.query("access", _Given)
_ENDED_ACCESS = _sql.query("ended_access", _Had)
_ONCE_REACHED = _sql.query("once_reached", Id)
_MANAGED_UNITS = _sql.query("managed_units", Id)
_STEWARDS = _sql.query("stewards", Number)


async def access(db: Db, actor: Actor, now: datetime) -> list[Access]:
    """Return each space that `actor` may reach at `now` and what they may do there.

    One statement, ordered by space. Spaces where the role leaves nothing are absent.
    """
    given = await db.all(_ACCESS, org=actor.org, account=actor.account, now=now, own=_own(actor))
    # Merged here and not by the database: nearly always there is nothing to merge.
    residents: dict[UUID, _Given] = {}
    for row in given:
        other = residents.get(row.space)
        residents[row.space] = (
            row if other is None else structs.replace(row, words=row.words | other.words)
        )
    cut = [access for row in residents.values() for access in _accesses(actor, row)]
    return sorted((access for access in cut if access.permissions), key=_space)


async def ended_access(
    db: Db, actor: Actor, *, after: datetime, now: datetime
) -> list[EndedAccess]:
    """Return what `actor` might do in which space until it ended, later than `after`.

    Ordered by space. As it was given: a relation never gives more than its person's role of that
    time could have, whatever the role is now.
    """
    had = await db.all(
        _ENDED_ACCESS, org=actor.org, account=actor.account, own=_own(actor), after=after, now=now
    )
    return [
        EndedAccess(
            row.space,
            _words(row),
            row.since,
            row.until,
            _kind(row.of),
        )
        for row in had
    ]


async def once_reached(db: Db, actor: Actor, spaces: Sequence[UUID]) -> list[UUID]:
    """Return which of `spaces` the actor reaches or ever did, in order."""
    rows = await db.all(_ONCE_REACHED, org=actor.org, account=actor.account, spaces=spaces)
    return [row.id for row in rows]


def _accesses(actor: Actor, row: _Given) -> tuple[Access, Access]:
    # Both of a resident's spaces are given the same words.
    words = rules.cut(actor.role, row.policy, row.words)
    orders = rules.words_in("medication", words)
    return Access(row.space, words), Access(row.medication, orders, "medication", row.space)


def _space(access: Access) -> UUID:
    return access.space


def _words(row: _Had) -> frozenset[Permission]:
    words = rules.known(row.words)
    # A relation is to the resident: what it gives of their day means nothing in the other space.
    return words if row.of is None else rules.words_in("medication", words)


def _kind(of: UUID | None) -> SpaceKind:
    return "resident" if of is None else "medication"


def _own(actor: Actor) -> list[str]:
    return [permission.value for permission in rules.OWN] if actor.role is Role.RESIDENT else []


async def reach(db: Db, actor: Actor, now: datetime) -> Reach:
    """Return what `actor` manages at `now`: everything, some units, or nothing."""
    if actor.role is Role.ADMIN:
        return Reach(everything=True, units=frozenset())
    policies = rules.managing_policies(actor.role)
    if not policies:
        return Reach(everything=False, units=frozenset())
    rows = await db.all(
        _MANAGED_UNITS, org=actor.org, account=actor.account, policies=list(policies), now=now
    )
    return Reach(everything=False, units=frozenset(row.id for row in rows))


async def stewards(db: Db, org: UUID, now: datetime, *, account: UUID | None = None) -> int:
    """Return how many accounts can sign in and manage everything, until further notice.

    Only whether `account` does, when it is given.
    """
    policies = list(rules.managing_policies(Role.RELATIVE))
    row = await db.one(_STEWARDS, org=org, policies=policies, account=account, now=now)
    return there(row).number

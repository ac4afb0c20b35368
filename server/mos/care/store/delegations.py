"""Delegations: what a nurse lets a caregiver do, for whom, until when."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from mos.care.model import Policy, Role
from mos.care.rules.delegations import Held
from mos.care.store.emergencies import Choice
from mos.care.store.rows import Id, there
from mos.db import Db, Queries

_sql = Queries(__package__, "delegations.sql")

_MOST = 500


class NewDelegation(Struct, frozen=True, kw_only=True):
    """A row to add."""

    id: UUID
    given_by: UUID
    account: UUID
    task: str
    detail: str
    units: list[UUID]
    spaces: list[UUID]
    valid_from: datetime
    valid_to: datetime
    checked_on: date
    checked_how: str
    renews: UUID | None


class DelegationRow(Struct, frozen=True, kw_only=True):
    """A row with the names that people, units and residents have now."""

    id: UUID
    account: UUID
    person: str
    given_by: UUID
    giver: str
    task: str
    detail: str
    units: list[UUID]
    spaces: list[UUID]
    unit_names: list[str]
    resident_names: list[str]
    valid_from: datetime
    valid_to: datetime
    checked_on: date
    checked_how: str
    given_at: datetime
    renews: UUID | None
    renewed: bool
    ended_at: datetime | None
    ender: str
    ended_why: str
    warned_days: int


class HeldFor(Struct, frozen=True):
    """What an account holds for one resident, by the space of their day."""

    account: UUID
    space: UUID
    task: str
    since: datetime
    until: datetime

    @property
    def held(self) -> Held:
        """Return it as the rules know it."""
        return Held(self.task, self.since, self.until)


class Standing(Struct, frozen=True):
    """Who somebody is, and by whose rules their organisation lives."""

    role: Role
    policy: Policy


class EndedDelegation(Struct, frozen=True):
    """One that ended with its person's role or relation."""

    id: UUID
    account: UUID
    given_by: UUID


class SoonOver(Struct, frozen=True):
    """One that ends within a month."""

    id: UUID
    account: UUID
    given_by: UUID
    valid_to: datetime
    warned_days: int


_ADD = _sql.command("add_delegation")
_DELEGATIONS = _sql.query("delegations", DelegationRow)
_END = _sql.command("end_delegation")
_UNITS = _sql.query("units_to_delegate_in", Choice)
_PEOPLE = _sql.query("people_to_delegate_to", Choice)
_HELD = _sql.query("delegations_held", HeldFor)
_STANDING = _sql.query("role_and_policy", Standing)
_ORGANISATIONS = _sql.query("organisations_that_delegate", Id)
_END_UNREACHED = _sql.query("end_unreached_delegations", EndedDelegation)
_SOON_OVER = _sql.query("delegations_soon_over", SoonOver)
_WARNED = _sql.command("warned")


async def add_delegation(db: Db, org: UUID, new: NewDelegation, now: datetime) -> None:
    """Add a row."""
    await db.run(
        _ADD, org=org, id=new.id, given_by=new.given_by, account=new.account, task=new.task,
        detail=new.detail, units=new.units, spaces=new.spaces, valid_from=new.valid_from,
        valid_to=new.valid_to, checked_on=new.checked_on, checked_how=new.checked_how, now=now,
        renews=new.renews,
    )  # fmt: skip


async def delegations(  # noqa: PLR0913  which
    db: Db,
    org: UUID,
    *,
    units: Sequence[UUID] = (),
    spaces: Sequence[UUID] = (),
    account: UUID | None = None,
    one: UUID | None = None,
) -> list[DelegationRow]:
    """Return those for any of these units or spaces, or to `account`; only `one` where given."""
    return await db.all(
        _DELEGATIONS, org=org, account=account, units=units, spaces=spaces, id=one, limit=_MOST
    )


async def end_delegation(  # noqa: PLR0913  one end
    db: Db, org: UUID, delegation: UUID, *, by: UUID, why: str, now: datetime
) -> bool:
    """End one that holds or will; return whether it did."""
    return await db.run(_END, org=org, id=delegation, by=by, why=why, now=now) > 0


async def units_to_delegate_in(db: Db, org: UUID, account: UUID, now: datetime) -> list[Choice]:
    """Return the units whose medication an account decides about, by name."""
    return await db.all(_UNITS, org=org, account=account, now=now)


async def people_to_delegate_to(
    db: Db, org: UUID, *, units: Sequence[UUID], spaces: Sequence[UUID], now: datetime
) -> list[Choice]:
    """Return the caregivers who help in these units or these residents, by name."""
    return await db.all(_PEOPLE, org=org, units=units, spaces=spaces, now=now)


async def delegations_held(
    db: Db, org: UUID, accounts: Sequence[UUID], spaces: Sequence[UUID], *, after: datetime
) -> list[HeldFor]:
    """Return what accounts hold for residents, by either of their spaces, that ends after then."""
    return await db.all(_HELD, org=org, accounts=accounts, spaces=spaces, after=after)


async def standing(db: Db, org: UUID, account: UUID) -> Standing:
    """Return an account's role and its organisation's policy."""
    row = await db.one(_STANDING, org=org, account=account)
    return there(row)


async def organisations_that_delegate(db: Db, now: datetime) -> list[UUID]:
    """Return where delegations hold, of all organisations."""
    return [row.id for row in await db.all(_ORGANISATIONS, now=now)]


async def end_unreached_delegations(db: Db, org: UUID, now: datetime) -> list[EndedDelegation]:
    """End what is left of people who help nobody of those any more."""
    return await db.all(_END_UNREACHED, org=org, now=now)


async def delegations_soon_over(
    db: Db, org: UUID, *, before: datetime, now: datetime
) -> list[SoonOver]:
    """Return what ends before then and is not renewed, locked; what others hold is left out."""
    return await db.all(_SOON_OVER, org=org, before=before, now=now)


async def delegations_warned(db: Db, org: UUID, told: Sequence[tuple[UUID, int]]) -> None:
    """Remember before how many days' end people were told."""
    await db.run(_WARNED, org=org, ids=[id_ for id_, _ in told], days=[days for _, days in told])

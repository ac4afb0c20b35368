"""Delegations: a nurse lets one caregiver do one medical task, for a year at most.

Swedish law (SOSFS 1997:14, HSLF-FS 2017:37 chapter 9): it is personal, written, of one task, lasts
a year at most, is taken back at once, and is kept three years. What a dose that was given without
one leads to is decided where doses arrive (mos.medication.actions).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from mos.audit import log
from mos.audit.model import Happened
from mos.care import rules, store
from mos.care.actions import permit
from mos.care.actions.news import News
from mos.care.actions.noting import note
from mos.care.actions.step_up import require_step_up
from mos.care.model import Actor, Permission
from mos.db import Db, Scope
from mos.dispatch import store as dispatch
from mos.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from mos.kernel.ids import new_id
from mos.kernel.zones import instant_of, zone

Task = Literal[
    "medicine", "insulin", "injection", "drops", "inhalation", "skin", "suppository", "tube",
    "other",
]  # fmt: skip
Words = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*\Z")]
_Ids = Annotated[list[UUID], Meta(max_length=200)]
_DAY = timedelta(days=1)
_A_WEEK = timedelta(days=7)


class Delegating(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a nurse decides: who may do which task, for whom, on which days, both included.

    `checked_on` and `checked_how`: when and how it was seen that they know it. `detail`: what it is
    limited to; of the task `other`, which it is. `renews`: the delegation before it.
    """

    account: UUID
    task: Task
    detail: Words = ""
    units: _Ids = []
    spaces: _Ids = []
    first: date
    last: date
    checked_on: date
    checked_how: Words
    renews: UUID | UnsetType = UNSET


class Revoking(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a delegation ends before its time."""

    why: Words


class Delegation(Struct, frozen=True, kw_only=True):
    """A delegation; `first` and `last` are its days, `since` and `until` the instants of that."""

    id: UUID
    account: UUID
    person: str
    giver: str
    task: str
    detail: str
    units: list[UUID]
    unit_names: list[str]
    spaces: list[UUID]
    resident_names: list[str]
    first: date
    last: date
    since: datetime
    until: datetime
    checked_on: date
    checked_how: str
    given_at: datetime
    renewed: bool
    ended_at: datetime | None
    ended_by: str
    ended_why: str


class DelegationChoices(Struct, frozen=True):
    """To whom, and for which units or residents (spaces of their days), one may delegate."""

    people: list[store.Choice]
    units: list[store.Choice]
    residents: list[store.Choice]


class _Reach(Struct, frozen=True):
    units: list[store.Choice]
    residents: list[store.Choice]

    @property
    def unit_ids(self) -> list[UUID]:
        return [each.id for each in self.units]

    @property
    def spaces(self) -> list[UUID]:
        return [each.id for each in self.residents]


async def choices(db: Db, actor: Actor, now: datetime) -> DelegationChoices:
    """Return what a nurse chooses from. Raises Forbidden."""
    reach = await _require(db, actor, now)
    people = await store.people_to_delegate_to(
        db, actor.org, units=reach.unit_ids, spaces=reach.spaces, now=now
    )
    return DelegationChoices(people, reach.units, reach.residents)


async def listed(db: Db, actor: Actor, now: datetime) -> list[Delegation]:
    """Return those for whom the actor decides about medication, ended ones too.

    Raises Forbidden.
    """
    reach = await _require(db, actor, now)
    rows = await store.delegations(db, actor.org, units=reach.unit_ids, spaces=reach.spaces)
    return await _shown(db, actor.org, rows)


async def mine(db: Db, actor: Actor) -> list[Delegation]:
    """Return those that the actor was given, ended ones too."""
    rows = await store.delegations(db, actor.org, account=actor.account)
    return await _shown(db, actor.org, rows)


async def delegate(
    db: Db, actor: Actor, wanted: Delegating, now: datetime, *, news: News
) -> Delegation:
    """Give a delegation, or renew one, and tell its person.

    Raises Forbidden, StepUpNeeded, Invalid, or Conflict `not_theirs`: it renews another person's or
    another task's.
    """
    reach = await _require(db, actor, now)
    await require_step_up(db, actor, now)
    org = await store.organisation(db, actor.org)
    rules.check_span(
        wanted.first, wanted.last, wanted.checked_on, now.astimezone(zone(org.zone)).date()
    )
    detail, how = wanted.detail.strip(), wanted.checked_how.strip()
    if not how:
        raise Invalid("Say how it was checked.", field="checked_how")
    if wanted.task == "other" and not detail:
        raise Invalid("Say which task it is.", field="detail")
    if not wanted.units and not wanted.spaces:
        raise Invalid("Choose for whom.", field="units")
    if not set(wanted.units) <= set(reach.unit_ids):
        raise Invalid("You do not decide about medication there.", field="units")
    if not set(wanted.spaces) <= set(reach.spaces):
        raise Invalid("You do not decide about their medication.", field="spaces")
    people = await store.people_to_delegate_to(
        db, actor.org, units=wanted.units, spaces=wanted.spaces, now=now
    )
    if wanted.account == actor.account or wanted.account not in {each.id for each in people}:
        raise Invalid("Choose a caregiver who helps there.", field="account")
    renews = None if wanted.renews is UNSET else wanted.renews
    if renews is not None:
        try:
            before = await _one(db, actor.org, reach, renews)
        except NotFound:
            raise Invalid("There is none to renew.", field="renews") from None
        if (before.account, before.task) != (wanted.account, wanted.task):
            raise Conflict("It is of another person or another task.", code="not_theirs")
    new = store.NewDelegation(
        id=new_id(now), given_by=actor.account, account=wanted.account, task=wanted.task,
        detail=detail, units=sorted(set(wanted.units)), spaces=sorted(set(wanted.spaces)),
        valid_from=instant_of(wanted.first, 0, org.zone),
        valid_to=instant_of(wanted.last + _DAY, 0, org.zone),
        checked_on=wanted.checked_on, checked_how=how, renews=renews,
    )  # fmt: skip
    await store.add_delegation(db, actor.org, new, now)
    note(
        db, actor, "delegation_given", now, of=wanted.account, delegation=new.id, task=wanted.task,
        first=wanted.first.isoformat(), last=wanted.last.isoformat(),
        **({} if renews is None else {"renews": renews}),
    )  # fmt: skip
    await _tell(db, actor.org, f"{new.id}/given", [wanted.account], now)
    news.access(await store.acquainted(db, actor.org, wanted.account))
    [made] = await store.delegations(db, actor.org, account=wanted.account, one=new.id)
    [shown] = await _shown(db, actor.org, [made])
    return shown


async def revoke(  # noqa: PLR0913  one end
    db: Db, actor: Actor, delegation: UUID, wanted: Revoking, now: datetime, *, news: News
) -> None:
    """Take a delegation back, from now on, and tell its person and whoever gave it.

    Any nurse may who decides about medication for any of those whom it is for. Raises Forbidden,
    Invalid, or NotFound: for one that has ended, too.
    """
    reach = await _require(db, actor, now)
    why = wanted.why.strip()
    if not why:
        raise Invalid("Say why.", field="why")
    row = await _one(db, actor.org, reach, delegation)
    if not await store.end_delegation(
        db, actor.org, delegation, by=actor.account, why=why, now=now
    ):
        raise permit.no_such("delegation")
    note(db, actor, "delegation_revoked", now, of=row.account, delegation=delegation)
    told = sorted({row.account, row.given_by} - {actor.account})
    await _tell(db, actor.org, f"{delegation}/ended", told, now)
    news.access(await store.acquainted(db, actor.org, row.account))


async def tend(db: Db, org: UUID, now: datetime) -> None:
    """End what ends with a role or a relation, and tell of what is soon over: each once."""
    for ended in await store.end_unreached_delegations(db, org, now):
        log.note(
            db, org,
            Happened(event="delegation_ended", of=ended.account, says={"delegation": ended.id}),
            now,
        )  # fmt: skip
        await _tell(db, org, f"{ended.id}/ended", [ended.account, ended.given_by], now)
    before = now + timedelta(days=max(rules.WARNED_DAYS))
    soon = await store.delegations_soon_over(db, org, before=before, now=now)
    told: list[tuple[UUID, int]] = []
    for each in soon:
        days = rules.warning(each.valid_to, each.warned_days, now)
        if days is not None:
            told.append((each.id, days))
            await _tell(db, org, f"{each.id}/{days}", [each.account, each.given_by], now)
    await store.delegations_warned(db, org, told)


async def _require(db: Db, actor: Actor, now: datetime) -> _Reach:
    """Let those pass who may delegate somewhere; return where. Raises Forbidden."""
    org = await store.organisation(db, actor.org)
    if not rules.may_delegate(actor.role, org.policy):
        raise Forbidden("Only nurses of a care provider may do this.")
    spaces = [
        access.of
        for access in await store.access(db, actor, now)
        if access.of is not None and rules.may(actor, Permission.MEDICATION_EDIT, access)
    ]
    if not spaces:
        raise Forbidden("Only who decides about medication here may do this.")
    residents = await store.residents_of_spaces(db, actor.org, spaces)
    return _Reach(
        units=await store.units_to_delegate_in(db, actor.org, actor.account, now),
        residents=[store.Choice(each.space, each.name) for each in residents],
    )


async def _one(db: Db, org: UUID, reach: _Reach, delegation: UUID) -> store.DelegationRow:
    found = await store.delegations(
        db, org, units=reach.unit_ids, spaces=reach.spaces, one=delegation
    )
    if not found:
        raise permit.no_such("delegation")
    return found[0]


async def _tell(db: Db, org: UUID, what: str, accounts: Sequence[UUID], now: datetime) -> None:
    # It is about nobody who lives here: it lies where what is the organisation's lies.
    await db.scope(Scope(org, (org,)))
    await dispatch.tell_people(
        db, org, org, f"delegation/{what}", accounts, expires_at=now + _A_WEEK, now=now
    )


async def _shown(db: Db, org: UUID, rows: Sequence[store.DelegationRow]) -> list[Delegation]:
    place = zone((await store.organisation(db, org)).zone)
    return [
        Delegation(
            id=row.id, account=row.account, person=row.person, giver=row.giver, task=row.task,
            detail=row.detail, units=row.units, unit_names=row.unit_names, spaces=row.spaces,
            resident_names=row.resident_names, first=row.valid_from.astimezone(place).date(),
            last=(row.valid_to - timedelta(seconds=1)).astimezone(place).date(),
            since=row.valid_from, until=row.valid_to, checked_on=row.checked_on,
            checked_how=row.checked_how, given_at=row.given_at, renewed=row.renewed,
            ended_at=row.ended_at, ended_by=row.ender, ended_why=row.ended_why,
        )
        for row in rows
    ]  # fmt: skip

"""Writes an import into a new organisation: all of it in one transaction, or nothing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from mos.care import rules, store
from mos.care.actions import first_link
from mos.care.model import Role
from mos.db import Db, Scope
from mos.kernel.ids import named_id, new_id
from mos.ops.import_mos1.model import NewAccount, NewRecord, Plan
from mos.ops.import_mos1.planning import Home, number_of, stewards
from mos.sync.actions import record
from mos.sync.model import SystemChange
from mos.wiring import COLLECTIONS

Item = TypeVar("Item")

# Each statement's policy goes through the spaces in scope for each of its rows.
_RESIDENTS_AT_ONCE = 50
_RECORDS_AT_ONCE = 1000


class Written(Struct, frozen=True):
    """The organisation that was made, and a link of seven days for each who will manage it."""

    org: UUID
    links: dict[str, str]


async def write(
    db: Db,
    plan: Plan,
    home: Home,
    now: datetime,
    *,
    address: str,
    progress: Callable[[int], None] = lambda _: None,
) -> Written:
    """Make the organisation with all that `plan` brings; tell `progress` how many records.

    `address`: where this MOS is reached, as in `https://mos.example.org`. Sets the scope.
    """
    org, unit = new_id(now), new_id(now)
    ids = {account.of: new_id(now) for account in plan.accounts}
    residents = [each for each in plan.accounts if each.role is Role.RESIDENT]
    spaces = {account.of: new_id(now) for account in residents}
    await db.scope(Scope(org))
    founded = store.Organisation(org, home.organisation, home.policy, home.zone, home.language)
    await store.add_organisation(db, founded, now)
    await store.add_unit(db, org, store.Unit(unit, home.unit, home.zone, home.language, None), now)
    await store.add_accounts(db, org, [_account(each, ids, home) for each in plan.accounts], now)
    # Residents' spaces first: what follows stands in them.
    for some in _parts(residents, _RESIDENTS_AT_ONCE):
        await db.scope(Scope(org, tuple(spaces[each.of] for each in some)))
        await db.widen(store.medication_of(spaces[each.of]) for each in some)
        await store.add_residents(
            db, org, [_resident(each, ids, spaces, unit, home, now) for each in some]
        )
    await store.add_relations(db, org, list(_relations(plan, ids, spaces, unit, now)))
    phones = [(ids[each.of], number) for each in plan.accounts if (number := number_of(each))]
    await store.add_phones(db, org, phones, now)
    await _records(db, org, plan, residents, ids, spaces, home, now, progress)
    await db.scope(Scope(org))
    links = {}
    names = {account.of: account.name for account in plan.accounts}
    for of in stewards(plan):
        links[names[of]] = await first_link(db, org, ids[of], now, address=address)
    return Written(org, links)


async def _records(  # noqa: PLR0917  what is written, whose and when
    db: Db,
    org: UUID,
    plan: Plan,
    residents: Sequence[NewAccount],
    ids: dict[UUID, UUID],
    spaces: dict[UUID, UUID],
    home: Home,
    now: datetime,
    progress: Callable[[int], None],
) -> None:
    author = ids[stewards(plan)[0]]
    of: dict[UUID, list[NewRecord]] = {each.of: [] for each in residents}
    for each in plan.records:
        of[each.of].append(each)
    done = 0
    for some in _parts(residents, _RESIDENTS_AT_ONCE):
        changes = [_profile(each, spaces, home) for each in some]
        changes += [_change(r, spaces, author, now) for each in some for r in of[each.of]]
        await db.scope(Scope(org, tuple(spaces[each.of] for each in some)))
        for part in _parts(changes, _RECORDS_AT_ONCE):
            await record(db, org, list(part), now)
            done += len(part)
            progress(done)


def _profile(account: NewAccount, spaces: dict[UUID, UUID], home: Home) -> SystemChange:
    space = spaces[account.of]
    groups = rules.first_profile(name=account.name, flat="", zone=home.zone, language=home.language)
    return SystemChange(
        space=space,
        coll="profile",
        rec=named_id(space, "profile"),
        groups=groups,
        clear=COLLECTIONS["profile"].clear,
    )


def _change(each: NewRecord, spaces: dict[UUID, UUID], author: UUID, now: datetime) -> SystemChange:
    collection = COLLECTIONS[each.coll]
    # What was made anew here must be as if a person had written it.
    collection.check(each.groups)
    by = {"by": str(author)} if collection.kind == "event" else {}
    return SystemChange(
        space=spaces[each.of],
        coll=each.coll,
        rec=new_id(now),
        groups=each.groups | by,
        clear=collection.clear,
    )


def _account(each: NewAccount, ids: dict[UUID, UUID], home: Home) -> store.Account:
    return store.Account(
        ids[each.of], each.role, each.name, each.email, home.language, disabled=not each.active
    )


def _resident(  # noqa: PLR0917  one row's columns
    each: NewAccount,
    ids: dict[UUID, UUID],
    spaces: dict[UUID, UUID],
    unit: UUID,
    home: Home,
    now: datetime,
) -> store.Resident:
    gone = None if each.active else now
    return store.Resident(spaces[each.of], ids[each.of], each.name, "", unit, home.language, gone)


def _relations(
    plan: Plan, ids: dict[UUID, UUID], spaces: dict[UUID, UUID], unit: UUID, now: datetime
) -> Iterator[store.Relation]:
    for each in plan.relations:
        yield store.Relation(
            id=new_id(now),
            account=ids[each.of],
            space=None if each.space_of is None else spaces[each.space_of],
            unit=unit if each.space_of is None else None,
            permissions=list(each.permissions),
            is_primary=each.is_primary,
            consent="",
            valid_from=now,
            valid_to=None,
        )


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]

"""What the app knows of whoever is signed in: themselves, their residents, their people."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from mos.care import store
from mos.care.actions.news import News
from mos.care.actions.profile import lock_profile, record_profile
from mos.care.actions.session_keys import SessionKeys
from mos.care.actions.text import Language, Name, named
from mos.care.model import Access, Actor, Permission, Policy, Role
from mos.db import Db
from mos.kernel.errors import Forbidden, Unauthenticated


class Self(Struct, frozen=True):
    """The signed-in account."""

    id: UUID
    name: str
    role: Role
    language: str


class UnitName(Struct, frozen=True):
    """A unit by name."""

    id: UUID
    name: str


class MyResident(Struct, frozen=True):
    """A resident whom the actor reaches, and what they may do there."""

    space: UUID
    account: UUID
    name: str
    flat: str
    unit: UUID
    permissions: list[Permission]


class MyDelegation(Struct, frozen=True):
    """That somebody may do a medical task for a resident, from `since` until before `until`."""

    account: UUID
    space: UUID
    task: str
    since: datetime
    until: datetime


class SessionBody(Struct, frozen=True):
    """The answer to signing in: all that the app keeps to work offline."""

    account: Self
    organisation: store.Organisation
    units: list[UnitName]
    residents: list[MyResident]
    # Everyone whose name may appear in these residents' spaces.
    people: list[store.Person]
    # Are there people, residents or relations that are theirs to manage?
    manages: bool
    # The device that this session was opened on: only that one synchronises.
    device: UUID | None
    # This session's name, and the key (base64url) with which its device signs what it sends later.
    sid: UUID
    sync_key: str
    demo: bool
    # Whether this device asks who signs before each dose, and who has a PIN to sign with on it.
    asks_signer: bool
    signers: list[store.PinPerson]
    # Of whoever is signed in and of who signs here: what a device without contact goes by.
    delegations: list[MyDelegation]


class AccountChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What people may change about themselves."""

    name: Name | UnsetType = UNSET
    language: Language | UnsetType = UNSET


async def session_body(db: Db, keys: SessionKeys, actor: Actor, now: datetime) -> SessionBody:
    """Return what the app needs to know of the actor at `now`. Nobody's content is in it."""
    account = await store.account(db, actor.org, actor.account)
    if account is None:
        raise Unauthenticated("Sign in again.")
    reached = {access.space: access for access in await store.access(db, actor, now)}
    spaces = list(reached)
    reach = await store.reach(db, actor, now)
    installation = await store.this_installation(db)
    # A resident's own tablet signs nothing for those who help.
    device = None if actor.role is Role.RESIDENT else actor.device
    organisation = await store.organisation(db, actor.org)
    signers = [] if device is None else await store.people_with_pin(db, actor.org, device)
    return SessionBody(
        account=Self(account.id, account.name, account.role, account.language),
        organisation=organisation,
        units=[
            UnitName(unit.id, unit.name)
            for unit in await store.units_of_actor(db, actor, spaces, now)
        ],
        residents=[
            _mine(resident, reached[resident.space])
            for resident in await store.residents_of_spaces(db, actor.org, spaces)
        ],
        people=await store.people(db, actor.org, actor.account, spaces),
        manages=reach.everything or bool(reach.units),
        device=actor.device,
        sid=actor.session,
        sync_key=keys.text(actor.session),
        demo=installation is not None and installation.demo,
        asks_signer=device is not None and await store.asks_signer(db, actor.org, device),
        signers=signers,
        delegations=await _delegations(db, actor, organisation, signers, spaces, now),
    )


async def _delegations(  # noqa: PLR0913, PLR0917  whose, for whom
    db: Db,
    actor: Actor,
    organisation: store.Organisation,
    signers: list[store.PinPerson],
    spaces: list[UUID],
    now: datetime,
) -> list[MyDelegation]:
    if organisation.policy is not Policy.CARE_RECORD or actor.role is Role.RESIDENT:
        return []
    accounts = sorted({actor.account, *(each.account for each in signers)})
    held = await store.delegations_held(db, actor.org, accounts, spaces, after=now)
    return [MyDelegation(row.account, row.space, row.task, row.since, row.until) for row in held]


def _mine(resident: store.Resident, access: Access) -> MyResident:
    return MyResident(
        space=resident.space,
        account=resident.account,
        name=resident.name,
        flat=resident.flat,
        unit=resident.unit,
        permissions=sorted(access.permissions),
    )


async def change_self(  # noqa: PLR0913  one more than five
    db: Db, keys: SessionKeys, actor: Actor, change: AccountChange, now: datetime, *, news: News
) -> SessionBody:
    """Change the actor's own name or language; residents' names are their supporters' to change."""
    if actor.role is Role.RESIDENT and change.name is not UNSET:
        raise Forbidden("Ask one of your supporters to change your name.")
    resident = await store.resident_of_account(db, actor.org, actor.account)
    if resident is not None:
        await lock_profile(db, actor.org, resident.space)
    account = await store.account(db, actor.org, actor.account)
    if account is None:
        raise Unauthenticated("Sign in again.")
    name = account.name if change.name is UNSET else named(change.name)
    language = account.language if change.language is UNSET else change.language
    changed = store.Account(
        account.id, account.role, name, account.email, language, account.disabled
    )
    await store.save_account(db, actor.org, changed, now)
    # Others show the name; the language is this person's alone, on each of their devices.
    renamed = name != account.name
    told = await store.acquainted(db, actor.org, account.id) if renamed else [account.id]
    news.access(told)
    if resident is not None and language != account.language:
        groups = {"language": language}
        news.records(await record_profile(db, actor.org, resident.space, groups, now))
    return await session_body(db, keys, actor, now)

"""Every statement of care, one typed function each. Transaction and scope are the caller's.

Rows double as the answers of the API where the two say the same.
"""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from msgspec import Struct

from mos.care import rules
from mos.care.model import Access, Actor, Permission, Policy, Reach, Role
from mos.db import Db, Queries

_sql = Queries(__package__)
_Row = TypeVar("_Row")


class Organisation(Struct, frozen=True):
    """A care provider or a household."""

    id: UUID
    name: str
    policy: Policy
    zone: str
    language: str


class Unit(Struct, frozen=True):
    """A group home, a ward, or the home itself."""

    id: UUID
    name: str
    zone: str
    language: str
    archived_at: datetime | None


class Account(Struct, frozen=True):
    """A person who can be signed in."""

    id: UUID
    role: Role
    name: str
    email: str | None
    language: str
    disabled: bool


class AccountEntry(Struct, frozen=True):
    """A person as those who manage accounts see them."""

    id: UUID
    role: Role
    name: str
    email: str | None
    language: str
    disabled: bool
    has_password: bool
    # When the newest unused invitation ends, or null.
    invited_until: datetime | None
    units: list[UUID]
    # False for a person who also belongs where the asking manager does not manage.
    within: bool


class Person(Struct, frozen=True):
    """A name that may be shown beside what happened."""

    id: UUID
    name: str
    role: Role


class Resident(Struct, frozen=True):
    """A person whose day is planned."""

    space: UUID
    account: UUID
    name: str
    flat: str
    unit: UUID
    language: str
    archived_at: datetime | None


class Relation(Struct, frozen=True):
    """Who may do what, for one resident (`space`) or for all residents of a unit (`unit`)."""

    id: UUID
    account: UUID
    space: UUID | None
    unit: UUID | None
    permissions: list[str]
    is_primary: bool
    consent: str
    valid_from: datetime
    valid_to: datetime | None


class SessionRow(Struct, frozen=True):
    """A session as its cookie finds it."""

    org: UUID
    session: UUID
    account: UUID
    device: UUID | None
    role: Role
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    revoked: bool
    disabled: bool


class SessionEntry(Struct, frozen=True):
    """One of the actor's own live sessions."""

    id: UUID
    device: UUID | None
    device_name: str
    created_at: datetime
    seen_at: datetime
    current: bool


class Device(Struct, frozen=True):
    """A tablet, phone or computer that rings for one account."""

    id: UUID
    name: str
    app: str
    zone_release: str
    created_at: datetime
    seen_at: datetime
    # Is there a push subscription that still lives?
    push: bool
    ring_test: dict[str, Any] | None


class Subscription(Struct, frozen=True):
    """Where a device's push messages go, and its last ring test."""

    endpoint: str | None
    p256dh: bytes | None
    auth: bytes | None
    ring_test: dict[str, Any] | None


class Invitation(Struct, frozen=True):
    """A one-time link as its token finds it."""

    org: UUID
    invitation: UUID
    account: UUID
    kind: str
    name: str
    role: Role
    email: str | None
    expires_at: datetime
    used: bool


class Known(Struct, frozen=True):
    """The account and the secret behind an e-mail address."""

    org: UUID
    account: UUID
    secret: str
    disabled: bool


class Installation(Struct, frozen=True):
    """Whether this installation is a demo, and whether it has been claimed."""

    demo: bool
    demo_password: str | None
    claimed: bool
    claim_hash: bytes | None


class DemoAccount(Struct, frozen=True):
    """A sign-in that a demo offers. `face` is the picture of a resident's profile, else empty."""

    email: str
    name: str
    role: Role
    face: str


class Named(Struct, frozen=True):
    """What a profile says of who a resident is; None: nothing."""

    space: UUID
    name: str | None
    flat: str | None
    language: str | None


class _Given(Struct, frozen=True):
    space: UUID
    words: list[str]
    policy: Policy


class _Id(Struct, frozen=True):
    id: UUID


class _Number(Struct, frozen=True):
    number: int


class _Secret(Struct, frozen=True):
    secret: str


class _Failures(Struct, frozen=True):
    failures: int


class _Until(Struct, frozen=True):
    locked_until: datetime


# ────────────────────────────────────────────────────────────── what an account reaches

_ACCESS = _sql.query("access", _Given)
_MANAGED_UNITS = _sql.query("managed_units", _Id)
_STEWARDS = _sql.query("stewards", _Number)


async def access(db: Db, actor: Actor, now: datetime) -> list[Access]:
    """Return each space that `actor` may reach at `now` and what they may do there.

    One statement, ordered by space. Spaces where the role leaves nothing are absent.
    """
    own = [permission.value for permission in rules.OWN] if actor.role is Role.RESIDENT else []
    given = await db.all(_ACCESS, org=actor.org, account=actor.account, now=now, own=own)
    cut = (Access(row.space, rules.cut(actor.role, row.policy, row.words)) for row in given)
    return [access for access in cut if access.permissions]


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


async def stewards(db: Db, org: UUID, now: datetime) -> int:
    """Return how many accounts can sign in and manage everything, until further notice."""
    policies = list(rules.managing_policies(Role.RELATIVE))
    row = await db.one(_STEWARDS, org=org, policies=policies, now=now)
    return _there(row).number


# ────────────────────────────────────────────────────────────── the organisation and its units

_ORGANISATION = _sql.query("organisation", Organisation)
_LOCK_ORGANISATION = _sql.query("lock_organisation", Organisation)
_ADD_ORGANISATION = _sql.command("add_organisation")
_UNITS_WITHIN = _sql.query("units_within", Unit)
_UNITS_OF_ACTOR = _sql.query("units_of_actor", Unit)
_UNIT_FOR_UPDATE = _sql.query("unit_for_update", Unit)
_ADD_UNIT = _sql.command("add_unit")
_SAVE_UNIT = _sql.command("save_unit")
_RESIDENTS_IN_UNIT = _sql.query("residents_in_unit", _Number)


async def organisation(db: Db, org: UUID) -> Organisation:
    """Return the organisation of the transaction's scope."""
    row = await db.one(_ORGANISATION, org=org)
    return _there(row)


async def lock_organisation(db: Db, org: UUID) -> Organisation:
    """Return the organisation, and let nobody else who locks it pass until the transaction ends."""
    row = await db.one(_LOCK_ORGANISATION, org=org)
    return _there(row)


async def add_organisation(db: Db, organisation: Organisation, now: datetime) -> None:
    """Add an organisation; the transaction's scope must be this one."""
    await db.run(
        _ADD_ORGANISATION,
        org=organisation.id,
        name=organisation.name,
        policy=organisation.policy.value,
        zone=organisation.zone,
        language=organisation.language,
        now=now,
    )


async def units_within(db: Db, org: UUID, reach: Reach) -> list[Unit]:
    """Return the units within `reach`, archived ones too, by name."""
    return await db.all(
        _UNITS_WITHIN, org=org, everything=reach.everything, units=list(reach.units)
    )


async def units_of_actor(db: Db, actor: Actor, spaces: list[UUID], now: datetime) -> list[Unit]:
    """Return the units that the actor has to do with: all for an administrator."""
    return await db.all(
        _UNITS_OF_ACTOR,
        org=actor.org,
        account=actor.account,
        everything=actor.role is Role.ADMIN,
        spaces=spaces,
        now=now,
    )


async def unit_for_update(db: Db, org: UUID, unit: UUID) -> Unit | None:
    """Return a unit, locked until the transaction ends, or None."""
    return await db.one(_UNIT_FOR_UPDATE, org=org, unit=unit)


async def add_unit(db: Db, org: UUID, unit: Unit, now: datetime) -> None:
    """Add a unit."""
    await db.run(
        _ADD_UNIT,
        org=org,
        unit=unit.id,
        name=unit.name,
        zone=unit.zone,
        language=unit.language,
        now=now,
    )


async def save_unit(db: Db, org: UUID, unit: Unit) -> None:
    """Write a unit's present values."""
    await db.run(
        _SAVE_UNIT,
        org=org,
        unit=unit.id,
        name=unit.name,
        zone=unit.zone,
        language=unit.language,
        archived_at=unit.archived_at,
    )


async def residents_in_unit(db: Db, org: UUID, unit: UUID) -> int:
    """Return how many residents live in a unit."""
    row = await db.one(_RESIDENTS_IN_UNIT, org=org, unit=unit)
    return _there(row).number


# ────────────────────────────────────────────────────────────── accounts and passwords

_ACCOUNTS_WITHIN = _sql.query("accounts_within", AccountEntry)
_ACCOUNT = _sql.query("account", Account)
_ADD_ACCOUNT = _sql.command("add_account")
_SAVE_ACCOUNT = _sql.command("save_account")
_PEOPLE = _sql.query("people", Person)
_PASSWORD = _sql.query("password", _Secret)
_SAVE_PASSWORD = _sql.command("save_password")


async def accounts_within(
    db: Db, org: UUID, reach: Reach, now: datetime, *, account: UUID | None = None
) -> list[AccountEntry]:
    """Return the accounts that someone with this reach sees, by name; only `account` if given."""
    return await db.all(
        _ACCOUNTS_WITHIN,
        org=org,
        everything=reach.everything,
        managed=list(reach.units),
        roles=[role.value for role in rules.MANAGED_ROLES],
        account=account,
        now=now,
    )


async def account(db: Db, org: UUID, account: UUID) -> Account | None:
    """Return one account, or None."""
    return await db.one(_ACCOUNT, org=org, account=account)


async def add_account(db: Db, org: UUID, account: Account, now: datetime) -> None:
    """Add an account. Raises UniqueViolation when the address is taken, in any organisation."""
    await db.run(
        _ADD_ACCOUNT,
        org=org,
        account=account.id,
        role=account.role.value,
        name=account.name,
        email=account.email,
        language=account.language,
        now=now,
    )


async def save_account(db: Db, org: UUID, account: Account, now: datetime) -> None:
    """Write an account's present values. Raises UniqueViolation when the address is taken."""
    await db.run(
        _SAVE_ACCOUNT,
        org=org,
        account=account.id,
        role=account.role.value,
        name=account.name,
        email=account.email,
        language=account.language,
        disabled=account.disabled,
        now=now,
    )


async def people(db: Db, org: UUID, account: UUID, spaces: list[UUID]) -> list[Person]:
    """Return everyone whose name may appear in `spaces`, and the account itself, by name."""
    return await db.all(_PEOPLE, org=org, account=account, spaces=spaces)


async def password(db: Db, org: UUID, account: UUID) -> str | None:
    """Return the stored hash of an account's password, or None."""
    row = await db.one(_PASSWORD, org=org, account=account)
    return row.secret if row else None


async def save_password(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, account: UUID, *, credential: UUID, secret: str, now: datetime
) -> None:
    """Store a password's hash; `credential` is its id if the account had none."""
    await db.run(
        _SAVE_PASSWORD, org=org, account=account, credential=credential, secret=secret, now=now
    )


# ────────────────────────────────────────────────────────────── residents

_RESIDENTS_WITHIN = _sql.query("residents_within", Resident)
_RESIDENTS_OF_SPACES = _sql.query("residents_of_spaces", Resident)
_RESIDENT_FOR_UPDATE = _sql.query("resident_for_update", Resident)
_RESIDENT_OF_ACCOUNT = _sql.query("resident_of_account", Resident)
_ADD_SPACE = _sql.command("add_space")
_ADD_RESIDENT = _sql.command("add_resident")
_SAVE_RESIDENT = _sql.command("save_resident")
_LOCK_SPACE = _sql.query("lock_space", _Id)
_FOLLOW_PROFILES = _sql.command("follow_profiles")


async def residents_within(db: Db, org: UUID, reach: Reach) -> list[Resident]:
    """Return the residents within `reach`, archived ones too, by name."""
    return await db.all(
        _RESIDENTS_WITHIN, org=org, everything=reach.everything, units=list(reach.units)
    )


async def residents_of_spaces(db: Db, org: UUID, spaces: list[UUID]) -> list[Resident]:
    """Return the residents whose spaces these are, by name."""
    return await db.all(_RESIDENTS_OF_SPACES, org=org, spaces=spaces)


async def resident_for_update(db: Db, org: UUID, space: UUID) -> Resident | None:
    """Return a resident, locked until the transaction ends, or None."""
    return await db.one(_RESIDENT_FOR_UPDATE, org=org, space=space)


async def resident_of_account(db: Db, org: UUID, account: UUID) -> Resident | None:
    """Return the resident who is this account, or None."""
    return await db.one(_RESIDENT_OF_ACCOUNT, org=org, account=account)


async def add_resident(db: Db, org: UUID, resident: Resident) -> None:
    """Add a resident and the space of their day; the scope must show the space."""
    await db.run(_ADD_SPACE, org=org, space=resident.space)
    await db.run(
        _ADD_RESIDENT,
        org=org,
        space=resident.space,
        account=resident.account,
        unit=resident.unit,
        flat=resident.flat,
    )


async def save_resident(db: Db, org: UUID, resident: Resident) -> None:
    """Write where a resident lives and whether they are archived."""
    await db.run(
        _SAVE_RESIDENT,
        org=org,
        space=resident.space,
        unit=resident.unit,
        flat=resident.flat,
        archived_at=resident.archived_at,
    )


async def lock_space(db: Db, org: UUID, space: UUID) -> None:
    """Let nobody else write into a space of the scope until the transaction ends."""
    await db.one(_LOCK_SPACE, org=org, space=space)


async def follow_profiles(db: Db, org: UUID, profiles: list[Named]) -> None:
    """Let residents be called, live and speak as their profiles say."""
    await db.run(
        _FOLLOW_PROFILES,
        org=org,
        spaces=[profile.space for profile in profiles],
        names=[profile.name for profile in profiles],
        flats=[profile.flat for profile in profiles],
        languages=[profile.language for profile in profiles],
    )


# ────────────────────────────────────────────────────────────── relations

_RELATIONS_WITHIN = _sql.query("relations_within", Relation)
_RELATION_FOR_UPDATE = _sql.query("relation_for_update", Relation)
_SUPPORTERS = _sql.query("supporters", _Id)
_ADD_RELATION = _sql.command("add_relation")
_SAVE_RELATION = _sql.command("save_relation")
_NO_PRIMARY = _sql.command("no_primary")
_CUT_RELATIONS = _sql.command("cut_relations")
_REMOVE_RELATION = _sql.command("remove_relation")


async def relations_within(db: Db, org: UUID, reach: Reach, now: datetime) -> list[Relation]:
    """Return the relations within `reach` that have not ended at `now`, oldest first."""
    return await db.all(
        _RELATIONS_WITHIN, org=org, everything=reach.everything, units=list(reach.units), now=now
    )


async def relation_for_update(db: Db, org: UUID, relation: UUID) -> Relation | None:
    """Return a relation, locked until the transaction ends, or None."""
    return await db.one(_RELATION_FOR_UPDATE, org=org, relation=relation)


async def supporters(db: Db, org: UUID, space: UUID, units: list[UUID]) -> list[UUID]:
    """Return the accounts that a resident's coming, moving or going concerns, their own too."""
    return [row.id for row in await db.all(_SUPPORTERS, org=org, space=space, units=units)]


async def add_relation(db: Db, org: UUID, relation: Relation) -> None:
    """Add a relation."""
    await db.run(
        _ADD_RELATION,
        org=org,
        relation=relation.id,
        account=relation.account,
        space=relation.space,
        unit=relation.unit,
        permissions=relation.permissions,
        is_primary=relation.is_primary,
        consent=relation.consent,
        valid_from=relation.valid_from,
        valid_to=relation.valid_to,
    )


async def save_relation(db: Db, org: UUID, relation: Relation) -> None:
    """Write what can change in a relation: permissions, contact person, consent, end."""
    await db.run(
        _SAVE_RELATION,
        org=org,
        relation=relation.id,
        permissions=relation.permissions,
        is_primary=relation.is_primary,
        consent=relation.consent,
        valid_to=relation.valid_to,
    )


async def no_primary(db: Db, org: UUID, space: UUID, *, but: UUID) -> None:
    """Take the contact person's mark from every relation to this resident except `but`."""
    await db.run(_NO_PRIMARY, org=org, space=space, relation=but)


async def cut_relations(
    db: Db, org: UUID, account: UUID, now: datetime, *, kept: frozenset[Permission]
) -> None:
    """Leave an account's live relations only what is in `kept`; end those left with nothing."""
    await db.run(_CUT_RELATIONS, org=org, account=account, kept=sorted(kept), now=now)


async def remove_relation(db: Db, org: UUID, relation: UUID) -> None:
    """Remove a relation that never began."""
    await db.run(_REMOVE_RELATION, org=org, relation=relation)


# ────────────────────────────────────────────────────────────── invitations

_INVITATION_LOOKUP = _sql.query("invitation_lookup", Invitation)
_ADD_INVITATION = _sql.command("add_invitation")
_VOID_INVITATIONS = _sql.command("void_invitations")
_USE_INVITATION = _sql.command("use_invitation")


async def invitation_lookup(db: Db, token_hash: bytes) -> Invitation | None:
    """Return the invitation behind a token's hash, whatever its state, or None. Needs no scope."""
    return await db.one(_INVITATION_LOOKUP, token_hash=token_hash)


async def add_invitation(  # noqa: PLR0913  one row's columns
    db: Db,
    org: UUID,
    *,
    invitation: UUID,
    account: UUID,
    kind: str,
    token_hash: bytes,
    created_by: UUID,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Add an invitation."""
    await db.run(
        _ADD_INVITATION,
        org=org,
        invitation=invitation,
        account=account,
        kind=kind,
        token_hash=token_hash,
        created_by=created_by,
        now=now,
        expires_at=expires_at,
    )


async def void_invitations(db: Db, org: UUID, account: UUID, now: datetime) -> None:
    """End every unused invitation of an account."""
    await db.run(_VOID_INVITATIONS, org=org, account=account, now=now)


async def use_invitation(db: Db, org: UUID, invitation: UUID, now: datetime) -> bool:
    """Mark an invitation as used; False when somebody was faster or it has ended."""
    return await db.run(_USE_INVITATION, org=org, invitation=invitation, now=now) == 1


# ────────────────────────────────────────────────────────────── sessions

_SESSION_LOOKUP = _sql.query("session_lookup", SessionRow)
_SESSION_SEEN = _sql.command("session_seen")
_SESSIONS_OF_ACTOR = _sql.query("sessions_of_actor", SessionEntry)
_ADD_SESSION = _sql.command("add_session")
_MOVE_SESSION = _sql.command("move_session")
_END_SESSION = _sql.command("end_session")
_END_SESSIONS = _sql.command("end_sessions")
_SILENCE_SIGNED_OUT = _sql.command("silence_signed_out")
_END_SESSIONS_OF_DEVICE = _sql.command("end_sessions_of_device")
_DEVICE_HOLDER = _sql.query("device_holder", _Id)


async def session_lookup(db: Db, token_hash: bytes) -> SessionRow | None:
    """Return the session whose cookie hashes to `token_hash`, live or not. Needs no scope."""
    return await db.one(_SESSION_LOOKUP, token_hash=token_hash)


async def session_seen(db: Db, row: SessionRow, now: datetime, expires_at: datetime) -> None:
    """Remember that the session is in use at `now` and ends at `expires_at`."""
    await db.run(_SESSION_SEEN, org=row.org, session=row.session, now=now, expires_at=expires_at)


async def sessions_of_actor(db: Db, actor: Actor, now: datetime) -> list[SessionEntry]:
    """Return the actor's live sessions, the latest used first."""
    return await db.all(
        _SESSIONS_OF_ACTOR, org=actor.org, account=actor.account, session=actor.session, now=now
    )


async def add_session(
    db: Db, actor: Actor, *, token_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    """Add the session that `actor` describes."""
    await db.run(
        _ADD_SESSION,
        org=actor.org,
        session=actor.session,
        account=actor.account,
        device=actor.device,
        token_hash=token_hash,
        now=now,
        expires_at=expires_at,
    )


async def move_session(db: Db, actor: Actor, device: UUID, now: datetime) -> None:
    """Let the actor's session be `device`'s; the one that it leaves gets no pushes any more."""
    await db.run(_MOVE_SESSION, org=actor.org, session=actor.session, device=device)
    await db.run(_SILENCE_SIGNED_OUT, org=actor.org, account=actor.account, now=now)


async def end_session(db: Db, org: UUID, account: UUID, session: UUID, now: datetime) -> bool:
    """End one of an account's sessions, and its device's pushes; False when it was not live."""
    ended = await db.run(_END_SESSION, org=org, account=account, session=session, now=now)
    await db.run(_SILENCE_SIGNED_OUT, org=org, account=account, now=now)
    return ended == 1


async def end_sessions(
    db: Db, org: UUID, account: UUID, now: datetime, *, kept: UUID | None = None
) -> None:
    """End all of an account's sessions but `kept`, and their devices' pushes."""
    await db.run(_END_SESSIONS, org=org, account=account, now=now, kept=kept)
    await db.run(_SILENCE_SIGNED_OUT, org=org, account=account, now=now)


async def end_sessions_of_device(db: Db, org: UUID, device: UUID, now: datetime) -> None:
    """End every session that was opened on a device."""
    await db.run(_END_SESSIONS_OF_DEVICE, org=org, device=device, now=now)


async def device_holder(
    db: Db, org: UUID, device: UUID, *, account: UUID, now: datetime
) -> UUID | None:
    """Return the live session that somebody other than `account` has on a device, or None."""
    row = await db.one(_DEVICE_HOLDER, org=org, device=device, account=account, now=now)
    return row.id if row else None


# ────────────────────────────────────────────────────────────── devices

_DEVICES_OF_ACCOUNT = _sql.query("devices_of_account", Device)
_TAKE_DEVICE = _sql.command("take_device")
_DEVICE_SEEN = _sql.command("device_seen")
_SAVE_PUSH = _sql.command("save_push")
_FORGET_PUSH = _sql.command("forget_push")
_FORGET_PUSH_ELSEWHERE = _sql.command("forget_push_elsewhere")
_PUSH_GONE = _sql.command("push_gone")
_SUBSCRIPTION_FOR_UPDATE = _sql.query("subscription_for_update", Subscription)
_SAVE_RING_TEST = _sql.command("save_ring_test")
_REVOKE_DEVICE = _sql.command("revoke_device")


async def devices_of_account(db: Db, org: UUID, account: UUID) -> list[Device]:
    """Return the devices that ring for an account, the latest heard of first."""
    return await db.all(_DEVICES_OF_ACCOUNT, org=org, account=account)


async def take_device(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, device: UUID, *, account: UUID, name: str, now: datetime
) -> None:
    """Let a device, new or known, ring for `account`."""
    await db.run(_TAKE_DEVICE, org=org, device=device, account=account, name=name, now=now)


async def device_seen(  # noqa: PLR0913  one row's columns
    db: Db, actor: Actor, device: UUID, *, name: str, app: str, zone_release: str, now: datetime
) -> bool:
    """Remember a heartbeat of one of the actor's devices; False when it is none of theirs."""
    seen = await db.run(
        _DEVICE_SEEN,
        org=actor.org,
        account=actor.account,
        device=device,
        name=name,
        app=app,
        zone_release=zone_release,
        now=now,
    )
    return seen == 1


async def save_push(  # noqa: PLR0913  one row's columns
    db: Db,
    actor: Actor,
    device: UUID,
    *,
    endpoint: str,
    p256dh: bytes,
    auth: bytes,
    now: datetime,
) -> bool:
    """Store where a device's pushes go, and nowhere else; False when it is none of the actor's."""
    saved = await db.run(
        _SAVE_PUSH,
        org=actor.org,
        account=actor.account,
        device=device,
        endpoint=endpoint,
        p256dh=p256dh,
        auth=auth,
        now=now,
    )
    if saved:
        await db.run(_FORGET_PUSH_ELSEWHERE, org=actor.org, device=device, endpoint=endpoint)
    return saved == 1


async def forget_push(db: Db, actor: Actor, device: UUID) -> bool:
    """Forget a device's push subscription; False when it is none of the actor's."""
    return await db.run(_FORGET_PUSH, org=actor.org, account=actor.account, device=device) == 1


async def push_gone(db: Db, org: UUID, device: UUID, now: datetime) -> None:
    """Remember that the push service no longer knows the subscription."""
    await db.run(_PUSH_GONE, org=org, device=device, now=now)


async def subscription_for_update(db: Db, actor: Actor, device: UUID) -> Subscription | None:
    """Return a device's subscription and ring test, locked, or None if it is not the actor's."""
    return await db.one(
        _SUBSCRIPTION_FOR_UPDATE, org=actor.org, account=actor.account, device=device
    )


async def save_ring_test(db: Db, actor: Actor, device: UUID, ring_test: dict[str, Any]) -> None:
    """Store what is known of a device's ring test."""
    await db.run(
        _SAVE_RING_TEST, org=actor.org, account=actor.account, device=device, ring_test=ring_test
    )


async def revoke_device(db: Db, actor: Actor, device: UUID, now: datetime) -> bool:
    """End a device; False when it is none of the actor's."""
    ended = await db.run(
        _REVOKE_DEVICE, org=actor.org, account=actor.account, device=device, now=now
    )
    return ended == 1


# ────────────────────────────────────────────────────────────── before the organisation is known

_THIS_INSTALLATION = _sql.query("this_installation", Installation)
_DEMO_ACCOUNTS = _sql.query("demo_accounts", DemoAccount)
_OFFER_CLAIM = _sql.command("offer_claim")
_CLAIM = _sql.command("claim")
_SIGN_IN_LOOKUP = _sql.query("sign_in_lookup", Known)
_COUNT_TRY = _sql.query("count_try", _Failures)
_LOCKED_UNTIL = _sql.query("locked_until", _Until)
_LOCK_UNTIL = _sql.command("lock_until")
_FORGET_TRIES = _sql.command("forget_tries")
_TAKE_BACK_TRY = _sql.command("take_back_try")
_FORGET_OLD_TRIES = _sql.command("forget_old_tries")


async def this_installation(db: Db) -> Installation | None:
    """Return this installation's state, or None before `mos` has prepared it."""
    return await db.one(_THIS_INSTALLATION)


async def demo_accounts(db: Db) -> list[DemoAccount]:
    """Return the sign-ins that a demo offers; none in any other installation."""
    return await db.all(_DEMO_ACCOUNTS)


async def offer_claim(db: Db, claim_hash: bytes) -> bool:
    """Let the holder of a token claim the installation; False when it is claimed already."""
    return await db.run(_OFFER_CLAIM, claim_hash=claim_hash) == 1


async def claim(db: Db, claim_hash: bytes, now: datetime) -> bool:
    """Claim the installation; False when the token is wrong or somebody was faster."""
    return await db.run(_CLAIM, claim_hash=claim_hash, now=now) == 1


async def sign_in_lookup(db: Db, email: str) -> Known | None:
    """Return the account with a password behind an address in lower case, or None."""
    return await db.one(_SIGN_IN_LOOKUP, email=email)


async def count_try(db: Db, key: bytes, now: datetime) -> int | None:
    """Count one try for `key` and return how many there were; None while it is locked."""
    row = await db.one(_COUNT_TRY, key=key, now=now, forgotten=now - rules.TRIES_REMEMBERED)
    return row.failures if row else None


async def locked_until(db: Db, key: bytes) -> datetime | None:
    """Return when a key's lock ends, or None."""
    row = await db.one(_LOCKED_UNTIL, key=key)
    return row.locked_until if row else None


async def lock_until(db: Db, key: bytes, until: datetime) -> None:
    """Lock a key that has been counted."""
    await db.run(_LOCK_UNTIL, key=key, until=until)


async def forget_tries(db: Db, key: bytes) -> None:
    """Forget all tries of a key."""
    await db.run(_FORGET_TRIES, key=key)


async def take_back_try(db: Db, key: bytes, *, free: int) -> None:
    """Count one try less for a key, and lift the lock unless more than `free` tries earned it."""
    await db.run(_TAKE_BACK_TRY, key=key, free=free)


async def forget_old_tries(db: Db, now: datetime) -> None:
    """Drop some of what is too old to count; called at each try, the table holds a day of them."""
    await db.run(_FORGET_OLD_TRIES, now=now, forgotten=now - rules.TRIES_REMEMBERED)


def _there(row: _Row | None) -> _Row:
    if row is None:
        raise LookupError("the scope shows no such row")
    return row

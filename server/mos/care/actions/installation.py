"""An empty installation, and how somebody becomes the first who manages it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

import mos
from mos.care import rules, store
from mos.care.actions.doorkeeper import Doorkeeper
from mos.care.actions.noting import note
from mos.care.actions.sessions import Bearer, Opened, Where, open_session
from mos.care.actions.text import Email, Language, Name, Password, Token, Zone, known_zone, named
from mos.care.actions.tokens import new_token, token_hash
from mos.care.model import Policy
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Forbidden
from mos.kernel.ids import new_id


class InstallationBody(Struct, frozen=True, omit_defaults=True):
    """What anybody may know before signing in. The two of the demo are there in a demo only."""

    claimed: bool
    demo: bool
    version: str
    # The host whose passkeys can be used; absent where browsers make none.
    passkeys: str | None = None
    # The identity providers by which people of an organisation sign in; absent where none has one.
    providers: list[store.ProviderOffer] | None = None
    demo_accounts: list[store.DemoAccount] | None = None
    demo_password: str | None = None


class NewOrganisation(Struct, frozen=True, forbid_unknown_fields=True):
    """The care provider or household that is founded."""

    name: Name
    policy: Literal["family", "care_record"]
    zone: Zone
    language: Language


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """The token that `mos up` printed, the organisation, and who founds it."""

    token: Token
    organisation: NewOrganisation
    name: Name
    email: Email
    password: Password
    device_id: UUID
    device_name: Name | None = None


async def new_claim_token(db: Db, now: datetime) -> str:  # noqa: ARG001  kept for an expiry
    """Return a fresh token that claims this installation; the one before it opens nothing any more.

    Raises Conflict when the installation is claimed. Needs no scope.
    """
    token = new_token()
    if not await store.offer_claim(db, token_hash(token)):
        raise Conflict("This installation has been claimed.", code="claimed")
    return token


async def installation(db: Db, door: Doorkeeper) -> InstallationBody:
    """Return what the sign-in page needs to know."""
    row = await store.this_installation(db)
    demo = row is not None and row.demo
    return InstallationBody(
        claimed=row is not None and row.claimed,
        demo=demo,
        version=mos.__version__,
        passkeys=door.party.id if door.party else None,
        providers=await store.identity_providers(db) or None,
        demo_accounts=await store.demo_accounts(db) if demo else None,
        demo_password=row.demo_password if row is not None else None,
    )


async def claim(
    pool: Pool, door: Doorkeeper, wanted: Claim, *, cookie: str | None, now: datetime
) -> Opened:
    """Found the organisation and sign its founder in: a family's relative, else an administrator.

    Raises Conflict when it has been claimed, Forbidden for a wrong token, Invalid for the rest.
    """
    founded = _organisation(wanted.organisation, now)
    name, email = named(wanted.name), wanted.email.lower()
    rules.check_password(wanted.password, email=email, name=name)
    await _require_token(pool, wanted.token)
    secret = await door.passwords.hash(wanted.password)
    role = rules.founding_role(founded.policy)
    founder = store.Account(new_id(now), role, name, email, founded.language, disabled=False)
    async with pool.transaction(Scope(org=founded.id)) as db:
        if not await store.claim(db, token_hash(wanted.token), now):
            raise _claimed()
        await _found(db, founded, founder, now)
        await store.save_password(
            db, founded.id, founder.id, credential=new_id(now), secret=secret, now=now
        )
        where = Where(wanted.device_id, wanted.device_name or "", cookie)
        bearer = Bearer(founded.id, founder.id, founder.role)
        opened = await open_session(db, bearer, where, now, by=("password",))
        note(db, opened.actor, "claimed", now, policy=founded.policy)
        return opened


async def _require_token(pool: Pool, token: str) -> None:
    async with pool.transaction() as db:
        row = await store.this_installation(db)
    if row is None or row.claimed:
        raise _claimed()
    if row.claim_hash != token_hash(token):
        raise Forbidden("This token does not open this installation.", code="claim_token")


async def _found(
    db: Db, organisation: store.Organisation, founder: store.Account, now: datetime
) -> None:
    await store.add_organisation(db, organisation, now)
    await store.add_account(db, organisation.id, founder, now)
    if organisation.policy is Policy.FAMILY:
        # A household has one unit: itself.
        home = store.Unit(
            new_id(now), organisation.name, organisation.zone, organisation.language, None
        )
        await store.add_unit(db, organisation.id, home, now)
        await store.add_relation(db, organisation.id, _head_of(home, founder, now))


def _head_of(home: store.Unit, founder: store.Account, now: datetime) -> store.Relation:
    # Nobody stands above a family: who sets MOS up both manages it and helps.
    return store.Relation(
        id=new_id(now),
        account=founder.id,
        space=None,
        unit=home.id,
        permissions=sorted(rules.ceiling(founder.role, Policy.FAMILY)),
        is_primary=False,
        consent="",
        valid_from=now,
        valid_to=None,
    )


def _organisation(wanted: NewOrganisation, now: datetime) -> store.Organisation:
    return store.Organisation(
        id=new_id(now),
        name=named(wanted.name, field="organisation.name"),
        policy=Policy(wanted.policy),
        zone=known_zone(wanted.zone, field="organisation.zone"),
        language=wanted.language,
    )


def _claimed() -> Conflict:
    return Conflict("This installation has been claimed.", code="claimed")

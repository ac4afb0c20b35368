"""In by the provider: to an account that is there, and that its word for the person opens.

Which account that is was said once: by whoever was signed in to it, by a link that was made for
it, or, where the organisation lets that be, by an address that the provider has verified. No
account is made here, and a disabled one stays shut.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from mos.audit import log
from mos.audit.model import Happened
from mos.care import store
from mos.care.actions.doorkeeper import forgiven, require_client
from mos.care.actions.invitations import gone, live
from mos.care.actions.noting import note_failed
from mos.care.actions.oidc import trips
from mos.care.actions.oidc.asking import (
    Answer,
    Away,
    Desk,
    Told,
    hear,
    leave,
    provider_of,
    verified_email,
)
from mos.care.actions.oidc.trips import Packed, Trip
from mos.care.actions.second_factor import Door, SecondCode, note_recovery, second_step
from mos.care.actions.sessions import Bearer, Opened, Where, open_session
from mos.care.actions.sign_in import destination
from mos.care.actions.text import Token
from mos.care.model import Method
from mos.db import Db, Scope, UniqueViolation
from mos.kernel.errors import Invalid, Unauthenticated


class Knock(Struct, frozen=True):
    """One return to the door; `client` is the network address that it comes from."""

    cookie: str | None
    answer: Answer
    client: str
    where: Where


class Half(Struct, frozen=True):
    """Who it was is known, and a code is asked for beside: the ticket goes along with it."""

    ticket: str


Ticket = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[A-Za-z0-9_.-]+\Z")]


async def begin(desk: Desk, organisation: UUID | None, device: UUID) -> Away:
    """Return where somebody goes to sign in; raises Invalid or Conflict.

    `organisation` need not be named while there is only one.
    """
    async with desk.pool.transaction() as db:
        org, _ = await destination(db, organisation)
    async with desk.pool.transaction(Scope(org=org)) as db:
        provider = await provider_of(db, org)
    return await leave(desk, org, _trip(desk, "enter", org, provider, device=device), provider)


async def begin_by_link(desk: Desk, token: Token, device: UUID) -> Away:
    """Return where somebody goes who was invited; raises NotFound, Invalid or Conflict."""
    async with desk.pool.transaction() as db:
        found = await live(db, token, desk.now)
    if found.kind != "password":
        raise Invalid("This link signs a tablet in.", field="token")
    async with desk.pool.transaction(Scope(org=found.org)) as db:
        provider = await provider_of(db, found.org)
    trip = _trip(
        desk,
        "accept",
        found.org,
        provider,
        device=device,
        invitation=found.invitation,
        account=found.account,
    )
    return await leave(desk, found.org, trip, provider)


async def finish(desk: Desk, knock: Knock) -> Opened | Half:
    """Open a session for whom the provider names; raises Unauthenticated, Conflict or TooMany."""
    await require_client(desk.pool, desk.door, knock.client, desk.now)
    async with desk.pool.transaction() as db:
        packed = await trips.come_back(
            db,
            desk.door,
            knock.cookie,
            state=knock.answer.state,
            kinds=("enter", "accept"),
            now=desk.now,
        )
    trip = packed.trip
    if trip.device != knock.where.device:
        raise trips.ended()
    told = await hear(desk, packed, knock.answer)
    account = await _whose(desk, trip, told)
    if account is None:
        async with desk.pool.transaction(Scope(org=trip.org)) as db:
            note_failed(db, trip.org, None, "oidc", desk.now)
        raise Unauthenticated("Nobody here is linked to this sign-in.", code="identity_unknown")
    by: Method = "oidc_strong" if told.is_assured else "oidc"
    if not told.is_assured:
        try:
            at = Door(trip.org, account, by_link=trip.kind == "accept")
            await second_step(desk.pool, desk.door, at, None, desk.now)
        except Unauthenticated as error:
            if error.code != "code_needed":
                raise
            return _half(desk, packed, account)
    async with desk.pool.transaction(Scope(org=trip.org)) as db:
        opened = await _enter(db, trip.org, account, knock.where, desk.now, by=(by,))
        await forgiven(db, desk.door, knock.client)
    return opened


async def with_code(desk: Desk, ticket: str, code: SecondCode, where: Where) -> Opened:
    """Open a session for whoever came from the provider, and has the code, too.

    Raises Unauthenticated, Conflict or TooMany.
    """
    packed = trips.unpack(desk.door, ticket, ("half",), desk.now)
    trip = packed.trip
    if trip.account is None or trip.device != where.device:
        raise trips.ended()
    beside = await second_step(desk.pool, desk.door, Door(trip.org, trip.account), code, desk.now)
    by: tuple[Method, ...] = ("oidc", beside) if beside else ("oidc",)
    async with desk.pool.transaction(Scope(org=trip.org)) as db:
        is_linked = await store.identity_of(db, trip.org, trip.account) is not None
        if not is_linked or not await trips.spend(db, packed, desk.now):
            raise trips.ended()
        return await _enter(db, trip.org, trip.account, where, desk.now, by=by)


async def _enter(  # noqa: PLR0913  who, where, when and by what
    db: Db, org: UUID, whom: UUID, where: Where, now: datetime, *, by: tuple[Method, ...]
) -> Opened:
    account = await store.account(db, org, whom)
    if account is None or account.disabled:
        raise Unauthenticated("Nobody here is linked to this sign-in.", code="identity_unknown")
    await store.identity_used(db, org, whom, now)
    opened = await open_session(db, Bearer(org, account.id, account.role), where, now, by=by)
    note_recovery(db, opened.actor, now)
    return opened


async def _whose(desk: Desk, trip: Trip, told: Told) -> UUID | None:
    """Return the account that an identity opens, linked just now or before; None: none does."""
    issuer = told.provider.issuer
    async with desk.pool.transaction(Scope(org=trip.org)) as db:
        known = await store.identity_by_subject(db, trip.org, issuer, told.subject_hash)
    if trip.invitation is not None:
        return await _invited(desk, trip, told, known.account if known else None)
    if known is not None:
        async with desk.pool.transaction(Scope(org=trip.org)) as db:
            account = await store.account(db, trip.org, known.account)
        return known.account if account is not None and not account.disabled else None
    if not told.provider.by_email:
        return None
    email = await verified_email(desk, told)
    return await _by_email(desk, trip.org, told, email) if email else None


async def _by_email(desk: Desk, org: UUID, told: Told, email: str) -> UUID | None:
    try:
        async with desk.pool.transaction(Scope(org=org)) as db:
            account = await store.account_by_email(db, org, email)
            if account is None or account.disabled:
                return None
            if await store.identity_of(db, org, account.id) is not None:
                # An address that was given to somebody else opens nothing of whoever had it.
                return None
            await _link(db, org, account.id, told, way="email", now=desk.now)
            return account.id
    except UniqueViolation:
        return None


async def _invited(desk: Desk, trip: Trip, told: Told, known: UUID | None) -> UUID | None:
    """Use a link by what the provider says: for its own person alone."""
    if trip.invitation is None or trip.account is None or trip.device is None:
        return None
    async with desk.pool.transaction(Scope(org=trip.org)) as db:
        account = await store.account(db, trip.org, trip.account)
        if account is None or account.disabled or known not in {None, account.id}:
            return None
        if not await store.use_invitation(
            db, trip.org, trip.invitation, device=trip.device, now=desk.now
        ):
            raise gone()
        await store.void_invitations(db, trip.org, account.id, desk.now)
        if known is None:
            await _link(db, trip.org, account.id, told, way="invitation", now=desk.now)
    return account.id


async def _link(  # noqa: PLR0913  whom to what, how and when
    db: Db, org: UUID, account: UUID, told: Told, *, way: store.LinkWay, now: datetime
) -> None:
    await store.link_identity(
        db,
        org,
        account,
        issuer=told.provider.issuer,
        subject_hash=told.subject_hash,
        way=way,
        now=now,
    )
    log.note(db, org, Happened(event="identity_linked", of=account, says={"way": way}), now)


def _half(desk: Desk, packed: Packed, account: UUID) -> Half:
    trip = packed.trip
    half = Trip(
        kind="half",
        org=trip.org,
        provider=trip.provider,
        begun=int(desk.now.timestamp()),
        random=trips.random(),
        device=trip.device,
        account=account,
    )
    return Half(trips.pack(desk.door, half).cookie)


def _trip(  # noqa: PLR0913  from where, and what for
    desk: Desk,
    kind: trips.Kind,
    org: UUID,
    provider: store.IdentityProvider,
    *,
    device: UUID,
    invitation: UUID | None = None,
    account: UUID | None = None,
) -> Trip:
    return Trip(
        kind=kind,
        org=org,
        provider=trips.fingerprint(provider),
        begun=int(desk.now.timestamp()),
        random=trips.random(),
        device=device,
        invitation=invitation,
        account=account,
    )

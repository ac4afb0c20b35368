"""One-time links: a person chooses a password, or a resident's tablet is signed in at once."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from msgspec import Struct

from mos.audit import log
from mos.audit.model import Happened
from mos.care import rules, store
from mos.care.actions import letters, permit
from mos.care.actions.contacts import Sent
from mos.care.actions.doorkeeper import Doorkeeper, forget_account_tries, require_try
from mos.care.actions.noting import note
from mos.care.actions.pin_ends import end_pins_of_account
from mos.care.actions.second_factor import Door, SecondCode, note_recovery, second_step
from mos.care.actions.sessions import Bearer, Opened, Where, open_session
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Name, Password, Token
from mos.care.actions.tokens import grouped, new_code, token_hash, typed
from mos.care.model import Actor, Method, Role
from mos.db import Db, Pool, Scope
from mos.dispatch.channels.messengers import Messengers
from mos.dispatch.channels.words import day
from mos.kernel.errors import Conflict, Invalid, NotFound
from mos.kernel.ids import new_id

_LinkKind = Literal["password", "device", "reset"]
_LIFE: dict[_LinkKind, timedelta] = {
    "password": timedelta(days=7),
    "device": timedelta(minutes=10),
    "reset": rules.RESET_LASTS,
}


class NewInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """What the link is for."""

    kind: Literal["password", "device"]


class Doorway(Struct, frozen=True):
    """An address, and the same as a picture to hold a camera to (an SVG as a data address)."""

    url: str
    qr: str


class InvitationLink(Struct, frozen=True):
    """A link, and the same as a picture to hold a tablet's camera to (an SVG as a data address).

    All of it is shown this once; MOS keeps only the token's hash. `code` is the token as somebody
    types it who has neither camera nor link. The token stands behind the `#`, so
    that no server ever sees it in an address. `trust` is where a device goes first that does not
    trust this MOS's private authority yet; it never carries the token, for it is plain HTTP.
    """

    id: UUID
    token: str
    code: str
    expires_at: datetime
    url: str
    qr: str
    trust: Doorway | None
    # Mail goes out here, so that it can be sent so.
    by_mail: bool


class OpenInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """The token from a link."""

    token: Token


class InvitationBody(Struct, frozen=True):
    """Whom a link is for, and whether they choose a password or sign a tablet in.

    `reset`: a password again, for it was forgotten.
    """

    name: str
    role: Role
    kind: str
    email: str | None
    # What the organisation's identity provider is called, where the link can be used by it.
    provider: str | None = None


class AcceptInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """The token, the device it is used on, and the password that a `password` link asks for."""

    token: Token
    device_id: UUID
    device_name: Name | None = None
    password: Password | None = None
    # From a phone or from paper, where the account has that: a link alone does not pass it by.
    code: SecondCode | None = None


async def invite(  # noqa: PLR0913  who, whom, for what, where and when
    db: Db,
    actor: Actor,
    account: UUID,
    wanted: NewInvitation,
    now: datetime,
    *,
    address: str,
    trust: str | None,
    by_mail: bool,
) -> InvitationLink:
    """Make a link for an account; the ones before it open nothing any more.

    `address`: where this MOS is reached, as in `https://mos.example.org`; `trust`: where a device
    learns to trust it, if that is needed; `by_mail`: whether mail goes out here.
    """
    person = await permit.managed_account(db, actor, account, now)
    if person.disabled:
        raise Conflict("This account is disabled: enable it first.", code="account_disabled")
    if wanted.kind == "device" and person.role is not Role.RESIDENT:
        raise Invalid("Only a resident's tablet is signed in by a link.", field="kind")
    if wanted.kind == "password" and person.email is None:
        raise Invalid("Give this person an address first.", field="kind")
    await require_step_up(db, actor, now)
    made = await _add(db, actor.org, account, wanted.kind, now, created_by=actor.account)
    note(db, actor, "invited", now, of=account, kind=wanted.kind)
    link = _doorway(_url(address, made.token))
    return InvitationLink(
        id=made.id,
        token=made.token,
        code=grouped(made.token),
        expires_at=made.expires_at,
        url=link.url,
        qr=link.qr,
        trust=_doorway(trust) if trust else None,
        by_mail=by_mail,
    )


async def goes_by_mail(db: Db, messengers: Messengers, org: UUID) -> bool:
    """Return whether mail goes out in an organisation."""
    return org in await messengers.services.of(db, letters.CHANNEL, [org])


async def first_link(db: Db, org: UUID, account: UUID, now: datetime, *, address: str) -> str:
    """Return a link by which somebody chooses a password, from whoever runs this MOS.

    For those who will manage an organisation that nobody manages yet. The account is in scope.
    """
    made = await _add(db, org, account, "password", now, created_by=account)
    log.note(db, org, Happened(event="invited", of=account, says={"kind": "password"}), now)
    return _url(address, made.token)


async def reset_link(db: Db, org: UUID, account: UUID, now: datetime, *, address: str) -> str:
    """Return a link by which somebody who has forgotten their password chooses another.

    Others stay: whoever asks for one in somebody else's name must not end theirs.
    """
    made = await _add(db, org, account, "reset", now, created_by=account)
    return _url(address, made.token)


class _Made(NamedTuple):
    id: UUID
    token: str
    expires_at: datetime


async def _add(  # noqa: PLR0913  one row's columns
    db: Db,
    org: UUID,
    account: UUID,
    kind: _LinkKind,
    now: datetime,
    *,
    created_by: UUID,
) -> _Made:
    made = _Made(new_id(now), new_code(), now + _LIFE[kind])
    if kind != "reset":
        await store.void_invitations(db, org, account, now)
    await store.add_invitation(
        db,
        org,
        invitation=made.id,
        account=account,
        kind=kind,
        token_hash=token_hash(made.token),
        created_by=created_by,
        now=now,
        expires_at=made.expires_at,
    )
    return made


def _url(address: str, token: str) -> str:
    return f"{address}/#/inbjudan/{token}"


async def look_after(
    db: Db, actor: Actor, account: UUID, invitation: UUID, now: datetime
) -> store.InvitationState:
    """Return what became of a link of somebody whom the actor manages; raises NotFound."""
    await permit.managed_account(db, actor, account, now)
    found = await store.invitation_state(db, actor.org, account, invitation)
    if found is None:
        raise permit.no_such("invitation")
    return found


async def withdraw(db: Db, actor: Actor, account: UUID, now: datetime) -> None:
    """Let the links of somebody whom the actor manages open nothing any more."""
    person = await permit.managed_account(db, actor, account, now)
    await store.void_invitations(db, actor.org, account, now)
    if person.invited_until is not None:
        note(db, actor, "invitation_withdrawn", now, of=account)


class Desk(Struct, frozen=True):
    """Who asks and when, and what it takes: the mail leaves between transactions."""

    pool: Pool
    door: Doorkeeper
    messengers: Messengers
    actor: Actor
    now: datetime
    # Where a device learns to trust this MOS, if that is needed.
    trust: str | None


async def mail(desk: Desk, account: UUID, invitation: UUID, wanted: OpenInvitation) -> Sent:
    """Mail a link that was just made to the person whom it is for; raises NotFound or TooMany.

    The token comes from whoever holds it: here only its hash is kept.
    """
    actor, now = desk.actor, desk.now
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await permit.managed_account(db, actor, account, now)
        await require_step_up(db, actor, now)
        found = await store.invitation_lookup(db, token_hash(typed(wanted.token)))
        mine = found is not None and (found.org, found.account) == (actor.org, account)
        if found is None or not mine or found.invitation != invitation:
            raise permit.no_such("invitation")
        if found.used or found.expires_at <= now:
            raise gone()
        if found.kind != "password":
            raise Invalid("A tablet's link is shown to the tablet, not mailed.", field="token")
        await require_try(
            db,
            desk.door,
            "invitation mail",
            str(invitation),
            free=rules.FREE_MAILS_OF_LINK,
            now=now,
        )
        own = await store.account(db, actor.org, actor.account)
        person = await store.account(db, actor.org, account)
        organisation = await store.organisation(db, actor.org)
        note(db, actor, "invitation_mailed", now, of=account)
    code = typed(wanted.token)
    language = person.language if person else "en"
    result = await letters.send(
        desk.pool,
        desk.messengers,
        actor.org,
        account,
        "invitation_trust" if desk.trust else "invitation",
        now=now,
        who=own.name if own else "MOS",
        link=_url(desk.messengers.public_url, code),
        code=grouped(code),
        until=day(found.expires_at, organisation.zone, language),
        trust=desk.trust or "",
    )
    return Sent(sent=result.outcome == "sent", code=result.code)


def _doorway(url: str) -> Doorway:
    # Drawn for the few who invite: nobody else's start should wait for it.
    import segno  # noqa: PLC0415

    return Doorway(url, segno.make(url, micro=False).svg_data_uri())


async def open_invitation(db: Db, wanted: OpenInvitation, now: datetime) -> InvitationBody:
    """Return whom a link is for, without using it; raises NotFound. Needs no scope."""
    found = await live(db, wanted.token, now)
    label = None
    if found.kind == "password":
        offers = await store.identity_providers(db)
        label = next((each.label for each in offers if each.organisation == found.org), None)
    return InvitationBody(found.name, found.role, found.kind, found.email, label)


class Accepted(NamedTuple):
    """Who is signed in now, and whether another password was there before."""

    opened: Opened
    replaced: bool


async def accept_invitation(
    pool: Pool, door: Doorkeeper, wanted: AcceptInvitation, *, cookie: str | None, now: datetime
) -> Accepted:
    """Use a link and sign its person in.

    Raises NotFound, Invalid, Conflict, or Unauthenticated where a code is needed, too.

    A new password ends the account's other sessions, whoever holds them.
    """
    async with pool.transaction() as db:
        found = await live(db, wanted.token, now)
    secret = await _hashed(door, found, wanted.password)
    by: tuple[Method, ...] = ("device",)
    if secret is not None:
        at = Door(found.org, found.account, by_link=True)
        beside = await second_step(pool, door, at, wanted.code, now)
        by = ("password", beside) if beside else ("password",)
    async with pool.transaction(Scope(org=found.org)) as db:
        account = await store.account(db, found.org, found.account)
        used = await store.use_invitation(
            db, found.org, found.invitation, device=wanted.device_id, now=now
        )
        if account is None or account.disabled or not used:
            raise gone()
        replaced = False
        if secret is not None:
            replaced = await store.password(db, found.org, found.account) is not None
            # One link is enough: the others that lie about open nothing any more.
            await store.void_invitations(db, found.org, found.account, now)
            await store.save_password(
                db, found.org, found.account, credential=new_id(now), secret=secret, now=now
            )
            await store.end_sessions(db, found.org, found.account, now)
            await forget_account_tries(db, door, found.org, account.email)
        where = Where(wanted.device_id, wanted.device_name or "", cookie)
        bearer = Bearer(found.org, found.account, account.role)
        opened = await open_session(db, bearer, where, now, by=by)
        note_recovery(db, opened.actor, now)
        if secret is not None:
            note(db, opened.actor, "password_changed", now, of=found.account, by_link=True)
            await end_pins_of_account(db, opened.actor, found.account, now, why="password")
        return Accepted(opened, replaced)


async def live(db: Db, token: str, now: datetime) -> store.Invitation:
    """Return what a token opens; raises NotFound for one that was used or has ended."""
    found = await store.invitation_lookup(db, token_hash(typed(token)))
    if found is None or found.used or found.expires_at <= now:
        raise gone()
    return found


async def _hashed(door: Doorkeeper, found: store.Invitation, password: str | None) -> str | None:
    if found.kind == "device":
        return None
    if password is None:
        raise Invalid("Choose a password.", field="password")
    rules.check_password(password, email=found.email, name=found.name)
    return await door.passwords.hash(password)


def gone() -> NotFound:
    """Return the answer to a link that opens nothing any more."""
    return NotFound("This link has been used or has ended: ask for a new one.", code="link_gone")

"""One-time links: a person chooses a password, or a resident's tablet is signed in at once."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.care import rules, store
from mos.care.actions import permit
from mos.care.actions.sessions import Bearer, Opened, Where, open_session
from mos.care.actions.sign_in import Doorkeeper, forget_account_tries
from mos.care.actions.text import Name, Password, Token
from mos.care.actions.tokens import new_token, token_hash
from mos.care.model import Actor, Role
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Invalid, NotFound
from mos.kernel.ids import new_id

_LIFE = {"password": timedelta(days=7), "device": timedelta(hours=1)}


class NewInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """What the link is for."""

    kind: Literal["password", "device"]


class Doorway(Struct, frozen=True):
    """An address, and the same as a picture to hold a camera to (an SVG as a data address)."""

    url: str
    qr: str


class InvitationLink(Struct, frozen=True):
    """A link, and the same as a picture to hold a tablet's camera to (an SVG as a data address).

    Both are shown this once; MOS keeps only the token's hash. The token stands behind the `#`, so
    that no server ever sees it in an address. `trust` is where a device goes first that does not
    trust this MOS's private authority yet; it never carries the token, for it is plain HTTP.
    """

    token: str
    expires_at: datetime
    url: str
    qr: str
    trust: Doorway | None


class OpenInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """The token from a link."""

    token: Token


class InvitationBody(Struct, frozen=True):
    """Whom a link is for, and whether they choose a password or sign a tablet in."""

    name: str
    role: Role
    kind: str
    email: str | None


class AcceptInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """The token, the device it is used on, and the password that a `password` link asks for."""

    token: Token
    device_id: UUID
    device_name: Name | None = None
    password: Password | None = None


async def invite(  # noqa: PLR0913  who, whom, for what, where and when
    db: Db,
    actor: Actor,
    account: UUID,
    wanted: NewInvitation,
    now: datetime,
    *,
    address: str,
    trust: str | None,
) -> InvitationLink:
    """Make a link for an account; the ones before it open nothing any more.

    `address`: where this MOS is reached, as in `https://mos.example.org`; `trust`: where a device
    learns to trust it, if that is needed.
    """
    person = await permit.managed_account(db, actor, account, now)
    if person.disabled:
        raise Conflict("This account is disabled: enable it first.", code="account_disabled")
    if wanted.kind == "device" and person.role is not Role.RESIDENT:
        raise Invalid("Only a resident's tablet is signed in by a link.", field="kind")
    if wanted.kind == "password" and person.email is None:
        raise Invalid("Give this person an address first.", field="kind")
    token, expires_at = new_token(), now + _LIFE[wanted.kind]
    await store.void_invitations(db, actor.org, account, now)
    await store.add_invitation(
        db,
        actor.org,
        invitation=new_id(now),
        account=account,
        kind=wanted.kind,
        token_hash=token_hash(token),
        created_by=actor.account,
        now=now,
        expires_at=expires_at,
    )
    link = _doorway(f"{address}/#/inbjudan/{token}")
    first = _doorway(trust) if trust else None
    return InvitationLink(token, expires_at, link.url, link.qr, first)


def _doorway(url: str) -> Doorway:
    # Drawn for the few who invite: nobody else's start should wait for it.
    import segno  # noqa: PLC0415

    return Doorway(url, segno.make(url, micro=False).svg_data_uri())


async def open_invitation(db: Db, wanted: OpenInvitation, now: datetime) -> InvitationBody:
    """Return whom a link is for, without using it; raises NotFound. Needs no scope."""
    found = await _live(db, wanted.token, now)
    return InvitationBody(found.name, found.role, found.kind, found.email)


async def accept_invitation(
    pool: Pool, door: Doorkeeper, wanted: AcceptInvitation, *, cookie: str | None, now: datetime
) -> Opened:
    """Use a link and sign its person in; raises NotFound, Invalid or Conflict.

    A new password ends the account's other sessions, whoever holds them.
    """
    async with pool.transaction() as db:
        found = await _live(db, wanted.token, now)
    secret = await _hashed(door, found, wanted.password)
    async with pool.transaction(Scope(org=found.org)) as db:
        account = await store.account(db, found.org, found.account)
        used = await store.use_invitation(db, found.org, found.invitation, now)
        if account is None or account.disabled or not used:
            raise _gone()
        if secret is not None:
            await store.save_password(
                db, found.org, found.account, credential=new_id(now), secret=secret, now=now
            )
            await store.end_sessions(db, found.org, found.account, now)
            await forget_account_tries(db, door, found.org, account.email)
        where = Where(wanted.device_id, wanted.device_name or "", cookie)
        bearer = Bearer(found.org, found.account, account.role)
        return await open_session(db, bearer, where, now)


async def _live(db: Db, token: str, now: datetime) -> store.Invitation:
    found = await store.invitation_lookup(db, token_hash(token))
    if found is None or found.used or found.expires_at <= now:
        raise _gone()
    return found


async def _hashed(door: Doorkeeper, found: store.Invitation, password: str | None) -> str | None:
    if found.kind == "device":
        return None
    if password is None:
        raise Invalid("Choose a password.", field="password")
    rules.check_password(password, email=found.email, name=found.name)
    return await door.passwords.hash(password)


def _gone() -> NotFound:
    return NotFound("This link has been used or has ended: ask for a new one.", code="link_gone")

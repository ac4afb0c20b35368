"""Where oneself is told beside one's devices. An address that nobody has proved is told nothing."""

import hmac
import secrets
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from mos.care import store
from mos.care.actions.doorkeeper import Doorkeeper
from mos.care.actions.outside import require_url
from mos.care.actions.permit import no_such
from mos.care.actions.text import Short
from mos.care.model import Actor
from mos.care.store import Contact, ContactRow, When
from mos.db import Db, Pool, Scope, UniqueViolation
from mos.dispatch.channels.addresses import normal
from mos.dispatch.channels.compose import moment
from mos.dispatch.channels.message import Message
from mos.dispatch.channels.messengers import Messengers
from mos.dispatch.channels.result import Result
from mos.dispatch.channels.services import contact_context
from mos.dispatch.channels.words import Kind, words
from mos.kernel.errors import Conflict, Invalid, TooMany
from mos.kernel.ids import new_id

_THERE = "You have this contact already."
_SECRET_BYTES = 32
_CODE_LIVES = timedelta(minutes=10)
_MOST_WRONG = 5
_MOST_CONTACTS = 10
# Messages that somebody may have sent to their contacts: they cost money, and annoy strangers.
_MOST_A_DAY = 20
_PAUSE = timedelta(seconds=20)
_DAY = timedelta(days=1)


class NewContact(Struct, frozen=True, forbid_unknown_fields=True):
    """Where one wants to be told, and when."""

    channel: Literal["email", "sms", "webhook"]
    address: Annotated[str, Meta(min_length=3, max_length=2048)]
    label: Short = ""
    when: When = "always"


class ContactChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different. Another address is another contact."""

    label: Short | UnsetType = UNSET
    when: When | UnsetType = UNSET


class Code(Struct, frozen=True, forbid_unknown_fields=True):
    """The code that arrived."""

    code: Annotated[str, Meta(max_length=20)]


class Sent(Struct, frozen=True):
    """Whether the service took a message, in the words of docs/channels."""

    sent: bool
    code: str


class ContactAdded(Struct, frozen=True):
    """A new contact, and whether its code is on its way.

    `secret` signs what a webhook is sent, and is shown this once.
    """

    contact: Contact
    sent: bool
    code: str
    secret: str | None = None


class Desk(Struct, frozen=True):
    """Who asks and when, and what it takes to answer: messages leave between transactions."""

    pool: Pool
    door: Doorkeeper
    messengers: Messengers
    actor: Actor
    now: datetime


async def list_own(db: Db, actor: Actor) -> list[Contact]:
    """Return one's own contacts, oldest first."""
    return await store.contacts_of(db, actor.org, actor.account)


async def add(desk: Desk, wanted: NewContact) -> ContactAdded:
    """Add a contact and send its code there; raises Invalid, Conflict or TooMany."""
    actor, now = desk.actor, desk.now
    contact = Contact(
        id=new_id(now),
        channel=wanted.channel,
        address=_address(desk, wanted),
        label=wanted.label.strip(),
        when=wanted.when,
        verified=False,
        gone=False,
        created_at=now,
    )
    signing = new_secret(desk, contact.id) if wanted.channel == "webhook" else None
    sealed = signing.sealed if signing else None
    try:
        async with desk.pool.transaction(Scope(org=actor.org)) as db:
            there = await store.contacts_of(db, actor.org, actor.account)
            if len(there) >= _MOST_CONTACTS:
                raise Conflict("Ten contacts are enough: remove one first.")
            if is_there(there, contact):
                raise Conflict(_THERE)
            await store.add_contact(db, actor.org, actor.account, contact, secret=sealed, now=now)
            code = await _new_code(desk, db, contact)
    except UniqueViolation:
        raise Conflict(_THERE) from None
    result = await _send(desk, contact, "code", sealed, code=code)
    shown = signing.shown if signing else None
    return ContactAdded(contact, result.outcome == "sent", result.code, shown)


async def send_code(desk: Desk, contact: UUID) -> Sent:
    """Send another code, also to a contact that was gone; the one before counts no more."""
    async with desk.pool.transaction(Scope(org=desk.actor.org)) as db:
        found = await _own(db, desk.actor, contact)
        code = await _new_code(desk, db, found)
    return _told(await _send(desk, found, "code", found.secret, code=code))


async def verify(desk: Desk, contact: UUID, given: Code) -> Contact:
    """Take the code that arrived.

    Raises Invalid for a wrong one, Conflict when a new one is needed.
    """
    actor, now = desk.actor, desk.now
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        found = await _own(db, actor, contact)
        if not _is_open(found, now):
            raise Conflict("This code has ended: ask for a new one.", code="code_ended")
        said = "".join(c for c in given.code if c.isdecimal() and c.isascii())
        right = hmac.compare_digest(_hash(desk.door, contact, said), found.code_hash or b"")
        if right:
            await store.contact_verified(db, actor.org, contact, now)
        else:
            await store.code_failed(db, actor.org, contact)
    # After the commit: a wrong code is counted.
    if not right:
        raise Invalid("This is not the code that was sent.", field="code", code="code_wrong")
    return _plain(found, verified=True, gone=False)


async def change(db: Db, actor: Actor, contact: UUID, wanted: ContactChange) -> Contact:
    """Change a contact's label or when it is told; raises NotFound."""
    found = _plain(await _own(db, actor, contact))
    changed = replace(
        found,
        label=found.label if wanted.label is UNSET else wanted.label.strip(),
        when=found.when if wanted.when is UNSET else wanted.when,
    )
    await store.save_contact(db, actor.org, actor.account, changed)
    return changed


async def remove(db: Db, actor: Actor, contact: UUID) -> None:
    """Remove a contact; raises NotFound."""
    if not await store.remove_contact(db, actor.org, actor.account, contact):
        raise no_such("contact")


async def test(desk: Desk, contact: UUID) -> Sent:
    """Send a test message; raises NotFound, Conflict before the contact is proved, or TooMany."""
    async with desk.pool.transaction(Scope(org=desk.actor.org)) as db:
        found = await _own(db, desk.actor, contact)
        if not found.verified:
            raise Conflict("Prove first that messages arrive there.", code="unverified")
        await _require_service(desk, db, found)
        await require_try(db, desk.actor, desk.now)
    return _told(await _send(desk, found, "test", found.secret))


async def require_try(db: Db, actor: Actor, now: datetime) -> None:
    """Count one more message that somebody has sent to try a channel; raises TooMany."""
    done = await store.contact_tries(db, actor.org, actor.account, since=now - _DAY)
    if done.number >= _MOST_A_DAY:
        raise TooMany("That is enough for today.", retry_after_s=int(_DAY.total_seconds()))
    if done.latest is not None and (wait := done.latest + _PAUSE - now) > timedelta(0):
        raise TooMany("Wait a little before the next one.", retry_after_s=wait.seconds + 1)
    await store.add_contact_try(db, actor.org, actor.account, new_id(now), now)


async def _own(db: Db, actor: Actor, contact: UUID) -> ContactRow:
    found = await store.contact_for_update(db, actor.org, actor.account, contact)
    if found is None:
        raise no_such("contact")
    return found


async def _new_code(desk: Desk, db: Db, contact: Contact) -> str:
    await _require_service(desk, db, contact)
    await require_try(db, desk.actor, desk.now)
    code = f"{secrets.randbelow(1_000_000):06}"
    await store.save_code(
        db,
        desk.actor.org,
        contact.id,
        code_hash=_hash(desk.door, contact.id, code),
        expires_at=desk.now + _CODE_LIVES,
    )
    return code


def _hash(door: Doorkeeper, contact: UUID, code: str) -> bytes:
    # Six digits are quickly tried out by whoever has the database: hence keyed, not only hashed.
    return door.key("contact", f"{contact}:{code}")


def _is_open(contact: ContactRow, now: datetime) -> bool:
    ends = contact.code_expires_at
    return ends is not None and now < ends and contact.failures < _MOST_WRONG


async def _require_service(desk: Desk, db: Db, contact: Contact) -> None:
    if not await desk.messengers.services.of(db, contact.channel, [desk.actor.org]):
        raise Conflict("Nobody has set up this channel yet.", code="channel_off")


async def _send(
    desk: Desk, contact: Contact, kind: Kind, sealed: bytes | None, **parts: str
) -> Result:
    """Send outside of any transaction: a slow service must hold no lock."""
    org = desk.actor.org
    secret = desk.messengers.services.opened(contact_context(org, contact.id), sealed)
    if secret is None:
        return Result("refused", "seal_broken")
    async with desk.pool.transaction(Scope(org=org)) as db:
        account = await store.account(db, org, desk.actor.account)
    said = words(account.language if account else "en", kind, **parts)
    message = Message(
        id=new_id(desk.now),
        to=contact.address,
        subject=said.subject,
        text=said.text,
        data={"type": kind, "timestamp": moment(desk.now), "data": parts},
        secret=secret,
    )
    return await desk.messengers.send(desk.pool, org, contact.channel, message, desk.now)


class Signing(NamedTuple):
    """What a webhook's messages are signed with: as it is shown once, and as it is kept."""

    shown: str
    sealed: bytes


def is_there(there: Sequence[Contact], contact: Contact) -> bool:
    """Say whether an address is among contacts: one that lies plain has no digest to tell by."""
    known = {(each.channel, each.address) for each in there}
    return (contact.channel, contact.address) in known


def new_secret(desk: Desk, contact: UUID) -> Signing:
    """Return a fresh secret for a webhook (whsec_…, Standard Webhooks)."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    context = contact_context(desk.actor.org, contact)
    sealed = desk.messengers.services.seals.seal(context, secret)
    return Signing("whsec_" + b64encode(secret).decode(), sealed)


def _address(desk: Desk, wanted: NewContact) -> str:
    if wanted.channel == "webhook":
        require_url(desk.messengers.guard, wanted.address, field="address")
        return wanted.address
    try:
        return normal(wanted.channel, wanted.address)
    except ValueError as error:
        raise Invalid(str(error), field="address") from None


def _told(result: Result) -> Sent:
    return Sent(sent=result.outcome == "sent", code=result.code)


def _plain(row: ContactRow, **changed: bool) -> Contact:
    known = {name: getattr(row, name) for name in Contact.__struct_fields__}
    return Contact(**(known | changed))

"""Where people are told beside their devices: addresses, and the codes that prove them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID

from msgspec import Struct, structs

from mos.db import Db, Queries
from mos.privacy import texts
from mos.privacy.texts import CONTACT_ADDRESS, Text

_sql = Queries(__package__, "contacts.sql")
_LABEL = "contact|label"

ChannelName = Literal["email", "sms", "webhook"]
When = Literal["always", "important", "critical", "last"]


class Contact(Struct, frozen=True, kw_only=True):
    """A contact as its owner sees it. `gone`: its service said that nobody is there."""

    id: UUID
    channel: ChannelName
    address: str
    label: str
    when: When
    verified: bool
    gone: bool
    created_at: datetime


class Webhook(Contact, frozen=True, kw_only=True):
    """An organisation's webhook. `old_secret_until`: so long the one before signs, too."""

    paused_at: datetime | None
    old_secret_until: datetime | None


class ContactRow(Contact, frozen=True, kw_only=True):
    """A contact, locked, with what proves it. Its secrets are sealed."""

    code_hash: bytes | None
    code_expires_at: datetime | None
    failures: int
    secret: bytes | None
    paused_at: datetime | None
    old_secret: bytes | None
    old_secret_until: datetime | None


AnyContact = TypeVar("AnyContact", bound=Contact)


class Tries(Struct, frozen=True):
    """How many messages somebody had sent to contacts lately, and when the latest."""

    number: int
    latest: datetime | None


_CONTACTS_OF = _sql.query("contacts_of", Contact)
_WEBHOOKS_OF = _sql.query("webhooks_of", Webhook)
_CONTACT_FOR_UPDATE = _sql.query("contact_for_update", ContactRow)
_ADD_CONTACT = _sql.command("add_contact")
_SAVE_CONTACT = _sql.command("save_contact")
_SAVE_WEBHOOK = _sql.command("save_webhook")
_ROTATE_SECRET = _sql.command("rotate_secret")
_SAVE_CODE = _sql.command("save_code")
_CODE_FAILED = _sql.command("code_failed")
_CONTACT_VERIFIED = _sql.command("contact_verified")
_REMOVE_CONTACT = _sql.command("remove_contact")
_FORGET_TRIES = _sql.command("forget_contact_tries")
_TRIES = _sql.query("contact_tries", Tries)
_ADD_TRY = _sql.command("add_contact_try")


async def contacts_of(db: Db, org: UUID, account: UUID | None) -> list[Contact]:
    """Return a person's contacts, oldest first; without `account` the organisation's webhooks."""
    return await _opened(db, org, account, await db.all(_CONTACTS_OF, org=org, account=account))


async def webhooks_of(db: Db, org: UUID, now: datetime) -> list[Webhook]:
    """Return the organisation's webhooks, oldest first."""
    return await _opened(db, org, None, await db.all(_WEBHOOKS_OF, org=org, now=now))


async def contact_for_update(
    db: Db, org: UUID, account: UUID | None, contact: UUID
) -> ContactRow | None:
    """Return one contact of theirs, locked, or None."""
    found = await db.one(_CONTACT_FOR_UPDATE, org=org, account=account, contact=contact)
    return None if found is None else (await _opened(db, org, account, [found]))[0]


async def add_contact(  # noqa: PLR0913  one row's columns
    db: Db,
    org: UUID,
    account: UUID | None,
    contact: Contact,
    *,
    secret: bytes | None = None,
    now: datetime,
) -> None:
    """Add a contact. Raises UniqueViolation when they have the address already."""
    lying = Text(contact.id, contact.address, (account or org,))
    [sealed], [digest] = await sealed_addresses(db, org, [lying])
    await db.run(
        _ADD_CONTACT,
        org=org,
        contact=contact.id,
        account=account,
        channel=contact.channel,
        address=sealed,
        address_digest=digest,
        label=await _sealed_label(db, org, account, contact.id, contact.label),
        when_told=contact.when,
        secret=secret,
        verified_at=now if contact.verified else None,
        now=now,
    )


async def save_contact(db: Db, org: UUID, account: UUID, contact: Contact) -> None:
    """Write the label of a person's contact and when it is told."""
    label = await _sealed_label(db, org, account, contact.id, contact.label)
    await db.run(_SAVE_CONTACT, org=org, contact=contact.id, label=label, when_told=contact.when)


async def save_webhook(
    db: Db, org: UUID, contact: UUID, *, label: str, paused_at: datetime | None
) -> None:
    """Write a webhook's label, and since when it rests."""
    sealed = await _sealed_label(db, org, None, contact, label)
    await db.run(_SAVE_WEBHOOK, org=org, contact=contact, label=sealed, paused_at=paused_at)


async def rotate_secret(
    db: Db, org: UUID, contact: UUID, *, secret: bytes, old_until: datetime
) -> None:
    """Sign with another secret from now on, and with the one before beside it until then."""
    await db.run(_ROTATE_SECRET, org=org, contact=contact, secret=secret, old_until=old_until)


async def save_code(
    db: Db, org: UUID, contact: UUID, *, code_hash: bytes, expires_at: datetime
) -> None:
    """Store the hash of the code that is being sent; an earlier one counts no more."""
    await db.run(_SAVE_CODE, org=org, contact=contact, code_hash=code_hash, expires_at=expires_at)


async def code_failed(db: Db, org: UUID, contact: UUID) -> None:
    """Count a wrong code."""
    await db.run(_CODE_FAILED, org=org, contact=contact)


async def contact_verified(db: Db, org: UUID, contact: UUID, now: datetime) -> None:
    """Remember that messages arrive there."""
    await db.run(_CONTACT_VERIFIED, org=org, contact=contact, now=now)


async def remove_contact(db: Db, org: UUID, account: UUID | None, contact: UUID) -> bool:
    """Remove a contact of theirs; return whether there was one."""
    return await db.run(_REMOVE_CONTACT, org=org, account=account, contact=contact) > 0


async def contact_tries(db: Db, org: UUID, account: UUID, *, since: datetime) -> Tries:
    """Return what somebody had sent since then; what is older is forgotten."""
    await db.run(_FORGET_TRIES, org=org, account=account, before=since)
    return await db.one(_TRIES, org=org, account=account) or Tries(0, None)


async def add_contact_try(db: Db, org: UUID, account: UUID, id: UUID, now: datetime) -> None:
    """Count one more message."""
    await db.run(_ADD_TRY, org=org, account=account, at=now, id=id)


async def sealed_addresses(
    db: Db, org: UUID, addresses: Sequence[Text]
) -> tuple[list[str], list[str | None]]:
    """Return addresses as they are to lie, and what equal ones of one owner have in common."""
    sealed = await texts.sealed(db, org, CONTACT_ADDRESS, addresses)
    pairs = [(each.of[0], each.text) for each in addresses]
    return sealed, await texts.digests(db, org, CONTACT_ADDRESS, pairs)


async def _sealed_label(db: Db, org: UUID, account: UUID | None, contact: UUID, label: str) -> str:
    lying = Text(contact, label, (account or org,))
    return (await texts.sealed(db, org, _LABEL, [lying]))[0]


async def _opened(
    db: Db, org: UUID, account: UUID | None, contacts: Sequence[AnyContact]
) -> list[AnyContact]:
    """Return contacts of a person, or without one the organisation's webhooks, opened."""
    owner = (account or org,)
    addresses = await texts.shown(
        db, org, CONTACT_ADDRESS, [Text(each.id, each.address, owner) for each in contacts]
    )
    labels = await texts.shown(
        db, org, _LABEL, [Text(each.id, each.label, owner) for each in contacts]
    )
    return [
        structs.replace(each, address=address, label=label)
        for each, address, label in zip(contacts, addresses, labels, strict=True)
    ]

"""Forgotten passwords: a link by mail, and nothing that tells who has an account.

What is answered, and when, is the same for every address: it is looked up after the answer has
gone. How often a mail goes out is counted by address, and by itself for a device on which its
person has signed in before. While a stranger keeps asking, a link that still opens lies in the
mailbox: the longest pause is shorter than a link's life.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from mos.audit import log
from mos.audit.model import Happened
from mos.care import rules, store
from mos.care.actions import known_devices, letters
from mos.care.actions.doorkeeper import Doorkeeper, count, reset_limit
from mos.care.actions.invitations import goes_by_mail, reset_link
from mos.care.actions.sign_in import destination
from mos.db import Pool, Scope
from mos.dispatch.channels.messengers import Messengers


class Forgotten(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose password is forgotten; `organisation` as in signing in."""

    email: Annotated[str, Meta(min_length=1, max_length=254, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    organisation: UUID | None = None


class ResetAsked(Struct, frozen=True):
    """Whether mail goes out here at all; where none does, whoever manages MOS gives a link."""

    by_mail: bool


class Post(Struct, frozen=True):
    """What it takes to answer and to send."""

    pool: Pool
    door: Doorkeeper
    messengers: Messengers


class Asker(Struct, frozen=True):
    """Where somebody asks from: the network address, and the cookie of who signed in here."""

    client: str
    known: str | None


class Wanted(Struct, frozen=True):
    """A mail that is wanted, whoever it is; `entry` of a device that knows the address."""

    org: UUID
    email: str
    entry: str | None


async def ways(post: Post, organisation: UUID | None) -> ResetAsked:
    """Return how a forgotten password is helped, before anybody has said whose. Raises Invalid."""
    async with post.pool.transaction() as db:
        org, _ = await destination(db, organisation)
    return ResetAsked(by_mail=await _mails(post, org))


async def ask(
    post: Post, forgotten: Forgotten, asker: Asker, now: datetime
) -> tuple[ResetAsked, Wanted]:
    """Return the answer, and what `deliver` does after it has gone. Raises Invalid or TooMany.

    Only the network that somebody asks from is ever told to wait.
    """
    email = forgotten.email.strip().lower()
    async with post.pool.transaction() as db:
        org, _ = await destination(db, forgotten.organisation)
        await count(db, reset_limit(post.door, asker.client), now)
    by_mail = await _mails(post, org)
    entry = known_devices.entry_for(post.door.key, asker.known, org, email)
    return ResetAsked(by_mail=by_mail), Wanted(org, email, entry)


async def _mails(post: Post, org: UUID) -> bool:
    async with post.pool.transaction(Scope(org=org)) as db:
        return await goes_by_mail(db, post.messengers, org)


async def deliver(post: Post, wanted: Wanted, now: datetime) -> None:
    """Make a link and mail it, if there is such an account with a password and it is its turn."""
    org, door = wanted.org, post.door
    key = door.key("reset", wanted.entry or f"{org}:{wanted.email}")
    async with post.pool.transaction(Scope(org=org)) as db:
        asked = await store.count_try(db, key, now)
        if asked is None:
            return
        await store.lock_until(db, key, now + rules.reset_pause(asked))
        services = await post.messengers.services.of(db, letters.CHANNEL, [org])
        known = await store.known_by_email(db, org, wanted.email)
        if org not in services or known is None or known.disabled:
            return
        address = post.messengers.public_url
        link = await reset_link(db, org, known.account, now, address=address)
        log.note(db, org, Happened(event="reset_sent", of=known.account), now)
    await letters.send(post.pool, post.messengers, org, known.account, "reset", now=now, link=link)

"""Feeds as the database keeps them, and what is planned, with its titles."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.calendar.model import Entry, Feed, Says
from mos.care.model import Role
from mos.db import Db, Queries
from mos.medication.rules import plan_of
from mos.plan.model.reminder import read_reminder
from mos.sync import store as records

_sql = Queries(__package__, "store.sql")


class Address(Struct, frozen=True):
    """What an address leads to, and for whom it was made."""

    org: UUID
    space: UUID
    feed: UUID
    says: Says
    medication: bool
    account: UUID
    role: Role


_FEEDS = _sql.query("feeds", Feed)
_ADD_FEED = _sql.command("add_feed")
_REVOKE_FEED = _sql.command("revoke_feed")
_FEED_OF_ADDRESS = _sql.query("feed_of_address", Address)
_FEED_READ = _sql.command("feed_read")
_ERASE = _sql.command("erase")


async def feeds(db: Db, org: UUID, space: UUID) -> list[Feed]:
    """Return the feeds of a resident that hold, oldest first."""
    return await db.all(_FEEDS, org=org, space=space)


async def add_feed(db: Db, org: UUID, space: UUID, feed: Feed, token_hash: bytes) -> None:
    """Add a feed whose address carries what hashes to `token_hash`."""
    await db.run(
        _ADD_FEED,
        org=org,
        space=space,
        feed=feed.id,
        token_hash=token_hash,
        says=feed.says,
        medication=feed.medication,
        by=feed.created_by,
        now=feed.created_at,
    )


async def revoke_feed(db: Db, org: UUID, space: UUID, feed: UUID, now: datetime) -> bool:
    """Let a feed hold no more; False where there is none that does."""
    return await db.run(_REVOKE_FEED, org=org, space=space, feed=feed, now=now) == 1


async def feed_of_address(db: Db, token_hash: bytes) -> Address | None:
    """Return what an address leads to while it holds, or None. Needs no scope."""
    return await db.one(_FEED_OF_ADDRESS, token_hash=token_hash)


async def feed_read(db: Db, address: Address, now: datetime) -> None:
    """Note that somebody has read a feed, once a minute."""
    await db.run(_FEED_READ, org=address.org, space=address.space, feed=address.feed, now=now)


async def entries(db: Db, spaces: Sequence[UUID]) -> tuple[Entry, ...]:
    """Return what is planned in `spaces`, reminders and orders, with what each is called."""
    reminders = await records.docs_of_spaces(db, spaces, "reminder")
    found = [(doc.space, doc.rec, doc.doc) for doc in reminders]
    for order in await records.docs_of_spaces(db, spaces, "order"):
        groups = plan_of(order.doc)
        if groups is not None:
            found.append((order.space, order.rec, groups))
    return tuple(
        Entry(space, str(groups.get("title", "")).strip(), reminder)
        for space, rec, groups in found
        if (reminder := read_reminder(rec, groups)) is not None
    )


async def erase(db: Db, org: UUID, space: UUID) -> None:
    """Delete every feed of a space, which must be in the scope."""
    await db.run(_ERASE, org=org, space=space)

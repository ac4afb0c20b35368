"""Making, ending and reading the addresses at which calendar programs see a resident's plan."""

import asyncio
import hashlib
from datetime import datetime
from uuid import UUID

from msgspec import Struct

import mos
from mos.audit import access as access_log
from mos.audit.model import Touch, Who
from mos.calendar import rules, store
from mos.calendar.model import Feed, Plan, Says
from mos.care import store as care
from mos.care.actions import permit
from mos.care.actions.noting import note
from mos.care.actions.tokens import new_token, token_hash
from mos.care.model import Actor, Permission
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Forbidden, NotFound
from mos.kernel.ids import new_id
from mos.kernel.zones import zone_release
from mos.plan import store as plans
from mos.sync import store as records

_MOST_FEEDS = 20
# A long plan takes a good part of a second: so many are written at a time, in threads.
_writing = asyncio.Semaphore(2)


class NewFeed(Struct, frozen=True, forbid_unknown_fields=True):
    """A feed to make. `medication`: orders, too, for those who see them."""

    says: Says
    medication: bool = False


class FeedAdded(Struct, frozen=True):
    """A new feed and its address, which is shown this once."""

    feed: Feed
    address: str


class Written(Struct, frozen=True):
    """What a feed answers: its tag, and the stream unless the reader has it already."""

    tag: str
    body: bytes | None


class _Shown(Struct, frozen=True):
    tag: str
    plan: Plan | None


async def list_feeds(db: Db, actor: Actor, space: UUID, now: datetime) -> list[Feed]:
    """Return the resident's feeds that hold, oldest first. Raises NotFound or Forbidden."""
    await _require_editor(db, actor, space, now)
    return await store.feeds(db, actor.org, space)


async def add_feed(  # noqa: PLR0913, PLR0917  one more than five
    db: Db, actor: Actor, space: UUID, wanted: NewFeed, public_url: str, now: datetime
) -> FeedAdded:
    """Make a feed of a resident's plan. Raises NotFound, Forbidden or Conflict."""
    await _require_editor(db, actor, space, now)
    if wanted.medication and not await _sees_medication(db, actor, space, now):
        raise Forbidden("You do not see this resident's medication.")
    await care.lock_space(db, actor.org, space)
    if len(await store.feeds(db, actor.org, space)) >= _MOST_FEEDS:
        raise Conflict(
            f"There are {_MOST_FEEDS} addresses already: end one first.", code="feeds_full"
        )
    token = new_token()
    feed = Feed(new_id(now), wanted.says, wanted.medication, actor.account, now, None)
    await store.add_feed(db, actor.org, space, feed, token_hash(token))
    note(
        db, actor, "feed_added", now, of=feed.id, space=space, shows=feed.says,
        medication=feed.medication,
    )  # fmt: skip
    return FeedAdded(feed, f"{public_url.rstrip('/')}/calendar/{token}.ics")


async def end_feed(db: Db, actor: Actor, space: UUID, feed: UUID, now: datetime) -> None:
    """Let an address lead nowhere any more. Raises NotFound or Forbidden."""
    await _require_editor(db, actor, space, now)
    if not await store.revoke_feed(db, actor.org, space, feed, now):
        raise permit.no_such("feed")
    note(db, actor, "feed_ended", now, of=feed, space=space)


async def read_feed(pool: Pool, token: str, has: str, now: datetime) -> Written:
    """Return what stands at an address; `has` is the header If-None-Match. Raises NotFound.

    One that was guessed, ended, or made by somebody who may no longer see the plan is not there.
    """
    async with pool.transaction() as db:
        address = await store.feed_of_address(db, token_hash(token))
    if address is None:
        raise _nothing()
    day = rules.day_of(now)
    async with pool.transaction(Scope(org=address.org, spaces=(address.space,))) as db:
        shown = await _shown(db, address, has, day, now)
        await store.feed_read(db, address, now)
        await _log(db, address, now)
    if shown.plan is None:
        return Written(shown.tag, None)
    async with _writing:
        return Written(shown.tag, await asyncio.to_thread(rules.stream, shown.plan, day))


async def _log(db: Db, address: store.Address, now: datetime) -> None:
    """Log the read as that of whoever made the address: to others MOS has given nothing."""
    read = [Touch(address.space, "day")]
    if address.medication:
        read.append(Touch(address.space, "medication"))
    who = Who(address.org, address.account, address.feed)
    await access_log.log_hourly(db, who, "read", read, now, purpose="feed")


async def _shown(db: Db, address: store.Address, has: str, day: datetime, now: datetime) -> _Shown:
    actor = Actor(
        org=address.org,
        account=address.account,
        role=address.role,
        session=address.feed,
        device=None,
    )
    access = await permit.access_to(db, actor, address.space, now)
    people = await care.residents_of_spaces(db, address.org, [address.space])
    if access is None or Permission.PLAN_EDIT not in access.permissions or not people:
        raise _nothing()
    spaces = [address.space]
    if address.medication and await _sees_medication(db, actor, address.space, now):
        spaces.append(care.medication_of(address.space))
        await db.widen(spaces[1:])
    # What follows from these is always the same.
    heads = [(each.epoch, each.head_seq) for each in await records.heads(db, address.org, spaces)]
    made_of = (mos.__version__, zone_release(), address.feed, address.says, people[0], day, heads)
    tag = f'"{hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]}"'
    if tag in {each.strip().removeprefix("W/") for each in has.split(",")}:
        return _Shown(tag, None)
    profile = (await plans.profiles(db, [address.space]))[address.space]
    entries = await store.entries(db, spaces)
    name, language = people[0].name, people[0].language
    return _Shown(tag, Plan(name, language, address.says, profile, entries))


async def _require_editor(db: Db, actor: Actor, space: UUID, now: datetime) -> None:
    await permit.require_may(db, actor, space, Permission.PLAN_EDIT, now)


async def _sees_medication(db: Db, actor: Actor, space: UUID, now: datetime) -> bool:
    access = await permit.access_to(db, actor, care.medication_of(space), now)
    return access is not None and Permission.MEDICATION_VIEW in access.permissions


def _nothing() -> NotFound:
    return NotFound("There is nothing here.")

"""The addresses at which calendar programs read a resident's plan: listed, made, ended."""

from uuid import UUID

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from mos.calendar import actions
from mos.calendar.model import Feed
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/residents/{space:uuid}/calendar-feeds", tags=["calendar"])
async def get_calendar_feeds(space: FromPath[UUID], given: FromEdge, me: SignedIn) -> list[Feed]:
    """List the addresses that hold, oldest first; their secrets nobody knows any more."""
    async with given.pool.transaction(Scope(org=me.org, spaces=(space,))) as db:
        return await actions.list_feeds(db, me, space, given.now)


@post("/residents/{space:uuid}/calendar-feeds", tags=["calendar"])
async def post_calendar_feed(
    space: FromPath[UUID], data: JSONBody[actions.NewFeed], given: FromEdge, me: SignedIn
) -> actions.FeedAdded:
    """Make an address, which is shown this once. It shows what you may see, while you may.

    403 with `medication` for those who do not see it; 409 `feeds_full` where there are 20.
    """
    url = given.settings.public_url
    async with given.pool.transaction(Scope(org=me.org, spaces=(space,))) as db:
        return await actions.add_feed(db, me, space, data, url, given.now)


@delete("/residents/{space:uuid}/calendar-feeds/{feed:uuid}", tags=["calendar"])
async def delete_calendar_feed(
    space: FromPath[UUID], feed: FromPath[UUID], given: FromEdge, me: SignedIn
) -> None:
    """End an address: from now on there is nothing at it."""
    async with given.pool.transaction(Scope(org=me.org, spaces=(space,))) as db:
        await actions.end_feed(db, me, space, feed, given.now)


HANDLERS = [get_calendar_feeds, post_calendar_feed, delete_calendar_feed]

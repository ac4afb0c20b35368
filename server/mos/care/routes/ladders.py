"""Who is told when nobody answers: templates, previews, how much it is, what reached nobody."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from mos.care import rules, store
from mos.care.actions import ladders, load, quiet
from mos.care.actions.self_watch import SelfWatch, self_watch
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope
from mos.dispatch.store import DeadLetter

_Moment = Annotated[datetime, Meta(tz=True)]


@get("/ladder-templates", tags=["ladders"])
async def get_ladder_templates(given: FromEdge, me: SignedIn) -> ladders.TemplatesBody:
    """List the organisation's ladders for residents who have none of their own, and MOS's usual."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await ladders.list_templates(db, me, given.now)


@put("/ladder-templates", tags=["ladders"])
async def put_ladder_template(
    data: JSONBody[ladders.NewTemplate], given: FromEdge, me: SignedIn
) -> ladders.TemplatesBody:
    """Make, replace or move the template of a category and criticality; it holds at once."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await ladders.put_template(db, me, data, given.now)


@delete("/ladder-templates", tags=["ladders"])
async def delete_ladder_template(
    given: FromEdge,
    me: SignedIn,
    category: FromQuery[ladders.Category | None] = None,
    criticality: FromQuery[ladders.Criticality | None] = None,
) -> None:
    """Remove a template; what is wider holds at once."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await ladders.remove_template(db, me, category, criticality, given.now)


@get("/residents/{space:uuid}/ladder", tags=["ladders"])
async def get_resident_ladder(  # noqa: PLR0913, PLR0917  a question of six parts
    space: FromPath[UUID],
    category: FromQuery[ladders.Category],
    criticality: FromQuery[ladders.Criticality],
    at: FromQuery[_Moment],
    given: FromEdge,
    me: SignedIn,
    grace: FromQuery[ladders.Grace] = 30,
    order: FromQuery[bool] = False,  # noqa: FBT002  a query's
) -> ladders.PreviewBody:
    """Say who would be told of what begins at `at`, when, by what, and why others not."""
    asked = ladders.Asked(
        category=category, criticality=criticality, at=at, grace=grace, order=order
    )
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await ladders.preview(db, me, space, asked, given.now)


@post("/residents/{space:uuid}/ladder", status_code=200, tags=["ladders"])
async def post_resident_ladder(
    space: FromPath[UUID], data: JSONBody[ladders.Asked], given: FromEdge, me: SignedIn
) -> ladders.PreviewBody:
    """Say the same of steps that are not saved."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await ladders.preview(db, me, space, data, given.now)


@get("/residents/{space:uuid}/alarm-load", tags=["ladders"])
async def get_alarm_load(
    space: FromPath[UUID], given: FromEdge, me: SignedIn, days: FromQuery[int] = 7
) -> rules.AlarmLoad:
    """Count a resident's rings and alerts on the last whole days."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await load.alarm_load(db, me, space, days, given.now)


@get("/me/alarm-load", tags=["ladders"])
async def get_my_alarm_load(
    given: FromEdge, me: SignedIn, days: FromQuery[int] = 7
) -> rules.AlarmLoad:
    """Count what you yourself were told on the last whole days."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await load.own_alarm_load(db, me, days, given.now)


@get("/me/quiet-hours", tags=["account"])
async def get_quiet_hours(given: FromEdge, me: SignedIn) -> store.QuietHours | None:
    """Say when you rest; null: never."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await quiet.quiet_hours(db, me)


@put("/me/quiet-hours", tags=["account"])
async def put_quiet_hours(
    data: JSONBody[quiet.NewQuietHours], given: FromEdge, me: SignedIn
) -> store.QuietHours:
    """Rest at these hours: what is not critical is told to others meanwhile."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await quiet.keep_quiet_hours(db, me, data)


@delete("/me/quiet-hours", tags=["account"])
async def delete_quiet_hours(given: FromEdge, me: SignedIn) -> None:
    """Be told whenever it is."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await quiet.end_quiet_hours(db, me)


@get("/dead-letters", tags=["ladders"])
async def get_dead_letters(given: FromEdge, me: SignedIn) -> list[DeadLetter]:
    """List messages that failed for good while their alert is open, in the units you manage."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await load.dead_letters(db, me, given.now)


@get("/self-watch", tags=["ladders"])
async def get_self_watch(given: FromEdge, me: SignedIn) -> SelfWatch:
    """Say what was expected to ring on the last 24 hours and what was told: numbers alone."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await self_watch(db, me, given.now)


HANDLERS = [
    get_ladder_templates,
    put_ladder_template,
    delete_ladder_template,
    get_resident_ladder,
    post_resident_ladder,
    get_alarm_load,
    get_my_alarm_load,
    get_quiet_hours,
    put_quiet_hours,
    delete_quiet_hours,
    get_dead_letters,
    get_self_watch,
]

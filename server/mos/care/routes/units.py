"""Units, for those who manage them."""

from uuid import UUID

from litestar import get, patch, post
from litestar.params import FromPath, JSONBody

from mos.care import store
from mos.care.actions import units
from mos.care.actions.news import telling
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/units", tags=["units"])
async def get_units(given: FromEdge, me: SignedIn) -> list[store.Unit]:
    """List the units that you manage, archived ones too."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await units.list_units(db, me, given.now)


@post("/units", tags=["units"])
async def post_unit(data: JSONBody[units.NewUnit], given: FromEdge, me: SignedIn) -> store.Unit:
    """Add a unit. Administrators only."""
    async with telling(given.pool, given.hub, me) as (db, news):
        return await units.add_unit(db, me, data, given.now, news=news)


@patch("/units/{unit_id:uuid}", tags=["units"])
async def patch_unit(
    unit_id: FromPath[UUID], data: JSONBody[units.UnitChange], given: FromEdge, me: SignedIn
) -> store.Unit:
    """Change or archive a unit; 409 `unit_has_residents` while somebody lives there."""
    async with telling(given.pool, given.hub, me) as (db, news):
        return await units.change_unit(db, me, unit_id, data, given.now, news=news)


HANDLERS = [get_units, post_unit, patch_unit]

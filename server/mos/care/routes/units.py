"""Units, for those who manage them."""

from datetime import datetime
from uuid import UUID

from litestar import get, patch, post

from mos.care import store
from mos.care.actions import units
from mos.care.model import Actor
from mos.db import Pool, Scope


@get("/units", tags=["units"])
async def get_units(pool: Pool, actor: Actor, now: datetime) -> list[store.Unit]:
    """List the units that you manage, archived ones too."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await units.list_units(db, actor, now)


@post("/units", tags=["units"])
async def post_unit(data: units.NewUnit, pool: Pool, actor: Actor, now: datetime) -> store.Unit:
    """Add a unit. Administrators only."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await units.add_unit(db, actor, data, now)


@patch("/units/{unit_id:uuid}", tags=["units"])
async def patch_unit(
    unit_id: UUID, data: units.UnitChange, pool: Pool, actor: Actor, now: datetime
) -> store.Unit:
    """Change or archive a unit; 409 `unit_has_residents` while somebody lives there."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await units.change_unit(db, actor, unit_id, data, now)


HANDLERS = [get_units, post_unit, patch_unit]

"""Residents, for those who manage them; and whether their tablets are alive."""

from datetime import datetime
from uuid import UUID

from litestar import get, patch, post

from mos.care import store
from mos.care.actions import residents
from mos.care.actions.news import telling
from mos.care.model import Actor
from mos.db import Pool, Scope
from mos.sync.pokes import Hub


@get("/residents", tags=["residents"])
async def get_residents(pool: Pool, actor: Actor, now: datetime) -> list[store.Resident]:
    """List the residents of the units that you manage, archived ones too."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await residents.list_residents(db, actor, now)


@post("/residents", tags=["residents"])
async def post_resident(
    data: residents.NewResident, pool: Pool, hub: Hub, actor: Actor, now: datetime
) -> store.Resident:
    """Add a resident: an account, a space for their day, and its profile."""
    async with telling(pool, hub, actor) as (db, news):
        return await residents.add_resident(db, actor, data, now, news=news)


@patch("/residents/{space:uuid}", tags=["residents"])
async def patch_resident(  # noqa: PLR0913, PLR0917  what Litestar injects
    space: UUID, data: residents.ResidentChange, pool: Pool, hub: Hub, actor: Actor, now: datetime
) -> store.Resident:
    """Change, move, archive or bring back a resident. Archiving signs them out."""
    async with telling(pool, hub, actor) as (db, news):
        return await residents.change_resident(db, actor, space, data, now, news=news)


@get("/residents/{space:uuid}/devices", tags=["residents"])
async def get_resident_devices(
    space: UUID, pool: Pool, actor: Actor, now: datetime
) -> list[residents.ResidentDevice]:
    """List the devices that ring for a resident: when last heard of, and whether they can ring."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await residents.list_devices(db, actor, space, now)


HANDLERS = [get_residents, post_resident, patch_resident, get_resident_devices]

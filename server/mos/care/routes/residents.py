"""Residents, for those who manage them; and whether their tablets are alive."""

from uuid import UUID

from litestar import get, patch, post
from litestar.params import FromPath, JSONBody

from mos.care import store
from mos.care.actions import residents
from mos.care.actions.news import telling
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/residents", tags=["residents"])
async def get_residents(given: FromEdge, me: SignedIn) -> list[store.Resident]:
    """List the residents of the units that you manage, archived ones too."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await residents.list_residents(db, me, given.now)


@post("/residents", tags=["residents"])
async def post_resident(
    data: JSONBody[residents.NewResident], given: FromEdge, me: SignedIn
) -> store.Resident:
    """Add a resident: an account, a space for their day, and its profile."""
    async with telling(given.pool, given.hub, me) as (db, news):
        return await residents.add_resident(db, me, data, given.now, news=news)


@patch("/residents/{space:uuid}", tags=["residents"])
async def patch_resident(
    space: FromPath[UUID], data: JSONBody[residents.ResidentChange], given: FromEdge, me: SignedIn
) -> store.Resident:
    """Change, move, archive or bring back a resident. Archiving signs them out."""
    async with telling(given.pool, given.hub, me) as (db, news):
        return await residents.change_resident(db, me, space, data, given.now, news=news)


@get("/residents/{space:uuid}/devices", tags=["residents"])
async def get_resident_devices(
    space: FromPath[UUID], given: FromEdge, me: SignedIn
) -> list[store.ResidentDevice]:
    """List the devices that ring for a resident: when last heard of, and whether they can ring.

    `id` is there for those who may end them; `purged_at` says when one told that it has forgotten
    what this resident's space holds.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await residents.list_devices(db, me, space, given.now)


@get("/residents/devices", tags=["residents"])
async def get_residents_devices(given: FromEdge, me: SignedIn) -> list[store.ResidentDevice]:
    """List the devices of all residents whose plan you see, without their ids."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await residents.list_all_devices(db, me, given.now)


@get("/residents/{space:uuid}/devices/ended", tags=["residents"])
async def get_resident_ended_devices(
    space: FromPath[UUID], given: FromEdge, me: SignedIn
) -> list[store.EndedDevice]:
    """List the resident's devices that were ended in the last 90 days.

    `wiped_at` says when a device told that it has forgotten everything; until then it may not have.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await residents.list_ended_devices(db, me, space, given.now)


@post("/residents/{space:uuid}/devices/{device:uuid}/wipe", status_code=204, tags=["residents"])
async def post_wipe(
    space: FromPath[UUID], device: FromPath[UUID], given: FromEdge, me: SignedIn
) -> None:
    """End a resident's device that was lost, and every session on it; it forgets what it has.

    For those who manage the resident. 404 for one that has been ended, or is somebody else's.
    """
    async with telling(given.pool, given.hub, me) as (db, news):
        await residents.wipe_device(db, me, space, device, given.now, news=news)


HANDLERS = [
    get_residents,
    post_resident,
    patch_resident,
    get_resident_devices,
    get_residents_devices,
    get_resident_ended_devices,
    post_wipe,
]

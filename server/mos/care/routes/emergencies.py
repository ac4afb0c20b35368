"""Emergency access: open a resident who is not one's own, and end it."""

from uuid import UUID

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from mos.care import store
from mos.care.actions import emergencies
from mos.care.actions.news import telling
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/emergencies/units", tags=["emergencies"])
async def get_emergency_units(given: FromEdge, me: SignedIn) -> list[store.Choice]:
    """List the units whose residents may be opened in an emergency: caregivers and nurses."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await emergencies.units(db, me, given.now)


@get("/emergencies/units/{unit_id:uuid}/residents", tags=["emergencies"])
async def get_emergency_residents(
    unit_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> list[store.Choice]:
    """List who lives in a unit and is not yours already; asks once more who you are."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await emergencies.residents(db, me, unit_id, given.now)


@get("/emergencies/mine", tags=["emergencies"])
async def get_my_emergencies(given: FromEdge, me: SignedIn) -> list[emergencies.Opened]:
    """List what you have open now."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await emergencies.mine(db, me, given.now)


@post("/emergencies", tags=["emergencies"])
async def post_emergency(
    data: JSONBody[emergencies.Opening], given: FromEdge, me: SignedIn
) -> emergencies.Opened:
    """Open a resident for four hours, and say why; whoever answers for them is told at once.

    409 `seen_already` where you see them anyway, `many_emergencies` after five within a day.
    """
    async with telling(given.pool, given.hub, me) as (db, news):
        return await emergencies.open_resident(db, me, data, given.now, news=news)


@delete("/emergencies/{emergency_id:uuid}", tags=["emergencies"])
async def delete_emergency(emergency_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """End an emergency access now: your own, or one in a unit that you manage."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await emergencies.end(db, me, emergency_id, given.now, news=news)


HANDLERS = [
    get_emergency_units,
    get_emergency_residents,
    get_my_emergencies,
    post_emergency,
    delete_emergency,
]

"""Who is on call."""

from datetime import date
from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from mos.care import store
from mos.care.actions import duty
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/units/{unit_id:uuid}/rotas", tags=["duty"])
async def get_rotas(unit_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> list[store.Rota]:
    """List a unit's rotas, with the days on which somebody else has the turn."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await duty.list_rotas(db, me, unit_id, given.now)


@post("/units/{unit_id:uuid}/rotas", tags=["duty"])
async def post_rota(
    unit_id: FromPath[UUID], data: JSONBody[duty.NewRota], given: FromEdge, me: SignedIn
) -> store.Rota:
    """Add a rota; 400 `not_called` where somebody on it may not take the unit's alerts."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await duty.add_rota(db, me, unit_id, data, given.now)


@put("/rotas/{rota_id:uuid}", tags=["duty"])
async def put_rota(
    rota_id: FromPath[UUID], data: JSONBody[duty.NewRota], given: FromEdge, me: SignedIn
) -> store.Rota:
    """Replace a rota's rule; its changed days stay."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await duty.change_rota(db, me, rota_id, data, given.now)


@delete("/rotas/{rota_id:uuid}", tags=["duty"])
async def delete_rota(rota_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """Remove a rota: nobody has duty by it any more."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await duty.remove_rota(db, me, rota_id, given.now)


@put("/rotas/{rota_id:uuid}/changes/{day:date}", tags=["duty"])
async def put_rota_change(
    rota_id: FromPath[UUID],
    day: FromPath[date],
    data: JSONBody[duty.Replacement],
    given: FromEdge,
    me: SignedIn,
) -> store.Rota:
    """Let somebody else, or nobody, have the turn that begins on a day."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await duty.change_day(db, me, rota_id, day, instead=data, now=given.now)


@delete("/rotas/{rota_id:uuid}/changes/{day:date}", status_code=200, tags=["duty"])
async def delete_rota_change(
    rota_id: FromPath[UUID], day: FromPath[date], given: FromEdge, me: SignedIn
) -> store.Rota:
    """Let the rule decide about a day again."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await duty.unchange_day(db, me, rota_id, day, given.now)


@get("/units/{unit_id:uuid}/duty", tags=["duty"])
async def get_unit_duty(
    unit_id: FromPath[UUID], given: FromEdge, me: SignedIn, days: FromQuery[int] = 14
) -> list[store.OnDuty]:
    """List who has duty in a unit from now on."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await duty.unit_duty(db, me, unit_id, days, given.now)


@get("/me/duty", tags=["duty"])
async def get_my_duty(
    given: FromEdge, me: SignedIn, days: FromQuery[int] = 14
) -> list[store.OnDuty]:
    """List your own turns on call from now on."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await duty.own_duty(db, me, days, given.now)


HANDLERS = [
    get_rotas,
    post_rota,
    put_rota,
    delete_rota,
    put_rota_change,
    delete_rota_change,
    get_unit_duty,
    get_my_duty,
]

"""What there is of somebody, asked for and fetched over HTTP."""

from uuid import UUID

from litestar import delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope
from mos.rights.actions import asking
from mos.rights.model import Export, Form

_KINDS: dict[Form, str] = {"json": "application/json", "pdf": "application/pdf"}


@get("/exports", tags=["rights"])
async def get_exports(given: FromEdge, me: SignedIn) -> list[Export]:
    """List what you have asked for within seven days, and how far it is."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await asking.mine(db, me, given.now)


@post("/exports", tags=["rights"])
async def post_export(data: JSONBody[asking.Asking], given: FromEdge, me: SignedIn) -> Export:
    """Ask for all that there is of you, or of a resident whom you manage and see.

    A worker makes it; what is on its way, or less than an hour old, is answered again.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await asking.ask(db, me, data, given.now)


@get("/exports/{export_id:uuid}/file", tags=["rights"])
async def get_export_file(
    export_id: FromPath[UUID], given: FromEdge, me: SignedIn, form: FromQuery[Form] = "pdf"
) -> Stream:
    """Download what you have asked for: complete as JSON, or to be read as PDF.

    409 `not_made` while it is none.
    """
    file = await asking.fetch(given.pool, me, export_id, form, given.now)
    headers = {
        "content-disposition": f'attachment; filename="mos-{file.at:%Y-%m-%d}.{form}"',
        "content-length": str(file.size),
        "cache-control": "no-store",
    }
    return Stream(file.pieces, media_type=_KINDS[form], headers=headers)


@delete("/exports/{export_id:uuid}", tags=["rights"])
async def delete_export(export_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """Delete what you have asked for, before its week is over."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await asking.drop(db, me, export_id)


HANDLERS = [get_exports, post_export, get_export_file, delete_export]

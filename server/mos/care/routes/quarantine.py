"""What could not be taken of a resident's plan and day."""

from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, JSONBody

from mos.care.actions import quarantine
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/residents/quarantine", tags=["residents"])
async def get_quarantines(given: FromEdge, me: SignedIn) -> list[quarantine.Waiting]:
    """List the residents of whom something refused waits to be settled by you, and how much.

    At most 500 changes are counted over all of them.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await quarantine.waiting(db, me, given.collections, given.now)


@get("/residents/{space:uuid}/quarantine", tags=["residents"])
async def get_quarantine(
    space: FromPath[UUID], given: FromEdge, me: SignedIn
) -> quarantine.QuarantineBody:
    """List what devices sent and the server refused, and how much they have lost.

    First what nobody has handled, the latest first; then what was handled in the last 30 days.
    Medication is among it for those who see medication.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await quarantine.look(db, me, space, given.collections, given.now)


@post("/residents/{space:uuid}/quarantine/{op:uuid}/handled", status_code=204, tags=["residents"])
async def post_quarantine_handled(
    space: FromPath[UUID],
    op: FromPath[UUID],
    data: JSONBody[quarantine.Handling],
    given: FromEdge,
    me: SignedIn,
) -> None:
    """Say what became of it: you entered it `again`, in your own name, or it was `dropped`.

    For those with alert.take. 409 `conflict`: somebody else has said otherwise.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await quarantine.handle(db, me, space, op, given.collections, how=data.how, now=given.now)


HANDLERS = [get_quarantines, get_quarantine, post_quarantine_handled]

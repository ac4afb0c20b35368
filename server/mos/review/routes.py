"""The logs over HTTP."""

from datetime import date, datetime
from uuid import UUID

from litestar import get, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from mos.audit.model import Event, Kind
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope
from mos.review.actions import emergencies, exporting, reading, samples
from mos.review.model import Choices, Emergency, Sample, SeenPage

_KINDS: dict[exporting.Format, str] = {
    "csv": "text/csv",  # Litestar adds the charset
    "json": "application/json",
}


@get("/logs", tags=["logs"])
async def get_logs(given: FromEdge, me: SignedIn) -> Choices:
    """Say which logs you may read, and whom you can choose in them."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await reading.choices(db, me, given.now)


@get("/logs/accesses", tags=["logs"])
async def get_accesses(  # noqa: PLR0913, PLR0917  a filter
    given: FromEdge,
    me: SignedIn,
    space: FromQuery[UUID | None] = None,
    account: FromQuery[UUID | None] = None,
    kind: FromQuery[Kind | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    after: FromQuery[str | None] = None,
) -> reading.AccessPage:
    """Read who read or changed what, latest first: of the last thirty days unless `since` says."""
    asked = reading.Asked(space, account, kind, since, until)
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await reading.accesses(db, me, asked, after, given.now)


@get("/logs/accesses/export", tags=["logs"])
async def get_accesses_export(  # noqa: PLR0913, PLR0917  a filter
    given: FromEdge,
    me: SignedIn,
    form: FromQuery[exporting.Format] = "csv",
    space: FromQuery[UUID | None] = None,
    account: FromQuery[UUID | None] = None,
    kind: FromQuery[Kind | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> Stream:
    """Download the same as a file, CSV or JSON; that you did stands in the audit log."""
    asked = reading.Asked(space, account, kind, since, until)
    parts = await exporting.export(given.pool, me, asked, form, given.now)
    name = f"mos-{given.now:%Y-%m-%d}.{form}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Stream(parts, media_type=_KINDS[form], headers=headers)


@get("/logs/events", tags=["logs"])
async def get_events(  # noqa: PLR0913, PLR0917  a filter
    given: FromEdge,
    me: SignedIn,
    account: FromQuery[UUID | None] = None,
    event: FromQuery[Event | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    before: FromQuery[int | None] = None,
) -> reading.ChainPage:
    """Read what security rests on: the organisation's chain, latest first."""
    asked = reading.Asked(None, account, None, since, until)
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await reading.chain(db, me, asked, given.now, event=event, before=before)


@get("/logs/samples", tags=["logs"])
async def get_samples(
    given: FromEdge, me: SignedIn, month: FromQuery[date | None] = None
) -> samples.Queue:
    """Read what was drawn to be looked at, of a month, and which months there are."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await samples.queue(db, me, month, given.now)


@put("/logs/samples/{month:date}/{entry_id:uuid}", tags=["logs"])
async def put_sample(
    month: FromPath[date],
    entry_id: FromPath[UUID],
    data: JSONBody[samples.Looked],
    given: FromEdge,
    me: SignedIn,
) -> Sample:
    """Say what came of a look. 403 `own_access` for one's own; 409 `decided` once it is."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await samples.look(db, me, month, entry_id, data, given.now)


@get("/logs/emergencies", tags=["logs"])
async def get_emergencies(given: FromEdge, me: SignedIn) -> list[Emergency]:
    """Read whom staff opened in an emergency within a year, what nobody has looked at first."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await emergencies.emergencies(db, me, given.now)


@put("/logs/emergencies/{emergency_id:uuid}", tags=["logs"])
async def put_emergency(
    emergency_id: FromPath[UUID], data: JSONBody[samples.Looked], given: FromEdge, me: SignedIn
) -> Emergency:
    """Say what came of a look. 403 `own_access` for one's own; 409 `decided` once it is."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await emergencies.look(db, me, emergency_id, data, given.now)


@get("/residents/{space:uuid}/accesses", tags=["logs"])
async def get_resident_accesses(
    space: FromPath[UUID],
    given: FromEdge,
    me: SignedIn,
    before: FromQuery[date | None] = None,
) -> SeenPage:
    """Read who has seen a resident's data, by day and person: seven days up to `before`."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await reading.seen(db, me, space, before, given.now)


HANDLERS = [
    get_logs,
    get_accesses,
    get_accesses_export,
    get_events,
    get_samples,
    put_sample,
    get_emergencies,
    put_emergency,
    get_resident_accesses,
]

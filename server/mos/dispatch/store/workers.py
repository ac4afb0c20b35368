"""The workers: who is alive, how their statements are planned, when there is work next."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries

_sql = Queries(__package__, "workers.sql")


class _Moment(Struct, frozen=True):
    at: datetime | None


class _Planner(Struct, frozen=True):
    hash: str
    merge: str
    sort: str
    bitmap: str
    whole: str


_BY_INDEX = _sql.query("by_index", _Planner)
_BEAT = _sql.command("beat")
_FORGET_WORKERS = _sql.command("forget_workers")
_NEXT_MOMENT = _sql.query("next_moment", _Moment)


async def by_index(db: Db) -> None:
    """Let the planner go row by row, by indexes and in their order, until the transaction ends."""
    await db.one(_BY_INDEX)


async def beat(db: Db, worker: UUID, now: datetime) -> None:
    """Say that `worker` is alive."""
    await db.run(_BEAT, worker=worker, now=now)


async def forget_workers(db: Db, before: datetime) -> None:
    """Forget workers that have not been alive since `before`."""
    await db.run(_FORGET_WORKERS, before=before)


async def next_moment(db: Db) -> datetime | None:
    """Return when the engine has something to do next, or None."""
    row = await db.one(_NEXT_MOMENT)
    return row.at if row is not None else None

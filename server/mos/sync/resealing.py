"""Seals what was written before values were sealed, while MOS serves; or counts what is plain.

Space by space, some rows in a transaction of their own, under the lock that a push takes. What is
sealed already is left alone: killed at any moment, it is run again and does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Pool, Queries, Scope
from mos.privacy.sealing import KeyGone
from mos.sync.model import Collections
from mos.sync.sealing import Records, clear_of, records_of

_sql = Queries(__package__, "resealing.sql")

_AT_ONCE = 500
_SPACES_AT_ONCE = 200
_NOBODY = UUID(int=0)

# Told how many spaces are done.
Progress = Callable[[int], None]


class _Place(Struct, frozen=True):
    org: UUID
    space: UUID


class _About(Struct, frozen=True):
    rec: UUID
    of: Any


class _Row(Struct, frozen=True):
    place: int
    rec: UUID
    coll: str
    kind: str
    held: Any


class _Refused(Struct, frozen=True):
    op: UUID
    payload: Any


_SPACES = _sql.query("spaces_after", _Place)
_LOCK = _sql.command("lock_to_seal")
_ABOUT = _sql.query("conflicts_about", _About)
_RECORDS = _sql.query("records_after", _Row)
_OPS = _sql.query("ops_after", _Row)
_REPLACE_RECORDS = _sql.command("replace_records")
_REPLACE_OPS = _sql.command("replace_ops")
_REFUSED = _sql.query("refused_of_space", _Refused)
_REPLACE_REFUSED = _sql.command("replace_refused")

_TABLES = ((_RECORDS, _REPLACE_RECORDS), (_OPS, _REPLACE_OPS))


@dataclass
class Tally:
    """How many rows were looked at, held something plain, and could not be opened any more."""

    rows: int = 0
    plain: int = 0
    gone: int = 0


async def seal_all(
    pool: Pool,
    collections: Collections,
    *,
    check: bool = False,
    progress: Progress = lambda _done: None,
) -> Tally:
    """Seal whatever lies plain, as the owner of the schema; return what was found.

    With `check` nothing is changed: everything is opened, and what is plain is counted. Raises
    SealBroken for a value that does not open.
    """
    tally, at, done = Tally(), _Place(_NOBODY, _NOBODY), 0
    while True:
        async with pool.transaction() as db:
            spaces = await db.all(_SPACES, org=at.org, space=at.space, limit=_SPACES_AT_ONCE)
        if not spaces:
            return tally
        for at in spaces:
            await _space(pool, at, collections, tally, check=check)
            done += 1
            progress(done)


async def _space(
    pool: Pool, at: _Place, collections: Collections, tally: Tally, *, check: bool
) -> None:
    for read, write in _TABLES:
        after = 0
        while True:
            async with pool.transaction(Scope(at.org, (at.space,))) as db:
                await db.run(_LOCK, org=at.org, space=at.space)
                rows = await db.all(read, org=at.org, space=at.space, after=after, limit=_AT_ONCE)
                if not rows:
                    break
                after = rows[-1].place
                changed = await _changed(db, at, rows, collections, tally, check=check)
                if changed and not check:
                    places, helds = zip(*changed, strict=True)
                    await db.run(write, org=at.org, space=at.space, places=places, helds=helds)
    async with pool.transaction(Scope(at.org, (at.space,))) as db:
        await db.run(_LOCK, org=at.org, space=at.space)
        await _refused(db, at, collections, tally, check=check)


async def _changed(  # noqa: PLR0913  rows, where they lie, and what is known
    db: Db,
    at: _Place,
    rows: list[_Row],
    collections: Collections,
    tally: Tally,
    *,
    check: bool,
) -> list[tuple[int, Any]]:
    records = await records_of(db, at.org, [at.space], make=True)
    about = {row.rec: row.of for row in await db.all(_ABOUT, org=at.org, space=at.space)}
    found = []
    for row in rows:
        tally.rows += 1
        clear = clear_of(collections, row.coll)
        try:
            held = records.before(
                at.space, row.coll, row.rec, row.held, clear, row.kind, about.get(row.rec)
            )
            if check:
                records.doc(at.space, row.coll, row.rec, row.held)
        except KeyGone:
            tally.gone += 1
            continue
        if held != row.held:
            tally.plain += 1
            found.append((row.place, held))
    return found


async def _refused(
    db: Db, at: _Place, collections: Collections, tally: Tally, *, check: bool
) -> None:
    rows = await db.all(_REFUSED, org=at.org, space=at.space)
    if not rows:
        return
    records = await records_of(db, at.org, [at.space], make=True)
    changed = []
    for row in rows:
        tally.rows += 1
        try:
            payload = _payload(records, at, row, collections)
        except KeyGone:
            tally.gone += 1
            continue
        if payload != row.payload:
            tally.plain += 1
            changed.append((row.op, payload))
    if changed and not check:
        ops, payloads = zip(*changed, strict=True)
        await db.run(_REPLACE_REFUSED, org=at.org, space=at.space, ops=ops, payloads=payloads)


def _payload(records: Records, at: _Place, row: _Refused, collections: Collections) -> Any:
    if isinstance(row.payload, str):
        return records.raw(at.space, row.op, row.payload)
    val = row.payload.get("val") if isinstance(row.payload, dict) else None
    if not isinstance(val, dict):
        return row.payload
    coll, rec = str(row.payload.get("coll") or ""), str(row.payload.get("rec") or "")
    kind = str(row.payload.get("kind") or "set")
    clear = clear_of(collections, coll)
    return row.payload | {"val": records.before(at.space, coll, rec, val, clear, kind, None)}

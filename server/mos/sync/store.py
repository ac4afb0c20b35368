"""Every statement of synchronisation, one typed function each.

Transaction and scope are the caller's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from mos.db import Db, Queries
from mos.sync import safety
from mos.sync.model import Author, Cursor, Groups, ResetWhy, Verdict
from mos.sync.sealing import AnyDoc, records_of

_sql = Queries(__package__)


class PushRow(Struct, frozen=True):
    """One row of `sync_push`'s answer: an op's verdict, a space's place, or a changed record."""

    ord: int | None
    space: UUID
    verdict: Verdict | Literal["system"] | None
    code: str | None
    was: Verdict | None
    seq: int | None
    hlc: str | None
    claimed: str | None
    n: int | None
    doc: Any


class PullRow(Struct, frozen=True):
    """One space that changed since its cursor, or whose cursor does not fit."""

    space: UUID
    is_erased: bool
    reset: ResetWhy | None
    epoch: int
    rows: str | None  # a JSON array
    more: bool
    seq: int
    tag: str | None
    floor: int
    live_n: int
    live_sum: int
    live_sq: int


class Head(Struct, frozen=True):
    """Where a space stands; `last_n` is the device's, None when it never pushed there.

    `missing` are the numbers below it that never came, first and last.
    """

    space: UUID
    epoch: int
    head_seq: int
    floor_seq: int
    is_erased: bool
    last_n: int | None
    missing: list[tuple[int, int]]


class Doc(Struct, frozen=True):
    """One record as it stands: group → value."""

    org: UUID
    space: UUID
    rec: UUID
    doc: Groups


class _DeviceClock(Struct, frozen=True):
    space: UUID
    last_hlc: str


_PUSH = _sql.query("push", PushRow)
_PUSH_SAFETY = _sql.query("push_safety", PushRow)
_DEVICE_CLOCKS = _sql.query("device_clocks", _DeviceClock)
_PULL = _sql.query("pull", PullRow)
_HEADS = _sql.query("heads", Head)
_DOCS = _sql.query("docs", Doc)


async def push(  # noqa: PLR0913  the function's own parameters
    db: Db,
    org: UUID,
    items: list[dict[str, Any]],
    now: datetime,
    *,
    author: Author | None = None,
    skew_ms: int = 0,
) -> list[PushRow]:
    """Apply a batch; return verdicts, places and changed records (see the function's own words).

    Without `author` the ops are the server's own.
    """
    holds_safety = any(item.get("kind") in safety.KINDS for item in items)
    return await db.all(
        _PUSH_SAFETY if holds_safety else _PUSH,
        org=org,
        device=author and author.device,
        account=author and author.account,
        session=author and author.session,
        now=now,
        skew_ms=skew_ms,
        spaces=sorted({item["space"] for item in items}),
        ops=msgspec.json.encode(items),
    )


async def device_clocks(db: Db, org: UUID, device: UUID, spaces: Sequence[UUID]) -> dict[UUID, str]:
    """Return the latest clock kept from `device` in each of `spaces`; locks the spaces."""
    rows = await db.all(_DEVICE_CLOCKS, org=org, device=device, spaces=spaces)
    return {row.space: row.last_hlc for row in rows}


async def pull(
    db: Db, org: UUID, cursors: dict[UUID, Cursor], *, limit: int, max_bytes: int
) -> list[PullRow]:
    """Return what changed in each space since its cursor; unchanged spaces are absent.

    Sets the transaction's scope to the spaces asked for.
    """
    asked = cursors.values()
    return await db.all(
        _PULL,
        org=org,
        spaces=list(cursors),
        cursors=[cursor.text for cursor in asked],
        epochs=[cursor.epoch for cursor in asked],
        seqs=[cursor.seq for cursor in asked],
        tags=[cursor.tag for cursor in asked],
        floors=[cursor.floor for cursor in asked],
        limit=limit,
        bytes=max_bytes,
    )


async def heads(
    db: Db, org: UUID, spaces: Sequence[UUID], *, device: UUID | None = None
) -> list[Head]:
    """Return where each of `spaces` stands, ordered by space."""
    return await db.all(_HEADS, org=org, spaces=spaces, device=device)


async def docs(db: Db, space: UUID, coll: str) -> list[Doc]:
    """Return the records of `coll` in `space` that are not deleted, ordered by id."""
    return await docs_of_spaces(db, [space], coll)


async def docs_of_spaces(db: Db, spaces: Sequence[UUID], coll: str) -> list[Doc]:
    """Return the records of `coll` in `spaces` that are not deleted: one statement for all."""
    return await opened(db, coll, await db.all(_DOCS, spaces=spaces, coll=coll))


async def opened(db: Db, coll: str, docs: Sequence[AnyDoc]) -> list[AnyDoc]:
    """Return rows of records of `coll`, opened; what was of somebody erased is left out."""
    if not docs:
        return []
    records = await records_of(db, docs[0].org, {each.space for each in docs})
    return records.docs(coll, docs)

"""Refused changes that whoever wrote them has not read: told wherever they are signed in.

The device that wrote one may have been handed on before the answer came, or may never be seen
again. What was written lies in quarantine; here is that somebody has to be told of it.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from mos.db import Db, Queries
from mos.privacy.sealing import KeyGone
from mos.sync import hlc, quarantine
from mos.sync.model import Author, Refused, Result
from mos.sync.sealing import records_of

_sql = Queries(__package__, "unread.sql")

_TOLD = frozenset({"invalid", "forbidden", "stale_resolve"})


class _Unread(Struct, frozen=True):
    op: UUID
    space: UUID
    coll: str
    rec: UUID | None
    verdict: str
    code: str
    choice: Any
    at: datetime
    payload: Any


class _Count(Struct, frozen=True):
    count: int


_NOTE = _sql.query("note_unread", _Count)
_READ = _sql.command("read")
_UNREAD = _sql.query("unread", _Unread)


async def note(
    db: Db,
    author: Author,
    items: Sequence[Mapping[str, Any]],
    results: Sequence[Result],
    now: datetime,
) -> None:
    """Keep for the author which of their ops were refused: `items` as judged, in order.

    What was erased is kept nowhere, not even that it was refused.
    """
    refused = [
        _noted(item, result, now)
        for item, result in zip(items, results, strict=True)
        if result.s in _TOLD
    ]
    if refused:
        encoded = msgspec.json.encode(refused)
        await db.one(_NOTE, org=author.org, account=author.account, refused=encoded, now=now)


async def read(db: Db, org: UUID, account: UUID, ops: Sequence[UUID]) -> None:
    """Forget what the author says that they have read."""
    if ops:
        await db.run(_READ, org=org, account=account, ops=ops)


async def unread(db: Db, org: UUID, account: UUID, spaces: Collection[UUID]) -> list[Refused]:
    """Return an account's refused changes that it has not read, the latest first.

    What was written is told of `spaces`, which the account may see and the scope holds; of others
    only which kind of change it was, when, and why it was refused.
    """
    found = await db.all(_UNREAD, org=org, account=account)
    seen = {each.space for each in found if each.payload is not None}
    records = await records_of(db, org, seen) if seen else None
    told = []
    for each in found:
        what: Any = {} if each.choice is None else each.choice
        if records is not None and each.payload is not None:
            # Of somebody erased there is nothing left to tell.
            with suppress(KeyGone):
                payload = records.payload(each.space, each.op, each.payload)
                what = quarantine.written(payload)[1]
        is_seen = each.space in spaces
        told.append(
            Refused(
                op=each.op,
                space=each.space,
                coll=each.coll,
                rec=each.rec if is_seen else None,
                what=what if is_seen else {},
                code=each.code,
                verdict=each.verdict,
                at=each.at,
                bare=UNSET if is_seen else True,
            )
        )
    return told


def _noted(item: Mapping[str, Any], result: Result, now: datetime) -> dict[str, Any]:
    is_choice = item.get("kind") == "resolve" and result.s == "stale_resolve"
    clock = item.get("made_hlc") or item.get("hlc")
    return {
        "op": item["op"],
        "space": item["space"],
        "coll": item.get("coll") or "",
        "rec": item.get("rec"),
        "verdict": result.s,
        "code": result.s if result.code is UNSET else result.code,
        # Why somebody chose it is not kept: only what.
        "choice": {key: item["val"][key] for key in ("choose", "base", "seen")}
        if is_choice
        else None,
        "made": _moment(clock, now) if clock else now,
    }


def _moment(clock: str, now: datetime) -> datetime:
    """Return when an op says that it was written, never later than now; UTC."""
    with suppress(ValueError, OverflowError, OSError):
        return min(datetime.fromtimestamp(hlc.millis(clock) / 1000, UTC), now)
    return now

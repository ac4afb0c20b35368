"""What becomes of a device's ops before the database judges them."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from msgspec import Struct

from mos.db import Db
from mos.sync import authorship, hlc, rules, safety, store
from mos.sync.authorship import Judged
from mos.sync.model import (
    Author,
    Collections,
    EventOp,
    Op,
    RecordName,
    Refusal,
    ResolveOp,
    SafetyOp,
    Unreadable,
)
from mos.sync.sealing import Records

_log = structlog.get_logger(__name__)


async def items_of(  # noqa: PLR0913  a batch, whose it is and when
    db: Db,
    author: Author,
    ops: list[Op | Unreadable],
    collections: Collections,
    now: datetime,
    *,
    skew_ms: int,
    set_aside: bool,
    records: Records,
) -> list[dict[str, Any]]:
    """Return ops as sync_push takes them; those that are refused already say why.

    They are plain; `records` says what equal values share. `skew_ms` is how far the device's clock
    was ahead when it sent. With `set_aside` all are refused. Where a clock is too far ahead, locks
    the spaces of the whole batch.
    """
    anew = await _stamped_anew(db, author, ops, now, skew_ms)
    unknown = await _unknown(db, author.org, ops, collections)
    items = [_item(op, author, collections, anew, now, records) for op in ops]
    large = rules.large_groups(item.get("g") for item in items)
    for item in items:
        if item.get("g") in large:
            item.update(_refused(rules.LARGE_GROUP))
        elif "verdict" in item:
            continue
        elif (item["coll"], item["space"], item["rec"]) in unknown:
            item.update(_refused(rules.UNKNOWN_RECORD))
        elif set_aside:
            item.update(_refused(rules.HOOK_FAILED))
    for item in items:
        if item.get("kind") == "safety" and "verdict" not in item:
            is_anew = "claimed" in item
            item["val"]["aged"] = is_anew and safety.aged(item.get("made_hlc"), now)
            if is_anew:
                item["val"]["made"] = item.get("made_hlc", hlc.NEVER)
    return items


class _Stamp(Struct, frozen=True):
    """The clock that is kept of an op whose own is not believed, and when it was written.

    None: nobody knows.
    """

    hlc: str
    made: str | None


async def _stamped_anew(
    db: Db, author: Author, ops: list[Op | Unreadable], now: datetime, skew_ms: int
) -> dict[UUID, _Stamp]:
    now_ms = int(now.timestamp() * 1000)
    readable = [op for op in ops if not isinstance(op, Unreadable)]
    if not any(rules.ahead(op.hlc, now_ms) for op in readable):
        return {}
    # All that sync_push will lock, in its order: with some locked before the others, two batches
    # would wait for each other.
    spaces = {op.ids.space if isinstance(op, Unreadable) else op.space for op in ops}
    floors = await store.device_clocks(db, author.org, author.device, sorted(spaces))
    kept = rules.clamped(readable, floors, now_ms)
    return {
        op.op: _Stamp(kept[op.op], rules.made(op.hlc, op.op, skew_ms=skew_ms, now_ms=now_ms))
        for op in readable
        if op.op in kept
    }


async def _unknown(
    db: Db, org: UUID, ops: list[Op | Unreadable], collections: Collections
) -> set[tuple[str, UUID, UUID]]:
    """Return the records (collection, space, id) that are the server's to begin, and are not."""
    asked: dict[str, set[RecordName]] = defaultdict(set)
    for op in ops:
        if not isinstance(op, Unreadable):
            asked[op.coll].add((op.space, rules.record_of(op)))
    unknown: set[tuple[str, UUID, UUID]] = set()
    for name, wanted in asked.items():
        known = collections[name].known if name in collections else None
        if known is not None:
            missing = wanted - await known(db, org, sorted(wanted))
            unknown |= {(name, space, rec) for space, rec in missing}
    return unknown


def _item(  # noqa: PLR0913, PLR0917  an op, whose it is, and what is known
    op: Op | Unreadable,
    author: Author,
    collections: Collections,
    anew: dict[UUID, _Stamp],
    now: datetime,
    records: Records,
) -> dict[str, Any]:
    """Return the op as sync_push takes it."""
    if isinstance(op, Unreadable):
        item: dict[str, Any] = {
            "space": op.ids.space,
            "op": op.ids.op,
            "n": rules.number(op.ids.n),
            "g": rules.group_of(op),
            "raw": op.text,
        }
        # What is wrong with an op in a space that is not theirs is not theirs to know either.
        return item | _refused(authorship.no_space(op.ids.space, author) or op.refusal)
    groups = rules.groups_of(op)
    stamp = anew.get(op.op, _Stamp(op.hlc, op.hlc))
    made_ms = None if stamp.made is None else hlc.millis(stamp.made)
    judged = _judged(op, made_ms, author, collections)
    if judged.refusal is None and rules.is_too_old(author.schema, collections[op.coll]):
        judged = Judged(Refusal("invalid", "schema", "coll"))
    if isinstance(op, EventOp):
        groups = {**groups, "by": author.account, **authorship.late_group(judged.late, now)}
    item = {
        "space": op.space,
        "op": op.op,
        "n": op.n,
        "kind": rules.kind_of(op),
        "coll": op.coll,
        "rec": rules.record_of(op),
        "hlc": stamp.hlc,
        "val": groups,
        "g": rules.group_of(op),
    }
    if stamp.hlc != op.hlc:
        item["claimed"] = op.hlc
        if stamp.made is not None:
            item["made_hlc"] = stamp.made
    if isinstance(op, SafetyOp | ResolveOp) and judged.refusal is None:
        words = author.reach[op.space]
        item["val"] = safety.logged(op, collections[op.coll], words, records.digest)
        item |= safety.beside(op, stamp.hlc, now)
    return item if judged.refusal is None else item | _refused(judged.refusal)


def _judged(op: Op, made_ms: int | None, author: Author, collections: Collections) -> Judged:
    try:
        return authorship.judged(op, made_ms, author, collections)
    except Exception as error:  # noqa: BLE001  whatever it is, it is one op's
        # A check that stumbles is our fault, and the op is kept; but it must not block its device's
        # outbox, where a resident's "Klar" may be waiting behind it.
        _log.exception("check_failed", coll=op.coll, kind=type(error).__name__, exc_info=False)
        return Judged(Refusal("invalid", "check_failed"))


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {"verdict": refusal.verdict, "code": refusal.code, "path": refusal.path}

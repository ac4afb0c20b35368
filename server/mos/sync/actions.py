"""What devices and domains ask of synchronisation. The transaction is the caller's."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from msgspec import UNSET, Raw, structs

from mos.db import Db, Scope, may_pass
from mos.kernel.ids import named_id, new_id
from mos.sync import authorship, quarantine, rules, safety, store
from mos.sync.authorship import Judged
from mos.sync.model import (
    Added,
    Author,
    CandidateWhy,
    Change,
    Check,
    Collections,
    EventOp,
    Gone,
    Grant,
    Hello,
    HelloAnswer,
    Op,
    Pull,
    Pulled,
    PulledSpace,
    Pushed,
    PushHead,
    Refusal,
    Reset,
    ResolveOp,
    Result,
    SafetyOp,
    SpaceHead,
    SystemChange,
    Unreadable,
)

_log = structlog.get_logger(__name__)

# How much text one pull may carry; its last row may go over.
_PULL_BYTES = 1_048_576
# When a device asks again for whose refused ops there is no room. Not longer: it may wait as long
# before it pulls.
_AGAIN_MS = 60_000


class HookFailed(Exception):
    """A domain crashed over a batch, and would again: `mos.sync.apart` says what follows."""

    def __init__(self, collection: str) -> None:
        """Name the collection whose hook it was; the crash itself is the cause."""
        super().__init__(f"the hook of {collection} failed")
        self.collection = collection


async def push(  # noqa: PLR0913  one more than five
    db: Db,
    author: Author,
    request: PushHead,
    collections: Collections,
    now: datetime,
    *,
    set_aside: bool = False,
) -> Pushed:
    """Take a device's batch: judge each op, apply what may be, keep the rest, tell the domains.

    Sets the transaction's scope to the batch's spaces. The caller pokes `heads` after its commit.
    With `set_aside` nothing is applied: what could be is kept in quarantine as `hook_failed`.
    Raises msgspec.ValidationError when an op cannot even be named, HookFailed when a domain's hook
    crashes, and whatever the database raises when it is not there: then nothing of the batch may
    stay.
    """
    ops = [rules.read(raw) for raw in request.ops]
    spaces = {_space(op) for op in ops} & (author.reach.keys() | author.had.keys())
    await db.scope(Scope(author.org, tuple(sorted(spaces))))
    anew = await _stamped_anew(db, author, ops, now)
    items = [_item(op, author, collections, anew, now) for op in ops]
    large = rules.large_groups(item.get("g") for item in items)
    if large:
        items = [_refuse(i, rules.LARGE_GROUP) if i.get("g") in large else i for i in items]
    if set_aside:
        items = [item if "verdict" in item else _refuse(item, rules.HOOK_FAILED) for item in items]
    if not items:
        return Pushed(now, [], {}, {}, {})
    skew_ms = round((request.client_now - now) / timedelta(milliseconds=1))
    for item in items:
        if item.get("kind") == "safety" and "verdict" not in item:
            item["val"]["aged"] = safety.aged(item, skew_ms, now)
    rows = await store.push(db, author.org, items, now, author=author, skew_ms=skew_ms)
    changes = _changes(items, rows, now, author)
    await _tell(db, author.org, changes, collections, now)
    return _answer(items, rows, now)


async def record(db: Db, org: UUID, changes: list[SystemChange], now: datetime) -> list[Change]:
    """Write what the server itself has to say into records; return what came of it, in order.

    All of it in one statement, whose spaces must be in the transaction's scope. A system op beats
    every clock that its record has. Runs no hooks: the domain that calls knows. Spaces that are
    frozen or erased take nothing, and an op whose id is known changes nothing: both are absent from
    what is returned. Raises ValueError for a space out of scope or a record of another collection.
    The caller pokes the spaces after its commit.
    """
    items: list[dict[str, Any]] = [
        {
            "space": change.space,
            "op": change.op or new_id(now),
            "kind": "system",
            "coll": change.coll,
            "rec": change.rec,
            "val": change.groups,
        }
        for change in changes
    ]
    if not items:
        return []
    rows = await store.push(db, org, items, now)
    for row in rows:
        if row.code in ("no_access", "rec_taken"):
            raise ValueError(f"a system op was refused: {row.code}")
    return _changes(items, rows, now)


async def pull(
    db: Db, org: UUID, grants: Mapping[UUID, Grant], request: Pull, now: datetime
) -> Pulled:
    """Return what changed in each space asked for, all in one snapshot.

    `grants` are the spaces that the actor may see. Sets the transaction's scope.
    """
    asked = {space: rules.cursor(text) for space, text in request.spaces.items() if space in grants}
    await db.scope(Scope(org, tuple(asked)))
    rows = await store.pull(db, org, asked, limit=request.limit, max_bytes=_PULL_BYTES)
    erased = {row.space for row in rows if row.is_erased}
    fresh = [space for space in grants if space not in request.spaces]
    if fresh:
        # Told of an erased one, a device would fetch it, hear that it is gone, and so for ever.
        await db.scope(Scope(org, tuple(fresh)))
        erased_too = {head.space for head in await store.heads(db, org, fresh) if head.is_erased}
        fresh = [space for space in fresh if space not in erased_too]
    return Pulled(
        server_now=now,
        spaces=[
            _pulled(row, request.check) for row in rows if row.reset is None and not row.is_erased
        ],
        added=[_added(grants[space]) for space in fresh],
        gone=[Gone(space, "revoked") for space in request.spaces if space not in grants]
        + [Gone(space, "erased") for space in erased],
        reset=[
            Reset(row.space, row.reset, _snap(row.space))
            for row in rows
            if row.reset is not None and not row.is_erased
        ],
    )


async def hello(
    db: Db, org: UUID, grants: Mapping[UUID, Grant], request: Hello, now: datetime
) -> HelloAnswer:
    """Return where each space stands and how far this device is acknowledged in it.

    Sets the transaction's scope. How long the device may keep what it has is the caller's to say.
    """
    if request.purged:
        # The device may see them no longer; the row is its own.
        await db.scope(Scope(org, tuple(request.purged)))
        await quarantine.purged(db, org, request.device_id, request.purged, now)
    await db.scope(Scope(org, tuple(grants)))
    lost = {space: ranges for space, ranges in request.lost.items() if space in grants}
    await quarantine.give_up(db, org, request.device_id, lost, now)
    heads = await store.heads(db, org, list(grants), device=request.device_id)
    return HelloAnswer(
        server_now=now,
        lease_until=now,
        acked={head.space: head.last_n or 0 for head in heads if head.space in request.sent},
        missing={head.space: head.missing for head in heads if head.missing},
        spaces=[
            SpaceHead(
                head.space,
                grants[head.space].role,
                grants[head.space].permissions,
                grants[head.space].kind,
                f"{head.epoch}.{head.head_seq}",
                head.floor_seq,
                grants[head.space].of,
            )
            for head in heads
            if not head.is_erased
        ],
    )


def _added(grant: Grant) -> Added:
    return Added(grant.id, grant.role, grant.permissions, grant.kind, _snap(grant.id), grant.of)


def _snap(space: UUID) -> str:
    return f"/sync/v1/snapshot/{space}"


def _space(op: Op | Unreadable) -> UUID:
    return op.ids.space if isinstance(op, Unreadable) else op.space


async def _stamped_anew(
    db: Db, author: Author, ops: list[Op | Unreadable], now: datetime
) -> dict[UUID, str]:
    now_ms = int(now.timestamp() * 1000)
    readable = [op for op in ops if not isinstance(op, Unreadable)]
    spaces = {op.space for op in readable if rules.ahead(op.hlc, now_ms)}
    if not spaces:
        return {}
    floors = await store.device_clocks(db, author.org, author.device, sorted(spaces))
    return rules.clamped(readable, floors, now_ms)


def _item(
    op: Op | Unreadable,
    author: Author,
    collections: Collections,
    anew: dict[UUID, str],
    now: datetime,
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
        return _refuse(item, authorship.no_space(op.ids.space, author) or op.refusal)
    groups = rules.groups_of(op)
    judged = _judged(op, author, collections)
    if judged.refusal is None and rules.is_too_old(author.schema, collections[op.coll]):
        judged = Judged(Refusal("invalid", "schema", "coll"))
    if isinstance(op, EventOp):
        groups = {**groups, "by": author.account, **authorship.late_group(judged.late, now)}
    clock = anew.get(op.op, op.hlc)
    item = {
        "space": op.space,
        "op": op.op,
        "n": op.n,
        "kind": rules.kind_of(op),
        "coll": op.coll,
        "rec": rules.record_of(op),
        "hlc": clock,
        "claimed": op.hlc if clock != op.hlc else None,
        "val": groups,
        "g": rules.group_of(op),
    }
    if isinstance(op, SafetyOp | ResolveOp) and judged.refusal is None:
        item["val"] = safety.logged(op, collections[op.coll], author.reach[op.space])
        item |= safety.beside(op, clock, now)
    return item if judged.refusal is None else _refuse(item, judged.refusal)


def _judged(op: Op, author: Author, collections: Collections) -> Judged:
    try:
        return authorship.judged(op, author, collections)
    except Exception as error:  # noqa: BLE001  whatever it is, it is one op's
        # A check that stumbles is our fault, and the op is kept; but it must not block its device's
        # outbox, where a resident's "Klar" may be waiting behind it.
        _log.exception("check_failed", coll=op.coll, kind=type(error).__name__, exc_info=False)
        return Judged(Refusal("invalid", "check_failed"))


def _refuse(item: dict[str, Any], refusal: Refusal) -> dict[str, Any]:
    return item | {"verdict": refusal.verdict, "code": refusal.code, "path": refusal.path}


def _changes(
    items: list[dict[str, Any]],
    rows: list[store.PushRow],
    now: datetime,
    author: Author | None = None,
) -> list[Change]:
    applied: dict[tuple[UUID, int | None], dict[str, Any]] = {}
    for row in rows:
        if row.ord is None or row.verdict not in ("applied", "system"):
            continue
        item: dict[str, Any] | None = items[row.ord - 1]
        if item is not None and item["kind"] in safety.KINDS:
            item = safety.written(item, row.verdict, row.doc)
        if item is not None:
            applied[row.space, row.seq] = item
    # A changed record's place is that of an op of this batch: so its id is known. Of several rows
    # of one record the last stays: they come by place.
    docs = {
        (row.space, applied[row.space, row.seq]["rec"]): row.doc
        for row in rows
        if row.ord is None and row.doc is not None and row.n is None
    }
    return [
        Change(
            space=space,
            coll=item["coll"],
            rec=item["rec"],
            op=item["op"],
            seq=seq,
            kind=item["kind"],
            groups=item["val"],
            doc=docs[space, item["rec"]],
            by=author.account if author and item["kind"] != "system" else None,
            device=author.device if author and item["kind"] != "system" else None,
            at=now,
        )
        for (space, seq), item in applied.items()
        if seq is not None
    ]


async def _tell(
    db: Db, org: UUID, changes: list[Change], collections: Collections, now: datetime
) -> None:
    by_collection: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_collection[change.coll].append(change)
    # In the order in which the collections are declared, whatever the device sent first.
    for collection in collections.values():
        if collection.applied is not None and collection.name in by_collection:
            try:
                await collection.applied(db, org, by_collection[collection.name], now)
            except Exception as error:
                if may_pass(error):
                    raise
                # A refusal counts as a crash: on its own it would reach the device, which would
                # forget all ops of the batch.
                raise HookFailed(collection.name) from error


def _answer(items: list[dict[str, Any]], rows: list[store.PushRow], now: datetime) -> Pushed:
    judged = {row.ord: row for row in rows if row.ord is not None and row.verdict != "system"}
    results: list[Result] = []
    first: dict[tuple[UUID, UUID], Result] = {}
    for ord_, item in enumerate(items, 1):
        key = item["space"], item["op"]
        result = _result(item, judged[ord_], first.get(key))
        first.setdefault(key, result)
        results.append(result)
    counted = [row for row in rows if row.ord is None and row.n is not None]
    missing = {row.space: row.doc for row in counted if row.doc is not None}
    return Pushed(
        server_now=now,
        results=results,
        restamped={
            items[ord_ - 1]["op"]: row.hlc
            for ord_, row in judged.items()
            if row.claimed is not None and row.hlc is not None and row.seq is not None
        },
        acked={row.space: row.n for row in counted if row.n is not None},
        # Of several the last stays: they come by place.
        heads={
            row.space: row.seq
            for row in rows
            if row.ord is None and row.doc is None and row.seq is not None
        },
        missing=missing or UNSET,
    )


def _result(item: dict[str, Any], row: store.PushRow, earlier: Result | None) -> Result:
    """Return the verdict on one op; `earlier` is that on the same op before it in this batch."""
    op: UUID = item["op"]
    if row.verdict == "dup" and earlier is not None and row.was is None:
        if earlier.s not in ("applied", "superseded", "conflict"):
            return earlier
        return structs.replace(earlier, s="dup", was=earlier.s)
    assert row.verdict is not None and row.verdict != "system"  # noqa: S101, PT018  it judges all
    if row.verdict == "stale_resolve":
        active, unseen = row.doc["active"], row.doc["unseen"]
        return Result(
            op,
            row.verdict,
            active=None if active is None else UUID(active),
            unseen=[UUID(one) for one in unseen],
        )
    if "conflict" in (row.verdict, row.was):
        return Result(
            op,
            row.verdict,
            seq=UNSET if row.seq is None else row.seq,
            was=UNSET if row.was is None else row.was,
            # Also of one that its author may no longer propose.
            rec=named_id(item["space"], f"conflict/{item['rec']}"),
            why=cast("CandidateWhy", row.code),
        )
    return Result(
        op,
        row.verdict,
        seq=UNSET if row.seq is None else row.seq,
        was=UNSET if row.was is None else row.was,
        code=UNSET if row.code is None else row.code,
        path=UNSET if row.code is None else item.get("path") or UNSET,
        after_ms=_AGAIN_MS if row.verdict == "retry" else UNSET,
    )


def _pulled(row: store.PullRow, check: bool) -> PulledSpace:  # noqa: FBT001  the request's own word
    return PulledSpace(
        id=row.space,
        rows=Raw((row.rows or "[]").encode()),
        cur=rules.cursor_text(row.epoch, row.seq, row.tag, floor=row.floor),
        more=row.more,
        check=Check(row.live_n, str(row.live_sum), str(row.live_sq))
        if check and not row.more
        else UNSET,
    )

"""Ops in: a device's batch, or what the server itself has to say."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mos.audit import access
from mos.audit.model import Touch, Who
from mos.db import Db, Scope, may_pass
from mos.kernel.ids import new_id
from mos.sync import rules, safety, store, unread
from mos.sync.actions.answers import answer
from mos.sync.actions.items import items_of
from mos.sync.model import (
    CONFLICT,
    Author,
    Change,
    Collections,
    Groups,
    Happening,
    Op,
    Pushed,
    PushHead,
    SystemChange,
    Unreadable,
)
from mos.sync.sealing import ALWAYS_CLEAR, Records, clear_of, records_of


class HookFailed(Exception):
    """A domain crashed over a batch, and would again: `mos.sync.apart` says what follows."""

    def __init__(self, collection: str) -> None:
        """Name the collection whose hook it was; the crash itself is the cause."""
        super().__init__(f"the hook of {collection} failed")
        self.collection = collection


class TooManyProposals(Exception):
    """A batch holds more proposals and decisions than are made at once: send half of it."""


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
    Raises msgspec.ValidationError when an op cannot even be named, TooManyProposals when the batch
    takes too long to decide, HookFailed when a domain's hook crashes, and whatever the database
    raises when it is not there: then nothing of the batch may stay.
    """
    ops = [rules.read(raw) for raw in request.ops]
    if rules.takes_too_long(ops):
        raise TooManyProposals
    spaces = {_space(op) for op in ops} & (author.reach.keys() | author.had.keys())
    await db.scope(Scope(author.org, tuple(sorted(spaces))))
    skew_ms = round((request.client_now - now) / timedelta(milliseconds=1))
    records = await records_of(db, author.org, {_space(op) for op in ops}, make=True)
    items = await items_of(
        db, author, ops, collections, now, skew_ms=skew_ms, set_aside=set_aside, records=records
    )
    if not items:
        return Pushed(now, [], {}, {}, {})
    await _mark(db, author, items, collections, now)
    sealed = [records.item(item, clear_of(collections, item.get("coll", ""))) for item in items]
    rows = await store.push(db, author.org, sealed, now, author=author, skew_ms=skew_ms)
    changes = _changes(items, rows, now, records, author)
    await _log(db, author, changes, now)
    await _tell(db, author.org, changes, collections, now)
    pushed = answer(items, rows, now)
    await unread.note(db, author, items, pushed.results, now)
    return pushed


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
    records = await records_of(db, org, {change.space for change in changes}, make=True)
    sealed = [
        records.item(item, ALWAYS_CLEAR | change.clear)
        for item, change in zip(items, changes, strict=True)
    ]
    rows = await store.push(db, org, sealed, now)
    for row in rows:
        if row.code in ("no_access", "rec_taken"):
            raise ValueError(f"a system op was refused: {row.code}")
    return _changes(items, rows, now, records)


async def _mark(
    db: Db, author: Author, items: list[dict[str, Any]], collections: Collections, now: datetime
) -> None:
    """Let the domains add what is the server's to say of events that are not refused."""
    taken = [item for item in items if item.get("kind") == "event" and "verdict" not in item]
    for collection in collections.values():
        of = [item for item in taken if item["coll"] == collection.name]
        if collection.marks is None or not of:
            continue
        happenings = [
            Happening(item["op"], item["space"], item["val"]["v"], _words(author, item["space"]))
            for item in of
        ]
        try:
            marks = await collection.marks(db, author, happenings, now)
        except Exception as error:
            if may_pass(error):
                raise
            raise HookFailed(collection.name) from error
        for item in of:
            item["val"] = {**item["val"], **marks.get(item["op"], {})}


def _words(author: Author, space: UUID) -> frozenset[str]:
    """Return what the author may do in a space; where that is nothing now, what they might."""
    if space in author.reach:
        return author.reach[space]
    return frozenset[str]().union(*(held.words for held in author.had.get(space, ())))


async def _log(db: Db, author: Author, changes: list[Change], now: datetime) -> None:
    who = Who(author.org, author.account, author.session, author.device)
    theirs = (Touch(change.space, change.coll) for change in changes if change.by is not None)
    await access.log(db, who, "changed", theirs, now)


def _opened(records: Records, item: dict[str, Any], row: store.PushRow) -> Groups | None:
    """Return what a safety op wrote, opened: into its record, or into that of its conflict."""
    if row.doc is None:
        return None
    coll, rec = item["coll"], item["rec"]
    if row.verdict != "system":
        return records.doc(row.space, coll, rec, row.doc)
    # In a conflict lie values of the record that it is about, even where it does not say which.
    of = {"of": {"coll": coll, "rec": str(rec)}}
    whole = records.doc(row.space, CONFLICT, item["conflict"], row.doc | of)
    return {group: value for group, value in whole.items() if group in row.doc}


def _space(op: Op | Unreadable) -> UUID:
    return op.ids.space if isinstance(op, Unreadable) else op.space


def _changes(
    items: list[dict[str, Any]],
    rows: list[store.PushRow],
    now: datetime,
    records: Records,
    author: Author | None = None,
) -> list[Change]:
    applied: dict[tuple[UUID, int | None], dict[str, Any]] = {}
    for row in rows:
        if row.ord is None or row.verdict not in ("applied", "system"):
            continue
        item: dict[str, Any] | None = items[row.ord - 1]
        if item is not None and item["kind"] in safety.KINDS:
            item = safety.written(item, row.verdict, _opened(records, item, row))
        if item is not None:
            applied[row.space, row.seq] = item
    # A changed record's place is that of an op of this batch: so its id is known. Of several rows
    # of one record the last stays: they come by place.
    docs = {}
    for row in rows:
        if row.ord is None and row.doc is not None and row.n is None:
            item = applied[row.space, row.seq]
            docs[row.space, item["rec"]] = records.doc(
                row.space, item["coll"], item["rec"], row.doc
            )
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

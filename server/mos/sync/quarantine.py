"""What could not be taken, kept for a person; and what devices have lost, so that it is known."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from mos.db import Db, Queries
from mos.privacy.sealing import KeyGone
from mos.privacy.texts import device_names
from mos.sync.metrics import LOST_OPS
from mos.sync.sealing import records_of

_sql = Queries(__package__, "quarantine.sql")

How = Literal["again", "dropped"]
# Numbers of ops, first and last.
Ranges = Sequence[tuple[int, int]]

# A year and a month: whoever looks back on a year finds what was settled in it.
SETTLED_KEPT = timedelta(days=400)
_AT_ONCE = 1000

# What the server adds to what a device writes.
_OURS = frozenset({"by", "late"})


class Kept(Struct, frozen=True):
    """One refused op. `payload` is the op as the server read it, or its text."""

    op: UUID
    space: UUID
    reason: str
    payload: Any
    account: UUID | None
    device: str
    received_at: datetime
    handled_how: How | None
    handled_by: UUID | None
    handled_at: datetime | None


class Lost(Struct, frozen=True):
    """How many ops of a space one device has lost, and when it last noticed."""

    space: UUID
    device: str
    noticed_at: datetime
    count: int


class _Kept(Struct, frozen=True):
    op: UUID
    space: UUID
    reason: str
    payload: Any
    account: UUID | None
    # As it lies, and whose it is: the device and whom it rings for.
    device: str | None
    device_id: UUID | None
    owner: UUID | None
    received_at: datetime
    handled_how: How | None
    handled_by: UUID | None
    handled_at: datetime | None


class _Lost(Struct, frozen=True):
    space: UUID
    device: str | None
    device_id: UUID | None
    owner: UUID | None
    noticed_at: datetime
    count: int


class _Count(Struct, frozen=True):
    count: int


class Entry(Struct, frozen=True):
    """One refused op, and what became of it."""

    space: UUID
    how: How | None
    payload: Any


_QUARANTINED = _sql.query("quarantined", _Kept)
_HANDLE = _sql.command("handle_quarantined")
_ENTRY = _sql.query("quarantine_entry", Entry)
_FORGET_SETTLED = _sql.command("forget_settled")
_LOST_OPS = _sql.query("lost_ops", _Lost)
_LOCK_SPACES = _sql.command("lock_spaces")
_GIVE_UP = _sql.query("give_up", _Count)
_PURGED = _sql.command("purged")


async def kept(
    db: Db, org: UUID, spaces: Sequence[UUID], *, since: datetime, limit: int
) -> list[Kept]:
    """Return refused ops: first what nobody has handled, then what was handled after `since`."""
    found = await db.all(_QUARANTINED, org=org, spaces=spaces, since=since, limit=limit)
    records = await records_of(db, org, {each.space for each in found})
    devices = await device_names(db, org, ((e.device_id, e.owner, e.device) for e in found))
    opened = []
    for each, device in zip(found, devices, strict=True):
        # Of somebody erased there is nothing left to look at.
        with suppress(KeyGone):
            payload = records.payload(each.space, each.op, each.payload)
            opened.append(
                Kept(
                    each.op, each.space, each.reason, payload, each.account, device or "",
                    each.received_at, each.handled_how, each.handled_by, each.handled_at,
                )
            )  # fmt: skip
    return opened


async def handle(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, spaces: Sequence[UUID], op: UUID, *, how: How, account: UUID, now: datetime
) -> How | None:
    """Say what became of a refused op; return what was said first, or None where there is none."""
    await db.run(_HANDLE, org=org, spaces=spaces, op=op, how=how, account=account, now=now)
    found = await entry(db, org, spaces, op)
    return found.how if found else None


async def entry(db: Db, org: UUID, spaces: Sequence[UUID], op: UUID) -> Entry | None:
    """Return a refused op of these spaces, or None where there is none."""
    found = await db.one(_ENTRY, org=org, spaces=spaces, op=op)
    if found is None:
        return None
    records = await records_of(db, org, [found.space])
    with suppress(KeyGone):
        return structs.replace(found, payload=records.payload(found.space, op, found.payload))
    return None


async def forget_settled(db: Db, org: UUID, space: UUID, now: datetime) -> int:
    """Forget what was settled more than 400 days ago, some of it; return how many ops that was."""
    return await db.run(
        _FORGET_SETTLED, org=org, space=space, before=now - SETTLED_KEPT, limit=_AT_ONCE
    )


async def lost(db: Db, org: UUID, spaces: Sequence[UUID]) -> list[Lost]:
    """Return what devices have lost of these spaces, the latest noticed first."""
    found = await db.all(_LOST_OPS, org=org, spaces=spaces)
    devices = await device_names(db, org, ((e.device_id, e.owner, e.device) for e in found))
    return [
        Lost(each.space, device or "", each.noticed_at, each.count)
        for each, device in zip(found, devices, strict=True)
    ]


async def lock(db: Db, org: UUID, spaces: Sequence[UUID]) -> None:
    """Wait for pushes and erasures that are under way in these spaces of the scope."""
    await db.run(_LOCK_SPACES, org=org, spaces=spaces)


async def give_up(
    db: Db, org: UUID, device: UUID, said: Mapping[UUID, Ranges], now: datetime
) -> None:
    """Take note that a device no longer has what is missing of it; the rest of `said` is nothing.

    The spaces must be in the transaction's scope, and locked.
    """
    triples = [
        (space, first, last)
        for space, ranges in said.items()
        for first, last in ranges
        if first <= last
    ]
    if not triples:
        return
    spaces, firsts, lasts = zip(*triples, strict=True)
    row = await db.one(
        _GIVE_UP, org=org, device=device, spaces=spaces, firsts=firsts, lasts=lasts, now=now
    )
    LOST_OPS.inc(row.count if row else 0)


async def purged(db: Db, org: UUID, device: UUID, spaces: Sequence[UUID], now: datetime) -> None:
    """Remember that a device has forgotten these spaces: in the scope, and locked."""
    await db.run(_PURGED, org=org, device=device, spaces=spaces, now=now)


def written(payload: Any) -> tuple[str, Any]:
    """Return the collection of a refused op and its groups as the device wrote them.

    Of one that could not be read: what can be made out, or its text.
    """
    if isinstance(payload, str):
        return _written_text(payload)
    groups = payload.get("val")
    if payload.get("kind") == "event" and isinstance(groups, dict):
        groups = {name: value for name, value in groups.items() if name not in _OURS}
    return str(payload.get("coll") or ""), groups


def record_of(payload: Any) -> str | None:
    """Return the record that a refused op was about; None for an event's, or where it is unread."""
    if not isinstance(payload, dict) or payload.get("kind") == "event":
        return None
    rec = payload.get("rec")
    return str(rec) if rec else None


def _written_text(text: str) -> tuple[str, Any]:
    try:
        op = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return "", text
    if not isinstance(op, dict):
        return "", text
    groups = op.get("f", {"v": op["v"]} if "v" in op else text)
    coll = op.get("coll")
    return (coll if isinstance(coll, str) else ""), groups

"""The reminder by which the chain is watched: what was asked, and what came of it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries

_sql = Queries(__package__, "watch.sql")


class Round(Struct, frozen=True, kw_only=True):
    """Where the watch stands. `occ` is on its way, or None; `missed` have failed since the last.

    The same of its push messages: they are not watched while `push_at` is None and none was missed.
    """

    occ: str | None = None
    asked_at: datetime | None = None
    through_at: datetime | None = None
    took_ms: int | None = None
    missed: int = 0
    push_at: datetime | None = None
    push_ms: int | None = None
    push_missed: int = 0


class Pushed(Struct, frozen=True):
    """A round's push message: when it was queued and settled, and as what."""

    state: str
    created_at: datetime
    settled_at: datetime | None


class _Answered(Struct, frozen=True):
    answered: bool


_ROUND = _sql.query("watch_round", Round)
_SAVE = _sql.command("save_watch")
_ANSWERED = _sql.query("watch_answered", _Answered)
_PUSHED = _sql.query("watch_pushed", Pushed)
_RING = _sql.command("ring_watch")
_FORGET = _sql.command("forget_watch")


async def watch_round(db: Db) -> Round | None:
    """Return the watch, locked until the transaction ends; None while another looks."""
    return await db.one(_ROUND)


async def save_watch(db: Db, now: Round) -> None:
    """Store where the watch stands."""
    await db.run(
        _SAVE,
        occ=now.occ,
        asked_at=now.asked_at,
        through_at=now.through_at,
        took_ms=now.took_ms,
        missed=now.missed,
        push_at=now.push_at,
        push_ms=now.push_ms,
        push_missed=now.push_missed,
    )


async def watch_answered(db: Db, org: UUID, space: UUID, occ: str) -> bool:
    """Return whether this occurrence was answered."""
    row = await db.one(_ANSWERED, org=org, space=space, occ=occ)
    return row is not None and row.answered


async def watch_pushed(db: Db, org: UUID, space: UUID, occ: str) -> Pushed | None:
    """Return what became of this occurrence's push message, or None where none is queued."""
    return await db.one(_PUSHED, org=org, space=space, occ=occ)


async def ring_watch(
    db: Db, name: tuple[UUID, UUID, str], device: UUID, channel: str, now: datetime
) -> None:
    """Queue the delivery to `device`, if the occurrence has begun and it is not queued yet."""
    org, space, occ = name
    await db.run(_RING, org=org, space=space, occ=occ, device=device, channel=channel, now=now)


async def forget_watch(db: Db, org: UUID) -> None:
    """Delete all that earlier rounds have left."""
    await db.run(_FORGET, org=org)

"""Deletions that are long past are forgotten, and nothing that was deleted comes back."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from mos.db import Db
from mos.sync.upkeep import SQL

# For how long a deleted record is remembered.
KEPT = timedelta(days=180)
# No device works longer without meeting the server, so what it writes is no older than that.
_LONGEST_LEASE = timedelta(days=60)
_AT_ONCE = 1000


class _Number(Struct, frozen=True):
    number: int


class _Oldest(Struct, frozen=True):
    at: datetime | None


_OLDEST_DELETED = SQL.query("oldest_deleted", _Oldest)
_FORGET_DELETED = SQL.query("forget_deleted", _Number)


async def compact(db: Db, org: UUID, space: UUID, now: datetime) -> int:
    """Forget up to a thousand long-deleted records of a locked space; return how many."""
    deleted_before = now - KEPT
    row = await db.one(
        _FORGET_DELETED,
        org=org,
        space=space,
        deleted_before=_clock(deleted_before),
        received_before=deleted_before,
        # Whoever has not heard of the deletion had to stop before this.
        floor=_clock(deleted_before + _LONGEST_LEASE),
        limit=_AT_ONCE,
    )
    return row.number if row else 0


async def oldest_deleted(db: Db, org: UUID, space: UUID) -> datetime | None:
    """Return when the deletion came that is remembered for longest in a space; None without one."""
    row = await db.one(_OLDEST_DELETED, org=org, space=space)
    return row.at if row else None


def _clock(at: datetime) -> str:
    return f"{int(at.timestamp() * 1000):012x}" + "f" * 20

"""Which spaces are due for their daily upkeep, and the lock under which it happens."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries

SQL = Queries(__package__, "upkeep.sql")


class Untidy(Struct, frozen=True):
    """A space that nobody has looked after for a while."""

    org: UUID
    space: UUID
    is_erased: bool


class _Locked(Struct, frozen=True):
    is_erased: bool


_CLAIM = SQL.query("claim_untidy", Untidy)
_LOCK = SQL.query("lock_space", _Locked)


async def claim(db: Db, *, before: datetime, now: datetime, limit: int) -> list[Untidy]:
    """Return spaces last looked after before a moment, and take them on. Needs no scope."""
    return await db.all(_CLAIM, before=before, now=now, limit=limit)


async def lock(db: Db, org: UUID, space: UUID) -> bool:
    """Lock a space as a push does; return whether it is there and was not erased."""
    row = await db.one(_LOCK, org=org, space=space)
    return row is not None and not row.is_erased

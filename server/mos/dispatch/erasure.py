"""What was to ring for a space, what rang and what was said: gone for good."""

from uuid import UUID

from mos.db import Db, Queries

_sql = Queries(__package__, "erasure.sql")
_ERASE = tuple(_sql.command(name) for name in _sql.names())


async def erase(db: Db, org: UUID, space: UUID) -> None:
    """Delete everything that the engine knows of a space, which must be in the scope."""
    for statement in _ERASE:
        await db.run(statement, org=org, space=space)

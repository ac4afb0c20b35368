"""What was to ring for a space, what rang and what was said: gone for good."""

from uuid import UUID

from mos.db import Db, Queries

_ERASE = Queries(__package__, "erasure.sql").command("erase")


async def erase(db: Db, org: UUID, space: UUID) -> None:
    """Delete everything that the engine knows of a space, which must be in the scope."""
    await db.run(_ERASE, org=org, space=space)

"""A space's content goes for good: nothing brings it back, no late device and no old backup."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db
from mos.sync.upkeep import SQL


class Erasure(Struct, frozen=True):
    """One line of the ledger: ids, and when. It outlives the database in whoever keeps backups."""

    org: UUID
    space: UUID
    at: datetime


_CLOSE = SQL.command("close_spaces")
_HOLD = SQL.command("hold_spaces")
_ERASE = SQL.command("erase")
_ERASURES = SQL.query("erasures", Erasure)


async def close(db: Db, org: UUID, spaces: Sequence[UUID]) -> None:
    """Wait until nobody writes into these spaces, and let nobody begin until the transaction ends.

    Before anything of them is deleted: what is written meanwhile would stay.
    """
    await db.run(_CLOSE, org=org, spaces=spaces)


async def keep_out(db: Db, org: UUID, spaces: Sequence[UUID]) -> None:
    """Let none of these spaces be erased until the transaction ends; wait where one is.

    Before their records are read, by whoever writes what follows from them.
    """
    await db.run(_HOLD, org=org, spaces=spaces)


async def erase(db: Db, org: UUID, space: UUID, now: datetime) -> bool:
    """Delete all that a space holds or held, and note that; False where there is no such space.

    The space must be in the transaction's scope, and closed. What other domains know of it is
    theirs to delete; the archive is the worker's (`mos.sync.archive.forget`).
    """
    return await db.run(_ERASE, org=org, space=space, now=now) == 1


async def erasures(db: Db) -> list[Erasure]:
    """Return the ledger of every organisation, the oldest first. Needs no scope."""
    return await db.all(_ERASURES)


def not_yet(kept: Iterable[Erasure], known: Iterable[Erasure]) -> list[Erasure]:
    """Return which erasures of a `kept` ledger the one of a restored database does not have."""
    there = {(entry.org, entry.space) for entry in known}
    return [entry for entry in kept if (entry.org, entry.space) not in there]

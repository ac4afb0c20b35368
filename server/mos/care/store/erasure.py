"""A person goes for good; and what has them kept."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care.model import Policy
from mos.db import Db, Queries

_sql = Queries(__package__, "erasure.sql")


class Kept(Struct, frozen=True):
    """What an erasure must know of somebody; `space` is a resident's day."""

    account: UUID
    space: UUID | None
    policy: Policy
    hold: str | None
    archived_at: datetime | None


class Hold(Struct, frozen=True):
    """Why somebody must not be erased, who said so and when."""

    account: UUID
    why: str
    by: UUID
    at: datetime


class ErasedPerson(Struct, frozen=True):
    """One line of the ledger of people: ids, and when."""

    org: UUID
    account: UUID
    at: datetime


_KEPT_FOR = _sql.query("kept_for", Kept)
_HOLDS = _sql.query("holds", Hold)
_HOLD = _sql.command("hold")
_LIFT = _sql.command("lift")
_FORGET_PERSON = _sql.command("forget_person")
_ERASED_PEOPLE = _sql.query("erased_people", ErasedPerson)


async def kept_for(db: Db, org: UUID, account: UUID) -> Kept | None:
    """Return what an erasure of an account must know; None where there is none."""
    return await db.one(_KEPT_FOR, org=org, account=account)


async def holds(db: Db, org: UUID) -> list[Hold]:
    """Return everybody whom the law has kept, the oldest first."""
    return await db.all(_HOLDS, org=org)


async def hold(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, account: UUID, why: str, *, by: UUID, now: datetime
) -> None:
    """Let an account be kept whatever anybody asks."""
    await db.run(_HOLD, org=org, account=account, why=why, by=by, now=now)


async def lift(db: Db, org: UUID, account: UUID) -> bool:
    """Let an account be erased again; False where nothing held it."""
    return await db.run(_LIFT, org=org, account=account) == 1


async def forget_person(
    db: Db, org: UUID, kept: Kept, now: datetime, *, despite: str | None = None
) -> None:
    """Delete all that says who an account was; its devices are told to empty themselves.

    What their space holds is for others to delete. `despite`: why, where the law would have kept
    them.
    """
    await db.run(
        _FORGET_PERSON, org=org, account=kept.account, space=kept.space, now=now, despite=despite
    )


async def erased_people(db: Db) -> list[ErasedPerson]:
    """Return the ledger of every organisation, the oldest first. Needs no scope."""
    return await db.all(_ERASED_PEOPLE)

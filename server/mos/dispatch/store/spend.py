"""What channels cost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries

_sql = Queries(__package__, "spend.sql")


class Spend(Struct, frozen=True):
    """What a channel has cost an organisation in one month; `cost` in hundredths."""

    org: UUID
    parts: int
    cost: int
    capped_at: datetime | None


class Spent(Struct, frozen=True):
    """What is added to it (or, negative, given back)."""

    org: UUID
    month: int
    parts: int
    cost: int
    is_capped: bool = False


_LOCK_SPEND = _sql.query("lock_spend", Spend)
_ADD_SPEND = _sql.command("add_spend")
_TELL_OF_CAP = _sql.command("tell_of_cap")


async def lock_spend(db: Db, channel: str, month: int, orgs: Sequence[UUID]) -> list[Spend]:
    """Return what a channel has cost these organisations in a month (202611), locked."""
    return await db.all(_LOCK_SPEND, channel=channel, month=month, orgs=orgs)


async def add_spend(db: Db, channel: str, rows: Sequence[Spent], now: datetime) -> None:
    """Add to what has been spent; at most one row for each organisation and month."""
    await db.run(
        _ADD_SPEND,
        channel=channel,
        orgs=[row.org for row in rows],
        months=[row.month for row in rows],
        parts=[row.parts for row in rows],
        costs=[row.cost for row in rows],
        cappeds=[row.is_capped for row in rows],
        now=now,
    )


async def tell_of_cap(  # noqa: PLR0913  what names the notice
    db: Db,
    what: Literal["near", "cap"],
    channel: str,
    month: int,
    orgs: Sequence[UUID],
    *,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Queue a notice to whoever manages: the cap is `near`, or it (`cap`) holds messages back."""
    await db.run(
        _TELL_OF_CAP,
        what=what,
        channel=channel,
        month=str(month),
        orgs=orgs,
        expires=expires_at,
        now=now,
    )

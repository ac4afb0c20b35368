"""What rang and called, counted; and what reached nobody."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries

_sql = Queries(__package__, "load.sql")

_MOST = 500


class Between(Struct, frozen=True):
    """A day, as the instants between which it lies somewhere."""

    day: date
    starts: datetime
    ends: datetime


class Load(Struct, frozen=True):
    """How much rang and called on a day; `at_night` of the alerts between 23 and 6."""

    day: date
    rings: int
    alerts: int
    at_night: int


class DeadLetter(Struct, frozen=True):
    """A message that failed for good while its alert is open: to whom and why, not about what.

    No `account`: the organisation's webhook.
    """

    id: int
    kind: str
    channel: str
    code: str
    account: UUID | None
    at: datetime


class _Count(Struct, frozen=True):
    number: int


_LOAD_OF_SPACES = _sql.query("load_of_spaces", Load)
_LOAD_OF_ACCOUNT = _sql.query("load_of_account", Load)
_DEAD_LETTERS = _sql.query("dead_letters", DeadLetter)
_COUNT_DEAD_LETTERS = _sql.query("count_dead_letters", _Count)


async def load_of_spaces(
    db: Db, org: UUID, spaces: Sequence[UUID], days: Sequence[Between], *, zone: str
) -> list[Load]:
    """Return the rings and alerts of these spaces, every day of `days`; night is of `zone`."""
    return await db.all(_LOAD_OF_SPACES, org=org, spaces=spaces, zone=zone, **_bounds(days))


async def load_of_account(  # noqa: PLR0913  one more than five
    db: Db, org: UUID, account: UUID, spaces: Sequence[UUID], days: Sequence[Between], *, zone: str
) -> list[Load]:
    """Return what one person heard of these spaces, every day of `days`; night is of `zone`."""
    return await db.all(
        _LOAD_OF_ACCOUNT, org=org, account=account, spaces=spaces, zone=zone, **_bounds(days)
    )


async def dead_letters(db: Db, org: UUID, spaces: Sequence[UUID]) -> list[DeadLetter]:
    """Return what failed for good while its alert is open, the latest first; 500 at most."""
    return await db.all(_DEAD_LETTERS, org=org, spaces=spaces, limit=_MOST)


async def count_dead_letters(db: Db) -> int:
    """Return how many messages of open alerts failed for good, everywhere."""
    row = await db.one(_COUNT_DEAD_LETTERS)
    return 0 if row is None else row.number


def _bounds(days: Sequence[Between]) -> dict[str, list[date] | list[datetime]]:
    return {
        "days": [each.day for each in days],
        "starts": [each.starts for each in days],
        "ends": [each.ends for each in days],
    }

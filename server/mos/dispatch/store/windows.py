"""Windows of fifteen minutes: what was expected to ring in them, and what was told."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import WATCH

_sql = Queries(__package__, "windows.sql")


class Judged(Struct, frozen=True):
    """Until when windows have been judged, and where the first lies that something misses in."""

    until: datetime | None
    gap_from: datetime | None


class Window(Struct, frozen=True, kw_only=True):
    """What fifteen minutes from `from_at` came to in an organisation. Numbers, of nobody.

    `told` and `excused` are as it should be; `late`, of `told`, came after more than five minutes.
    `waiting` no worker has taken, `lost` nobody has any more, of `silent` nobody was told.
    """

    from_at: datetime
    expected: int
    told: int
    late: int
    excused: int
    waiting: int
    lost: int
    silent: int

    @property
    def missing(self) -> int:
        """Return how many were neither told nor excused."""
        return self.waiting + self.lost + self.silent


class OrgWindow(Window, frozen=True, kw_only=True):
    """A window, and whose."""

    org: UUID


class Watching(Struct, frozen=True):
    """How the watch stands: moments, and milliseconds of the last round and its push message."""

    judged_until: datetime | None
    through_at: datetime | None
    took_ms: int | None
    missed: int
    push_at: datetime | None
    push_ms: int | None
    push_missed: int


class _Number(Struct, frozen=True):
    number: int


_JUDGED_UNTIL = _sql.query("judged_until", Judged)
_JUDGE = _sql.query("judge", OrgWindow)
_KEEP_JUDGED = _sql.command("keep_judged")
_MISSING_SINCE = _sql.query("missing_since", _Number)
_WINDOWS_OF = _sql.query("windows_of", Window)
_HOW_IT_WATCHES = _sql.query("how_it_watches", Watching)


async def judged_until(db: Db, *, since: datetime) -> Judged | None:
    """Return how far it is judged, locked until the transaction ends; None while another judges."""
    return await db.one(_JUDGED_UNTIL, since=since)


async def judge(db: Db, since: datetime, until: datetime, now: datetime) -> list[OrgWindow]:
    """Judge the windows from `since` to `until`; return the new ones, and those judged again."""
    return await db.all(_JUDGE, since=since, until=until, now=now, nobody=WATCH)


async def keep_judged(db: Db, until: datetime, *, past: datetime) -> int:
    """Remember how far it is judged. Forget what was expected before `past`; return how many."""
    return await db.run(_KEEP_JUDGED, until=until, past=past)


async def missing_since(db: Db, since: datetime) -> int:
    """Return how many are missing in the windows since then, everywhere."""
    row = await db.one(_MISSING_SINCE, since=since)
    return 0 if row is None else row.number


async def windows_of(db: Db, org: UUID, since: datetime) -> list[Window]:
    """Return the organisation's judged windows since then, the latest first."""
    return await db.all(_WINDOWS_OF, org=org, since=since)


async def how_it_watches(db: Db) -> Watching | None:
    """Return how the watch stands, or None before the first migration has made it."""
    return await db.one(_HOW_IT_WATCHES)

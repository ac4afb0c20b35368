"""The access log: a line for whoever reads or changes something of a resident's.

It is written in the transaction of what it is about, so that there is no one without the other.
What devices fetch all day is logged once for each session, resident, class of data and hour; each
change is logged by itself.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from msgspec import Struct

from mos.audit.model import Kind, Purpose, Touch, Who
from mos.db import Db, Queries
from mos.kernel.ids import new_id

_sql = Queries(__package__, "store.sql")

# HSLF-FS 2016:40 asks for five years at least.
KEPT = timedelta(days=5 * 366)

# How many of the last hour's reads a process remembers to have written.
_REMEMBERED = 200_000


class Dropped(Struct, frozen=True):
    """A month of an organisation's entries that was kept long enough, and is gone."""

    org: UUID
    month: date
    entries: int


_ADD = _sql.command("add_access")
_KEEP = _sql.query("keep_access_log", Dropped)


async def log(  # noqa: PLR0913  what a line says
    db: Db,
    who: Who,
    kind: Kind,
    touched: Iterable[Touch],
    now: datetime,
    *,
    purpose: Purpose | None = None,
) -> None:
    """Log what `who` does at `now`, a line for each of `touched`; `purpose` follows their role."""
    lines = sorted(set(touched), key=_by_space)
    await _add(db, who, kind, lines, [new_id(now) for _ in lines], now, purpose)


async def log_hourly(  # noqa: PLR0913  what a line says
    db: Db,
    who: Who,
    kind: Kind,
    touched: Iterable[Touch],
    now: datetime,
    *,
    purpose: Purpose | None = None,
) -> None:
    """Log as `log` does, where this session has no such line of this hour yet."""
    lines = sorted(set(touched), key=_by_space)
    ids = [_id_in_hour(who, kind, each, now) for each in lines]
    await _add(db, who, kind, lines, ids, now, purpose)


class Hourly:
    """What this process has logged of what is logged once an hour: then nobody asks the database.

    A hint alone: forgotten, or written by two processes at once, a line is still there once.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._hour: datetime | None = None
        self._known: set[tuple[UUID | None, Touch]] = set()

    def new(self, who: Who, touched: Iterable[Touch], now: datetime) -> list[Touch]:
        """Return those of `touched` that have not been logged in this hour, as far as known."""
        self._turn(now)
        return [each for each in touched if (who.session, each) not in self._known]

    def logged(self, who: Who, touched: Collection[Touch], now: datetime) -> None:
        """Remember what has been logged; only once its transaction was committed."""
        self._turn(now)
        if len(self._known) + len(touched) > _REMEMBERED:
            self._known.clear()
        self._known.update((who.session, each) for each in touched)

    def _turn(self, now: datetime) -> None:
        hour = _hour(now)
        if hour != self._hour:
            self._hour = hour
            self._known.clear()


async def keep(db: Db, now: datetime) -> list[Dropped]:
    """Make the months to come and drop those that were kept long enough; return what is gone.

    Needs the engine's role.
    """
    return await db.all(_KEEP, now=now, keep=KEPT)


async def _add(  # noqa: PLR0913, PLR0917  what a line says
    db: Db,
    who: Who,
    kind: Kind,
    lines: list[Touch],
    ids: list[UUID],
    now: datetime,
    purpose: Purpose | None,
) -> None:
    if not lines:
        return
    await db.run(
        _ADD,
        org=who.org,
        account=who.account,
        session=who.session,
        device=who.device,
        kind=kind,
        purpose=purpose,
        ids=ids,
        spaces=[each.space for each in lines],
        classes=[each.what for each in lines],
        at=now,
    )


def _by_space(touch: Touch) -> tuple[UUID, str]:
    return touch.space, touch.what


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _id_in_hour(who: Who, kind: Kind, touch: Touch, now: datetime) -> UUID:
    words = (
        f"{who.account}/{who.session}/{touch.space}/{kind}/{touch.what}/{_hour(now).timestamp()}"
    )
    return UUID(bytes=blake2b(words.encode(), digest_size=16, person=b"mos access").digest())

"""How long each class of data is kept, what drops it, and the evidence that it went.

The declarations say it (`mos.privacy.declaring.Term`); what drops something says here how much it
was, in the same transaction. Rules are pure; the SQL of each class stands in the database
(`retention_drop`, `retention_oldest`).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib import resources
from typing import Literal

from msgspec import Struct

from mos.db import Db, Queries
from mos.privacy.declaring import By, Table, Term, in_words

_sql = Queries(__package__, "retention.sql")

# The job runs once a day; it may miss one.
LATE_AFTER = timedelta(days=2)
# Of which each space tells as it is looked after: to ask all at once would read every record.
TOLD_BY_SPACES = frozenset({"rec"})

# `late`: rows remain that should be gone; `failed`: a part was not done; `idle`: nobody ran it.
State = Literal["kept", "late", "failed", "idle"]

_DROPPED_BY: dict[By, str] = {
    "job": "the worker's daily job",
    "upkeep": "the worker, as it looks after each space once a day",
    "log": "the worker, a month at a time",
    "watch": "the worker, as it holds what was expected against what was told",
    "person": "a person's decision (`mos erase person`); the job says when it is time",
}


class Last(Struct, frozen=True):
    """What the evidence says last of a class.

    `oldest`: from when the time of the oldest that remained counts; None where nothing did.
    """

    name: str
    day: date
    done_at: datetime
    removed: int
    failed: int
    oldest: datetime | None


class _Name(Struct, frozen=True):
    name: str


class _Removed(Struct, frozen=True):
    name: str
    removed: int


class _Yes(Struct, frozen=True):
    yes: bool


class _Number(Struct, frozen=True):
    number: int


class _At(Struct, frozen=True):
    at: datetime | None


_ONLY_ONE = _sql.query("only_one", _Yes)
_DONE_ON = _sql.query("done_on", _Name)
_DROP = _sql.query("drop", _Number)
_OLDEST = _sql.query("oldest", _At)
_NOTE = _sql.query("note", _Number)
_REMOVED_ON = _sql.query("removed_on", _Removed)
_LATEST = _sql.query("latest", Last)


# ────────────────────────────────────────────────── rules


def terms_of(tables: Iterable[Table]) -> list[Term]:
    """Return every class that has a time of its own, in the order of the declarations."""
    return [term for table in tables for term in table.terms]


def overdue(term: Term, oldest: datetime | None, now: datetime) -> timedelta:
    """Return for how long the oldest that remains should have been gone; zero while it is kept."""
    late = timedelta(0) if oldest is None else now - term.kept - oldest
    return max(late, timedelta(0))


def state(term: Term, last: Last | None, now: datetime) -> State:
    """Say whether a class is kept as declared."""
    if last is None or now - last.done_at > LATE_AFTER:
        return "idle"
    if overdue(term, last.oldest, now) > LATE_AFTER:
        return "late"
    return "failed" if last.failed else "kept"


def document(tables: Iterable[Table]) -> str:
    """Return docs/privacy/retention.md, ending with a line feed."""
    frame = resources.files(__package__).joinpath("retention.md").read_text(encoding="utf-8")
    tables = [each for each in tables if each.personal]
    return frame.replace("{classes}", "\n".join(_classes(tables))).replace(
        "{others}", "\n".join(_others(tables))
    )


def _classes(tables: Iterable[Table]) -> Iterator[str]:
    for table in tables:
        for term in table.terms:
            kept = in_words(term.kept) if term.kept else "-"
            yield (
                f"| `{term.name}` | `{table.name}` | {kept} | {term.since} | {term.why} "
                f"| {_DROPPED_BY[term.by]} |"
            )


def _others(tables: Iterable[Table]) -> Iterator[str]:
    for table in tables:
        if table.other:
            yield f"| `{table.name}` | {table.holds} | {table.other} |"


# ────────────────────────────────────────────────── what is done, and the evidence


async def begin(db: Db) -> bool:
    """Take the day's work on until the transaction ends; False while another worker has it."""
    row = await db.one(_ONLY_ONE)
    return row is not None and row.yes


async def done_on(db: Db, now: datetime) -> set[str]:
    """Return the classes that this day's work is through with."""
    return {row.name for row in await db.all(_DONE_ON, day=_day(now))}


async def drop(db: Db, term: Term, now: datetime, limit: int) -> int:
    """Drop up to `limit` rows that have had their time; return how many. Of the engine's role."""
    row = await db.one(_DROP, name=term.name, before=now - term.kept, now=now, limit=limit)
    return row.number if row else 0


async def oldest(db: Db, term: Term, now: datetime) -> datetime | None:
    """Return from when the time of the oldest that remains counts. Needs the engine's role."""
    if term.name in TOLD_BY_SPACES:
        return None
    row = await db.one(_OLDEST, name=term.name, now=now)
    return row.at if row else None


async def note(  # noqa: PLR0913  one line's columns
    db: Db,
    name: str,
    now: datetime,
    *,
    removed: int = 0,
    oldest: datetime | None = None,
    failed: int = 0,
    done: bool = False,
) -> None:
    """Add to the day's line of a class: what was removed, what remains, or that it failed."""
    await db.one(
        _NOTE,
        day=_day(now),
        name=name,
        removed=removed,
        oldest=oldest,
        failed=failed,
        now=now,
        done=done,
    )


def note_last(
    db: Db, name: str, now: datetime, *, removed: int, oldest: datetime | None = None
) -> None:
    """Note as `note` does, last in the transaction: all of a day's work share one line."""
    if removed or oldest:
        db.before_commit(partial(note, name=name, now=now, removed=removed, oldest=oldest))


async def removed_on(db: Db, now: datetime) -> dict[str, int]:
    """Return how much of which class went on this day."""
    return {row.name: row.removed for row in await db.all(_REMOVED_ON, day=_day(now))}


async def latest(db: Db) -> dict[str, Last]:
    """Return the latest evidence of each class."""
    rows = await db.all(_LATEST, by_space=sorted(TOLD_BY_SPACES))
    return {row.name: row for row in rows}


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()

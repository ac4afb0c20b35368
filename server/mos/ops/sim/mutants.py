"""Known ways to get it wrong. Each is put in at run time, and something must notice every one.

A check that nothing can fail proves nothing. These are mistakes that others made, or that we made.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from asyncpg.connection import Connection

from mos.medication import actions as medication
from mos.ops.sim.checks import Violation
from mos.ops.sim.device import Device, Engine, Round
from mos.ops.sim.plan import make_plan
from mos.ops.sim.race import race
from mos.ops.sim.runner import run_plan
from mos.ops.sim.traces import compare, make_trace
from mos.sync import authorship, compaction, erasure, rules

_SEEDS = 600
_TRACES = 400
_RACES = 40


@dataclass(frozen=True)
class Mutant:
    """One mistake. `sql` is (function, what it says, what it says instead) for each change."""

    name: str
    sql: tuple[tuple[str, str, str], ...] = ()
    # Run as the owner before and after.
    before: str = ""
    after: str = ""
    python: tuple[tuple[Any, str, Any], ...] = ()
    by: str = "seeds"  # what is to notice it: seeds, traces or races


def _cursor_first(  # noqa: PLR0917  as what it stands for
    self: Device,
    space: str,
    asked: str,
    rows: list[Any],
    cursor: str,
    now: int,
    *,
    more: bool = False,
) -> bool:
    if self.disk.cursors.get(space) == asked:
        self._begin()
        self._store_cursor(space, cursor)
        self.disk.partial.discard(space)
        self._begin()
        self._store_cursor(space, asked)
    return _take(self, space, asked, rows, cursor, now, more=more)


_take = Device.take


def _purge_first(self: Engine, spaces: list[str]) -> Round:
    for space in spaces:
        self._device.purge(space)
    yield from self._push()


def _own_counter(self: Device, space: str) -> int:
    # Two tabs, each with what it read when it was opened.
    tab = self.__dict__.setdefault("_tabs", {}).setdefault(
        (self.disk.device, space, sum(self.disk.numbers.values()) % 2),
        self.disk.numbers.get(space, 0),
    )
    counters = self.__dict__["_tabs"]
    key = next(key for key, value in counters.items() if value == tab)
    counters[key] = tab + 1
    self.disk.numbers[space] = max(self.disk.numbers.get(space, 0), tab + 1)
    return int(tab + 1)


def _no_clamp(*_args: object) -> Mapping[Any, str]:
    return {}


def _nobody(*_args: object) -> None:
    return None


async def _tell_nobody(*_args: object) -> None:
    return None


_LOCK = (
    "  PERFORM FROM space s\n  WHERE s.org_id = p_org AND s.space_id = ANY (p_spaces) "
    "ORDER BY s.space_id FOR NO KEY UPDATE;"
)
_SPACE = "SELECT * FROM space WHERE space.org_id = p_org AND space.space_id = i.space_id LIMIT 1"
_SEQ = "THEN j.head_seq + row_number()"
_SEQ_OVER = "OVER (PARTITION BY j.space_id, j.refused IS NULL AND NOT j.is_safety ORDER BY j.ord) END AS seq"  # noqa: E501
_BECOMES = "'v', {}, 'by', p_account, 'at', p_item -> 'at', 'dig', v_val -> 'dig'));"
_ERASE = erasure._ERASE  # noqa: SLF001  it is what is got wrong

MUTANTS = (
    Mutant(
        "lock and merge in one statement",
        sql=(("sync_push", _LOCK, ""), ("sync_push", _SPACE, f"{_SPACE} FOR NO KEY UPDATE")),
        by="races",
    ),
    Mutant(
        "places from a sequence instead of the locked counter",
        sql=(
            ("sync_push", _LOCK, ""),
            ("sync_push", _SEQ, "THEN nextval('sim_place')"),
            ("sync_push", _SEQ_OVER, "END AS seq"),
            ("sync_push", "head_seq = t.head,", "head_seq = GREATEST(s.head_seq, t.head),"),
        ),
        before="CREATE SEQUENCE sim_place; GRANT USAGE ON SEQUENCE sim_place TO mos_app",
        after="DROP SEQUENCE sim_place",
        by="races",
    ),
    Mutant(
        "nothing knows an op again",
        sql=(
            (
                "sync_push",
                "WHEN k.was IS NOT NULL OR (k.nth > 1 AND k.verdict IS NULL)",
                "WHEN false",
            ),
        ),
        before="ALTER TABLE op DROP CONSTRAINT op_once; "
        "CREATE INDEX op_many ON op (org_id, op_id, space_id)",
        after="DROP INDEX op_many; "
        "ALTER TABLE op ADD CONSTRAINT op_once UNIQUE (org_id, op_id, space_id)",
    ),
    Mutant(
        "a number that came is known, whatever it is the number of",
        sql=(
            ("sync_push", "i.hlc <= s.archive_hlc)", "true)"),
            ("sync_push", "i.claimed <= d.archive_claimed)", "true)"),
        ),
    ),
    Mutant(
        "at an equal clock the later to arrive wins",
        sql=(
            ("sync_push", "n.hlc > COALESCE(n.clk ->> g.key", "n.hlc >= COALESCE(n.clk ->> g.key"),
        ),
        by="traces",
    ),
    Mutant("the cursor is stored before its rows", python=((Device, "take", _cursor_first),)),
    Mutant("clocks ahead are believed", python=((rules, "clamped", _no_clamp),)),
    Mutant(
        "deletions are remembered for an hour",
        python=(
            (compaction, "KEPT", timedelta(hours=1)),
            (compaction, "_LONGEST_LEASE", -timedelta(days=10_000)),
        ),
    ),
    Mutant("a space leaves before its ops are sent", python=((Engine, "_leave", _purge_first),)),
    Mutant(
        "dose and times are merged apart",
        sql=(
            (
                "sync_decide",
                _BECOMES.format("v_val -> 'v'"),
                _BECOMES.format("COALESCE(v_active -> 'v', '{}') || (v_val -> 'v')"),
            ),
        ),
    ),
    Mutant("two tabs count for themselves", python=((Device, "_next_number", _own_counter),)),
    Mutant(
        "the last proposal wins",
        sql=(
            (
                "sync_decide",
                "WHEN v_val ->> 'base' IS DISTINCT FROM v_active ->> 'ver'",
                "WHEN false",
            ),
        ),
    ),
    Mutant(
        "whoever had not heard that it stays overrules the decision",
        sql=(
            (
                "sync_decide",
                "WHEN v_of.doc -> 'resolved' ->> 'chose' IS NOT DISTINCT FROM",
                "WHEN false AND v_of.doc -> 'resolved' ->> 'chose' IS NOT DISTINCT FROM",
            ),
        ),
        by="traces",
    ),
    Mutant(
        "one tablet, one author: the next person's proposal replaces the last one's",
        sql=(("sync_decide", "AND v_chosen ->> 'by' = p_account::text", ""),),
        by="traces",
    ),
    Mutant(
        "one person changes what took two",
        sql=(("sync_decide", "COALESCE(v_active ? 'two', false)", "false"),),
    ),
    Mutant(
        "nobody watches for a dose that was given twice",
        python=((medication, "watch_doubles", _tell_nobody),),
    ),
    Mutant(
        "a choice is taken from who has not seen all",
        sql=(("sync_decide", "WHERE a.op IS NULL OR b.op IS NULL", "WHERE false"),),
    ),
    Mutant("late events are refused", python=((authorship, "_held", _nobody),)),
    Mutant(
        "erasure forgets quarantine",
        python=(
            (
                erasure,
                "_ERASE",
                replace(
                    _ERASE,
                    sql=_ERASE.sql.replace("DELETE FROM quarantine", "SELECT FROM quarantine"),
                ),
            ),
        ),
    ),
)


@asynccontextmanager
async def put_in(connection: "Connection[Any]", mutant: Mutant) -> AsyncIterator[None]:
    """Have the mistake made while inside. Raises ValueError when there is nothing to get wrong."""
    right = {name: await _definition(connection, name) for name, *_ in mutant.sql}
    wrong = dict(right)
    for name, says, instead in mutant.sql:
        if says not in wrong[name]:
            raise ValueError(f"{mutant.name}: {name} does not say {says!r}")
        wrong[name] = wrong[name].replace(says, instead, 1)
    kept = [(place, name, getattr(place, name)) for place, name, _ in mutant.python]
    if mutant.before:
        await connection.execute(mutant.before)
    for text in wrong.values():
        await connection.execute(text)
    try:
        for place, name, instead in mutant.python:
            setattr(place, name, instead)
        yield
    finally:
        for place, name, before in kept:
            setattr(place, name, before)
        for text in right.values():
            await connection.execute(text)
        if mutant.after:
            await connection.execute(mutant.after)


async def _definition(connection: "Connection[Any]", name: str) -> str:
    text: str = await connection.fetchval(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = $1", name
    )
    return text


async def caught(connection: "Connection[Any]", dsn: str, mutant: Mutant) -> str | None:
    """Return what noticed a mutant, or None when nothing did."""
    async with put_in(connection, mutant):
        for where, trial in _trials(connection, dsn, mutant.by):
            found = await trial()
            if found is not None:
                return f"{found.check}, {where}: {found.what[:100]}"
    return None


_Trial = Callable[[], Awaitable[Violation | None]]


def _trials(connection: "Connection[Any]", dsn: str, by: str) -> Iterator[tuple[str, _Trial]]:
    match by:
        case "races":
            for number in range(_RACES):
                yield f"race {number}", partial(_race, connection, dsn, number)
        case "traces":
            for seed in range(_TRACES):
                yield f"trace {seed}", partial(_trace, connection, seed)
        case _:
            for seed in range(_SEEDS):
                yield f"seed {seed}", partial(_seed, connection, seed)


async def _race(connection: "Connection[Any]", dsn: str, number: int) -> Violation | None:
    try:
        await race(dsn, number)
    except Violation as violation:
        return violation
    finally:
        await connection.execute("TRUNCATE organisation, rec, op, device_space CASCADE")
    return None


async def _trace(connection: "Connection[Any]", seed: int) -> Violation | None:
    try:
        await compare(connection, make_trace(seed))
    except Violation as violation:
        return violation
    return None


async def _seed(connection: "Connection[Any]", seed: int) -> Violation | None:
    return (await run_plan(connection, make_plan(seed))).violation

"""R1: how fast what is due becomes occurrences and deliveries, beside a bare statement and queues.

Every reminder is due, every resident has one tablet with push. The bare statement claims the same
rows with the same `FOR UPDATE SKIP LOCKED` and inserts the same occurrences and deliveries, as the
owner without row-level security, with no decision in between: what PostgreSQL can do at most.
"""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg

from bench import home
from bench.http import BenchError
from bench.report import Goal, Result, number, result
from bench.ring import crew, queues, stage
from bench.ring.bench import Bench, Size
from bench.ring.stage import NOW
from mos.ops.postgres import Cluster

_RESIDENTS = 1000
_ROWS = Size(quick=10_000, usual=40_000, whole=200_000)
_WORKERS = (1, 2, 4)
_SETS = (100, 1_000, 2_000, 10_000)
# As many as a worker of MOS takes at once.
_USUAL = (1, 2_000)
_BARE = "the bare statement by pgbench"

_STATEMENT = """
WITH taken AS MATERIALIZED (
  SELECT org_id, space_id, occ FROM due WHERE first_at <= '{now}' ORDER BY first_at LIMIT {size}
  FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM due d USING taken t
  WHERE d.org_id = t.org_id AND d.space_id = t.space_id AND d.occ = t.occ RETURNING d.*
), born AS (
  INSERT INTO occurrence (org_id, space_id, occ, reminder_id, at, ends_at, category, criticality,
    checkable, grace_s, ring_start, ring_again, state, from_at, missed_at, next_at)
  SELECT org_id, space_id, occ, reminder_id, at, ends_at, category, criticality, checkable, grace_s,
    ring_start, ring_again, 'due', at, at + grace_s * interval '1 second', at + interval '5 minutes'
  FROM gone RETURNING org_id, space_id, occ, missed_at
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel,
  state, next_at, expires_at, created_at)
SELECT b.org_id, b.space_id, 'ring', b.occ, 1, d.account_id, d.device_id, c, 'queued', '{now}',
  b.missed_at, '{now}'
FROM born b
CROSS JOIN LATERAL (SELECT account_id FROM resident r
  WHERE r.org_id = b.org_id AND r.space_id = b.space_id OFFSET 0) r
CROSS JOIN LATERAL (SELECT account_id, device_id FROM device d
  WHERE d.org_id = b.org_id AND d.account_id = r.account_id AND d.revoked_at IS NULL OFFSET 0) d
CROSS JOIN unnest(ARRAY['openapp', 'webpush']) AS c
ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING;
"""
_NESTED = "-c enable_hashjoin=off -c enable_mergejoin=off"


def rates(bench: Bench) -> list[Result]:
    """Return reminders a second for each number of workers and size of set, beside the others."""
    rows = bench.much(_ROWS)
    org = asyncio.run(stage.residents(bench.cluster, _RESIDENTS))
    results = []
    usual: list[float] = []
    for workers in _WORKERS:
        for size in _SETS:
            ours, bare = _in_turn(
                bench, org, rows,
                partial(_ours, bench.cluster, workers, size, rows),
                partial(_bare, bench.cluster, workers, size, rows),
            )  # fmt: skip
            if (workers, size) == _USUAL:
                usual = ours
            results.append(_row(workers, size, ours, bare))
    return results + _beside_queues(bench, usual)


def _row(workers: int, size: int, ours: list[float], bare: list[float]) -> Result:
    is_usual = (workers, size) == _USUAL
    return result(
        f"R1 due to occurrence and two deliveries, {workers} workers, sets of {number(size)}",
        ours, "reminders/s", versus=(_BARE, bare),
        goal=Goal(least=0.6, is_ratio=True) if is_usual else None,
        note="As `mos work` takes them. The bare statement decides nothing and passes no "
        "row-level security." if is_usual else "",
    )  # fmt: skip


def _in_turn(
    bench: Bench, org: UUID, rows: int, *sides: Callable[[], float]
) -> tuple[list[float], ...]:
    """Let each side take everything, one after the other, as often as each is measured."""
    found: tuple[list[float], ...] = tuple([] for _ in sides)
    for _ in range(bench.runs):
        for rate, side in zip(found, sides, strict=True):
            asyncio.run(_fill(bench.cluster, org, rows))
            rate.append(side())
            asyncio.run(_require_taken(bench.cluster, rows))
    return found


async def _fill(cluster: Cluster, org: UUID, rows: int) -> None:
    owner = await asyncpg.connect(cluster.dsn())
    await stage.nothing(owner)
    await stage.due(owner, org, NOW, each=rows // _RESIDENTS)
    await owner.execute("VACUUM ANALYZE due, occurrence, delivery")
    # What was just written is no part of what is measured.
    await owner.execute("CHECKPOINT")
    await owner.close()


async def _require_taken(cluster: Cluster, rows: int) -> None:
    owner = await asyncpg.connect(cluster.dsn())
    counted = await owner.fetchrow(
        "SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM occurrence), "
        "(SELECT count(*) FROM delivery)"
    )
    await owner.close()
    if tuple(counted) != (0, rows, 2 * rows):
        raise BenchError(f"{rows} were due, and in the end it was {tuple(counted)}")


def _ours(cluster: Cluster, workers: int, size: int, rows: int) -> float:
    command = crew.worker("claim", home.engine_dsn(cluster), str(size))
    done = crew.work([command] * workers, os.environ)
    if done.total("done") != rows:
        raise BenchError(f"the workers took {done.total('done')} of {rows}")
    return rows / done.seconds


def _bare(cluster: Cluster, workers: int, size: int, rows: int) -> float:
    times = -(-rows // (size * workers))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "claim.sql"
        script.write_text(_STATEMENT.format(now=NOW.isoformat(), size=size))
        started = time.perf_counter()
        done = subprocess.run(
            [
                cluster._binaries() / "pgbench", "-n", "-M", "prepared",  # noqa: SLF001
                "-f", script, "-c", str(workers), "-j", str(workers), "-t", str(times),
                cluster.dsn(),
            ],
            capture_output=True, text=True, check=False, env=os.environ | {"PGOPTIONS": _NESTED},
        )  # fmt: skip
        seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise BenchError(f"pgbench: {done.stderr}")
    return rows / seconds


def _beside_queues(bench: Bench, usual: list[float]) -> list[Result]:
    return [
        result(
            f"R1 1 worker, sets of {number(_USUAL[1])}, beside {queue.name}", usual, "reminders/s",
            versus=(queue.name, queues.rates(bench, queue)),
            goal=Goal(least=queue.goal, is_ratio=True) if queue.goal else None, note=queue.unfair,
        )
        for queue in queues.QUEUES
    ]  # fmt: skip

"""`mos bench claim`: how fast due reminders become occurrences and deliveries.

Runs on a throw-away PostgreSQL of its own, without fsync. Every reminder is due, every resident has
one tablet with push. The bare statement claims the same rows with the same `FOR UPDATE SKIP LOCKED`
and inserts the same occurrences and deliveries, as the owner without row-level security, with no
decision in between: what PostgreSQL can do at most. `claim alone` leaves the deliveries out, too.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
from rich.console import Console

from bench import home, report
from mos.db import Pool, connect, settle
from mos.dispatch import engine
from mos.kernel.ids import new_id
from mos.ops.postgres import Cluster

_RESIDENTS = 1000
NOW = datetime(2026, 11, 27, 7, tzinfo=UTC)

FILL = """
INSERT INTO due (org_id, space_id, occ, reminder_id, at, first_at, ends_at, category, criticality,
                 checkable, grace_s, ring_start, ring_again)
SELECT s.org_id, s.space_id, gen_random_uuid() || '@2026-11-27T08:00', gen_random_uuid(),
       $1, $1, $1, 'meal', 'normal', true, 1800, true, true
FROM resident s, generate_series(1, $2 / 1000)
"""
CLAIM_ALONE = """
WITH taken AS MATERIALIZED (
  SELECT org_id, space_id, occ FROM due WHERE first_at <= $1 ORDER BY first_at LIMIT $2
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
"""
BARE = {
    "claim alone": CLAIM_ALONE + "SELECT count(*) FROM born",
    "bare": CLAIM_ALONE
    + """, told AS (
  INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel,
    state, next_at, expires_at, created_at)
  SELECT b.org_id, b.space_id, 'ring', b.occ, 1, d.account_id, d.device_id, c, 'queued', $1,
    b.missed_at, $1
  FROM born b
  CROSS JOIN LATERAL (SELECT account_id FROM resident r
    WHERE r.org_id = b.org_id AND r.space_id = b.space_id OFFSET 0) r
  CROSS JOIN LATERAL (SELECT account_id, device_id FROM device d
    WHERE d.org_id = b.org_id AND d.account_id = r.account_id AND d.revoked_at IS NULL OFFSET 0) d
  CROSS JOIN unnest(ARRAY['openapp', 'webpush']) AS c
  ON CONFLICT ON CONSTRAINT delivery_once DO NOTHING
)
SELECT count(*) FROM born""",
}


async def prepare(cluster: Cluster) -> None:
    """Make a thousand residents with a tablet each."""
    org: UUID = new_id(NOW)
    await home.prepare(cluster)
    await home.found(cluster, org)
    await home.make_unit(cluster, org, residents=_RESIDENTS, devices=0)
    owner = await asyncpg.connect(cluster.dsn())
    await owner.execute(
        "INSERT INTO device (org_id, device_id, account_id, push_endpoint, created_at, seen_at) "
        "SELECT org_id, gen_random_uuid(), account_id, 'https://push.example/x', $1, $1 "
        "FROM resident",
        NOW,
    )
    await owner.close()


async def empty(owner: asyncpg.Connection, rows: int) -> None:
    """Begin anew with `rows` due."""
    await owner.execute("TRUNCATE due, occurrence, delivery, alert")
    await owner.execute(FILL, NOW - timedelta(minutes=1), rows)
    await owner.execute("VACUUM ANALYZE")


async def bare(dsn: str, statement: str, batch: int) -> None:
    """Drain by a bare statement."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")
    while await connection.fetchval(statement, NOW, batch):
        pass
    await connection.close()


async def ours(pool: Pool, batch: int) -> None:
    """Drain by the engine's own pass."""
    while True:
        async with pool.transaction() as db:
            if not await engine.claim(db, NOW, batch):
                return


async def measure(
    cluster: Cluster, *, rows: int, batch: int, rounds: int
) -> dict[str, list[float]]:
    """Let both sides drain in turn, so many times; return reminders a second of each."""
    await prepare(cluster)
    dsn = cluster.dsn()
    owner = await asyncpg.connect(dsn)
    pool = await connect(cluster.dsn("mos_engine"), size=1)
    settle()
    sides: dict[str, Callable[[], Coroutine[None, None, None]]] = {
        name: partial(bare, dsn, statement, batch) for name, statement in BARE.items()
    } | {"engine": partial(ours, pool, batch)}
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            await empty(owner, rows)
            started = time.perf_counter()
            await side()
            found[name].append(rows / (time.perf_counter() - started))
    if await owner.fetchval("SELECT count(*) FROM delivery") != 2 * rows:
        raise AssertionError("the engine did not make two deliveries of each reminder")
    await pool.close()
    await owner.close()
    return found


def run(*, quick: bool, as_json: bool, rows: int, batch: int) -> None:
    """Measure and print what was found."""
    where = report.machine(quick=quick)
    report.warn_if_busy(where, Console(stderr=True, highlight=False))
    directory = Path(tempfile.mkdtemp(prefix="mos-bench-"))
    directory.chmod(0o755)
    cluster = Cluster(directory, fast=True)
    try:
        cluster.create()
        cluster.start()
        found = asyncio.run(
            measure(cluster, rows=rows // 10 if quick else rows, batch=batch,
                    rounds=1 if quick else 5)
        )  # fmt: skip
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)
    name = "due reminder to occurrence and two deliveries"
    results = [
        report.result(
            name, found["engine"], "reminders/s", versus=("the bare statement", found["bare"]),
            goal=report.Goal(least=0.6, is_ratio=True),
            note="The bare statement moves the same rows, without decisions and row-level "
            "security.",
        ),
        report.result(
            f"{name}, without the deliveries", found["claim alone"], "reminders/s",
            note="The bare statement again: what the deliveries cost.",
        ),
    ]  # fmt: skip
    report.show(where, results, as_json=as_json)

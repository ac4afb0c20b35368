"""How fast due reminders become occurrences and deliveries, against the bare statement.

    python bench/claim.py [--rows 100000] [--batch 2000] [--workers 1]

Runs on a throw-away PostgreSQL of its own, without fsync. Every reminder is due, every resident has
one tablet with push. The bare statement claims the same rows with the same `FOR UPDATE SKIP LOCKED`
and inserts the same occurrences, but makes no decision and no delivery: unfair to us, and therefore
the limit to be near to.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "server"))

import asyncpg  # noqa: E402

from mos.db import Pool, connect, settle  # noqa: E402
from mos.db.migrate import migrate  # noqa: E402
from mos.dispatch import engine  # noqa: E402
from mos.ops.postgres import Cluster  # noqa: E402

NOW = datetime(2026, 11, 27, 7, tzinfo=UTC)

FILL = """
INSERT INTO due (org_id, space_id, occ, reminder_id, at, first_at, ends_at, category, criticality,
                 checkable, grace_s, ring_start, ring_again)
SELECT s.org_id, s.space_id, gen_random_uuid() || '@2026-11-27T08:00', gen_random_uuid(),
       $1, $1, $1, 'meal', 'normal', true, 1800, true, true
FROM resident s, generate_series(1, $2 / 1000)
"""
BARE = """
WITH taken AS MATERIALIZED (
  SELECT org_id, space_id, occ FROM due WHERE first_at <= $1 ORDER BY first_at LIMIT $2
  FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM due d USING taken t
  WHERE d.org_id = t.org_id AND d.space_id = t.space_id AND d.occ = t.occ RETURNING d.*
)
INSERT INTO occurrence (org_id, space_id, occ, reminder_id, at, ends_at, category, criticality,
  checkable, grace_s, ring_start, ring_again, state, from_at, missed_at, next_at)
SELECT org_id, space_id, occ, reminder_id, at, ends_at, category, criticality, checkable, grace_s,
  ring_start, ring_again, 'due', at, at + grace_s * interval '1 second', at + interval '5 minutes'
FROM gone
"""


async def prepare(owner: asyncpg.Connection) -> None:
    """Make a thousand residents with a tablet each."""
    org = await owner.fetchval(
        "INSERT INTO organisation (org_id, name, policy, zone, language, created_at) "
        "VALUES (gen_random_uuid(), 'Bench', 'family', 'Europe/Stockholm', 'sv', $1) "
        "RETURNING org_id",
        NOW,
    )
    unit = await owner.fetchval(
        "INSERT INTO unit (org_id, unit_id, name, zone, language, created_at) "
        "VALUES ($1, gen_random_uuid(), 'Bench', 'Europe/Stockholm', 'sv', $2) RETURNING unit_id",
        org,
        NOW,
    )
    await owner.execute(
        "WITH a AS (INSERT INTO account (org_id, account_id, role, name, language, created_at) "
        "SELECT $1, gen_random_uuid(), 'resident', 'R', 'sv', $3 FROM generate_series(1, 1000) "
        "RETURNING account_id), d AS (INSERT INTO device (org_id, device_id, account_id, "
        "push_endpoint, created_at, seen_at) SELECT $1, gen_random_uuid(), account_id, "
        "'https://push.example/x', $3, $3 FROM a) "
        "INSERT INTO resident (org_id, space_id, account_id, unit_id) "
        "SELECT $1, gen_random_uuid(), account_id, $2 FROM a",
        org,
        unit,
        NOW,
    )


async def empty(owner: asyncpg.Connection, rows: int) -> None:
    """Begin anew with `rows` due."""
    await owner.execute("TRUNCATE due, occurrence, delivery, alert")
    await owner.execute(FILL, NOW - timedelta(minutes=1), rows)
    await owner.execute("VACUUM ANALYZE due")


async def bare(dsn: str, batch: int) -> None:
    """Drain by the bare statement."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")
    while await connection.execute(BARE, NOW, batch) != "INSERT 0 0":
        pass
    await connection.close()


async def ours(pool: Pool, batch: int) -> None:
    """Drain by the engine's own pass."""
    while True:
        async with pool.transaction() as db:
            if not await engine.claim(db, NOW, batch):
                return


async def timed(rows: int, workers: list) -> float:
    """Return rows a second."""
    start = time.perf_counter()
    await asyncio.gather(*workers)
    return rows / (time.perf_counter() - start)


async def measure(cluster: Cluster, args: argparse.Namespace) -> dict[str, list[float]]:
    """Run both sides in turn, five times."""
    await migrate(
        cluster.dsn(database="postgres"), passwords={"mos_app": "app", "mos_engine": "engine"}
    )
    dsn = cluster.dsn(database="postgres")
    owner = await asyncpg.connect(dsn)
    await prepare(owner)
    pool = await connect(cluster.dsn("mos_engine", "postgres"), size=args.workers)
    settle()
    found: dict[str, list[float]] = {"bare": [], "engine": []}
    for _ in range(args.rounds):
        await empty(owner, args.rows)
        found["bare"].append(
            await timed(args.rows, [bare(dsn, args.batch) for _ in range(args.workers)])
        )
        await empty(owner, args.rows)
        found["engine"].append(
            await timed(args.rows, [ours(pool, args.batch) for _ in range(args.workers)])
        )
        deliveries = await owner.fetchval("SELECT count(*) FROM delivery")
        assert deliveries == 2 * args.rows, deliveries
    await pool.close()
    await owner.close()
    return found


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="mos-bench-"))
    directory.chmod(0o755)
    cluster = Cluster(directory, fast=True)
    try:
        cluster.create()
        cluster.start()
        found = asyncio.run(measure(cluster, args))
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)
    medians = {name: statistics.median(values) for name, values in found.items()}
    result = {
        "name": "due → occurrence + 2 deliveries",
        "value": round(medians["engine"]),
        "unit": "reminders/s",
        "against": round(medians["bare"]),
        "ratio": round(medians["engine"] / medians["bare"], 2),
        "goal": 0.6,
        "note": "the bare statement inserts one row for each reminder, the engine three",
        "runs": {name: [round(value) for value in values] for name, values in found.items()},
    }
    machine = {"cpus": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"machine": machine, "args": vars(args), "results": [result]}, indent=1))


if __name__ == "__main__":
    main()

"""How fast due reminders become occurrences and deliveries, against the bare statement.

    python bench/claim.py [--rows 100000] [--batch 2000] [--workers 1]

Runs on a throw-away PostgreSQL of its own, without fsync. Every reminder is due, every resident has
one tablet with push. The bare statement claims the same rows with the same `FOR UPDATE SKIP LOCKED`
and inserts the same occurrences and deliveries, as the owner without row-level security, with no
decision in between: what PostgreSQL can do at most. `claim alone` leaves the deliveries out, too.
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
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
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
        "INSERT INTO resident (org_id, space_id, medication_id, account_id, unit_id) "
        "SELECT $1, gen_random_uuid(), gen_random_uuid(), account_id, $2 FROM a",
        org,
        unit,
        NOW,
    )


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
    sides: dict[str, Callable[[], Coroutine[None, None, None]]] = {
        name: partial(bare, dsn, statement, args.batch) for name, statement in BARE.items()
    } | {"engine": partial(ours, pool, args.batch)}
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(args.rounds):
        for name, side in sides.items():
            await empty(owner, args.rows)
            found[name].append(await timed(args.rows, [side() for _ in range(args.workers)]))
    assert await owner.fetchval("SELECT count(*) FROM delivery") == 2 * args.rows
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
        "note": "bare: the same rows, without decisions and row-level security",
        "runs": {name: [round(value) for value in values] for name, values in found.items()},
    }
    machine = {"cpus": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"machine": machine, "args": vars(args), "results": [result]}, indent=1))


if __name__ == "__main__":
    main()

"""R5: what a reminder costs after a day and after a year: the same residents and reminders."""

import asyncio
import os
from uuid import UUID

import asyncpg

from bench import home
from bench.http import BenchError
from bench.report import Goal, Result, number, result
from bench.ring import crew, stage
from bench.ring.bench import Bench, Size
from bench.ring.stage import NOW
from mos.ops.postgres import Cluster

_RESIDENTS = 200
_A_DAY = 10
_DAYS = Size(quick=10, usual=365)
_SET = 500
# One day's reminders are soon taken.
_MORE_RUNS = 4

# One day of everybody's: done, told to a tablet in two ways, and answered.
_PAST = """
WITH past AS (
  INSERT INTO occurrence (org_id, space_id, occ, reminder_id, at, ends_at, category, criticality,
    checkable, grace_s, ring_start, ring_again, state, outcome, from_at, missed_at, told_at,
    closed_at, step, rung)
  SELECT r.org_id, r.space_id,
    md5(r.space_id || '/' || n)::uuid || to_char(day, '"@"YYYY-MM-DD"T"HH24:MI'),
    md5(r.space_id || '/' || n)::uuid, day, day, 'meal', 'normal', true, 1800, true, true,
    'closed', 'done', day, day + interval '30 minutes', day, day + interval '5 minutes', 1, 1
  FROM resident r, generate_series(1, $2::integer) n,
       generate_series($3::timestamptz, $4::timestamptz, interval '1 day') day
  WHERE r.org_id = $1
  RETURNING org_id, space_id, occ, at
), answered AS (
  INSERT INTO answer (org_id, space_id, op_id, occ, outcome, at)
  SELECT org_id, space_id, gen_random_uuid(), occ, 'done', at FROM past
)
INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, channel, state,
                      attempts, expires_at, created_at, attempted_at, settled_at)
SELECT p.org_id, p.space_id, 'ring', p.occ, 1, d.account_id, d.device_id, c, 'seen', 1,
       p.at + interval '30 minutes', p.at, p.at, p.at
FROM past p
JOIN resident r ON r.org_id = p.org_id AND r.space_id = p.space_id
JOIN device d ON d.org_id = r.org_id AND d.account_id = r.account_id
CROSS JOIN unnest(ARRAY['openapp', 'webpush']) AS c
"""


def flat(bench: Bench) -> list[Result]:
    """Return how fast what is due is taken after a day and after a year."""
    days = bench.much(_DAYS)
    org = asyncio.run(_first_day(bench.cluster))
    young = _rates(bench, org)
    asyncio.run(_more_days(bench.cluster, org, days))
    old = _rates(bench, org)
    past = _RESIDENTS * _A_DAY * days
    return [
        result(
            f"R5 due to occurrence and two deliveries, {days} days of history", old, "reminders/s",
            versus=("one day of history", young), goal=Goal(least=0.8, is_ratio=True),
            note=f"{number(past)} occurrences, as many answers, twice as many deliveries. One "
            "after the other, not in turn.",
        )
    ]  # fmt: skip


def _rates(bench: Bench, org: UUID) -> list[float]:
    runs = bench.runs + _MORE_RUNS
    return [asyncio.run(_fill_and_take(bench.cluster, org)) for _ in range(runs + 1)][1:]


async def _first_day(cluster: Cluster) -> UUID:
    owner = await asyncpg.connect(cluster.dsn())
    await stage.nothing(owner)
    org = await stage.residents(cluster, _RESIDENTS)
    await _past(owner, org, first=1, last=1)
    await owner.close()
    return org


async def _more_days(cluster: Cluster, org: UUID, days: int) -> None:
    owner = await asyncpg.connect(cluster.dsn())
    for first in range(2, days + 1, 30):
        await _past(owner, org, first=first, last=min(days, first + 29))
    await owner.close()


async def _past(owner: asyncpg.Connection, org: UUID, *, first: int, last: int) -> None:
    """Write the days that lie so many days back."""
    # What is over is written as it ended: the moves there are not looked at.
    await owner.execute("SET session_replication_role = replica")
    start, end = (await owner.fetchrow(
        "SELECT $1::timestamptz - $2::integer * interval '1 day', "
        "$1::timestamptz - $3::integer * interval '1 day'", NOW, last, first
    ))  # fmt: skip
    await owner.execute(_PAST, org, _A_DAY, start, end, timeout=600)
    await owner.execute("RESET session_replication_role")


async def _fill_and_take(cluster: Cluster, org: UUID) -> float:
    rows = _RESIDENTS * _A_DAY
    owner = await asyncpg.connect(cluster.dsn())
    await stage.due(owner, org, NOW, each=_A_DAY)
    await owner.execute("VACUUM ANALYZE due, occurrence, answer, delivery")
    command = crew.worker("claim", home.engine_dsn(cluster), str(_SET))
    done = await asyncio.to_thread(crew.work, [command], os.environ)
    # What it made is taken away again: both ages have nothing else to do.
    await owner.execute("DELETE FROM delivery WHERE org_id = $1 AND next_at IS NOT NULL", org)
    await owner.execute("DELETE FROM occurrence WHERE org_id = $1 AND next_at IS NOT NULL", org)
    await owner.close()
    if done.total("done") != rows:
        raise BenchError(f"the worker took {done.total('done')} of {rows}")
    return rows / done.seconds

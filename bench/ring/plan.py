"""R4: how long it takes to plan everybody's coming days, as a worker does ahead of time."""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec

from bench import home
from bench.http import BenchError
from bench.report import Result, number, result
from bench.ring import stage
from bench.ring.bench import Bench, Size
from bench.ring.stage import NOW
from mos.ops.postgres import Cluster
from mos.ops.settings import read_settings
from mos.worker.loop import open_worker

_RESIDENTS = Size(quick=200, usual=5_000, whole=100_000)
_A_DAY = 10
_EVERYBODY = 100_000
# In the night, so that nothing is due; and when a worker looks next at who is planned too short.
_NIGHT = NOW.replace(hour=1)
_LATER = _NIGHT + timedelta(hours=2)

_REMINDERS = """
INSERT INTO rec (org_id, space_id, rec_id, coll, seq, doc, clk)
SELECT org_id, space_id, gen_random_uuid(), 'reminder', n, $2::jsonb || jsonb_build_object('rule',
         jsonb_build_object('zone', 'Europe/Stockholm', 'kind', 'weekly', 'start', '2026-01-05',
           'days', '["mon","tue","wed","thu","fri","sat","sun"]'::jsonb,
           'times', jsonb_build_array(to_char(7 + n, 'FM00') || ':00'))), '{}'
FROM resident, generate_series(1, $3::integer) n WHERE org_id = $1
"""
_DOC = {"title": "Frukost", "category": "meal", "minutes": 30, "checkable": True}


def ahead(bench: Bench) -> list[Result]:
    """Return how many residents a second are planned for two days, and looked at anew."""
    residents = bench.much(_RESIDENTS)
    first, again = [], []
    org = asyncio.run(_prepare(bench.cluster, residents))
    for _ in range(bench.runs):
        planned, renewed = asyncio.run(_plan(bench.cluster, org, residents))
        first.append(residents / planned)
        again.append(residents / renewed)
    name = f"R4 residents with {_A_DAY} reminders a day, planned for two days"
    return [
        result(
            name, first, "residents/s",
            note=f"{number(_EVERYBODY)} residents take {number(_EVERYBODY / max(first) / 60)} min "
            "once, by one worker; any number may share it.",
        ),
        result(
            f"{name}, again an hour later", again, "residents/s",
            note=f"One more hour of the plan, each hour: {number(_EVERYBODY)} residents take "
            f"{number(_EVERYBODY / max(again) / 60)} min of it.",
        ),
    ]  # fmt: skip


async def _prepare(cluster: Cluster, residents: int) -> UUID:
    org = await stage.residents(cluster, residents)
    owner = await asyncpg.connect(cluster.dsn())
    await owner.execute(_REMINDERS, org, msgspec.json.encode(_DOC).decode(), _A_DAY)
    await owner.execute("UPDATE space SET tidied_at = $1", _LATER)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()
    return org


async def _plan(cluster: Cluster, org: UUID, residents: int) -> tuple[float, float]:
    """Return the seconds of a worker's first look at everybody, and of its look an hour later."""
    owner = await asyncpg.connect(cluster.dsn())
    await stage.nothing(owner)
    # Those of other parts are planned for a month.
    await owner.execute("DELETE FROM horizon WHERE org_id = $1", org)
    await owner.execute("CHECKPOINT")
    seconds = []
    async with open_worker(read_settings(home.environment(cluster))) as worker:
        for now in (_NIGHT, _LATER):
            started = time.perf_counter()
            await worker.tick(now)
            seconds.append(time.perf_counter() - started)
    planned = await owner.fetchval("SELECT count(*) FROM due WHERE org_id = $1", org)
    await owner.close()
    if planned != 2 * _A_DAY * residents:
        raise BenchError(f"{planned} were planned, of {2 * _A_DAY * residents}")
    return seconds[0], seconds[1]

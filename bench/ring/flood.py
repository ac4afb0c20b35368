"""R2: many reminders due in the same second, through `mos work` as it is run.

Every tablet is told in two ways: by a poke (heard here, as every web process hears it) and by a
push message to one of three push services. Lateness counts from the second at which all were due.
"""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

import asyncpg

from bench import home, processes
from bench.http import BenchError
from bench.report import Goal, Result, number, result, share
from bench.ring import service, stage
from bench.ring.bench import Bench
from bench.ring.service import Service
from mos.ops.postgres import Cluster, die_with_parent
from mos.sync.pokes import CHANNEL

_QUICK = (1_000,)
_USUAL = (1_000, 10_000, 100_000)
_MILLION = 1_000_000
_MOST_RESIDENTS = 100_000
# Smaller ones vary more, and take no time.
_OFTEN_UP_TO = 10_000
# A push that has not come after so long for each will not.
_PATIENCE_S_EACH = 0.01
_LONG = 180.0


class Told(NamedTuple):
    """One flood: how long after the due second each was told, s, and the worker's memory, MB."""

    pokes: list[float]
    pushes: list[float]
    memory: float


def at_once(bench: Bench) -> list[Result]:
    """Return how long it takes until everybody is told, for each size of flood."""
    sizes = _QUICK if bench.quick else (*_USUAL, *((_MILLION,) if bench.whole else ()))
    residents = min(max(sizes), _MOST_RESIDENTS)
    with service.running() as sink:
        org = asyncio.run(stage.residents(bench.cluster, residents, push=sink.origins))
        asyncio.run(stage.planned(bench.cluster, org))
        with _worker(bench.cluster) as pid:
            floods = {
                size: [
                    asyncio.run(_flood(bench.cluster, sink, org, size, residents, pid))
                    for _ in range(bench.runs if size <= _OFTEN_UP_TO else 1)
                ]
                for size in sizes
            }
    return _table(floods)


def _table(floods: dict[int, list[Told]]) -> list[Result]:
    results = []
    for size, runs in floods.items():
        name = f"R2 {number(size)} due in one second"
        for what, times in (
            ("pokes to open apps", [run.pokes for run in runs]),
            ("push messages", [run.pushes for run in runs]),
        ):
            lateness = [second for run in times for second in run]
            results.append(
                result(
                    f"{name}: all {what} on their way", [max(run) for run in times], "s",
                    note=f"lateness p50 {number(share(lateness, 0.5))}, "
                    f"p99 {number(share(lateness, 0.99))} s",
                )
            )  # fmt: skip
    if len(floods) > 1:
        results += _growth(floods)
    return results


def _growth(floods: dict[int, list[Told]]) -> list[Result]:
    """Compare each size with the next smaller one that takes more than a moment."""
    sizes = [size for size in floods if size >= _OFTEN_UP_TO]
    grown = [
        result(
            f"R2 {number(large)} due in one second: time for each thousand",
            [_last(run) / large * 1000 for run in floods[large]], "s",
            versus=(f"of {number(small)}", [_last(run) / small * 1000 for run in floods[small]]),
            goal=Goal(most=1.25, is_ratio=True),
        )
        for small, large in pairwise(sizes)
    ]  # fmt: skip
    least, most = min(floods), max(floods)
    return [
        *grown,
        result(
            "R2 most memory of the worker so far", [run.memory for run in floods[most]], "MB",
            versus=(f"after {number(least)}", [run.memory for run in floods[least]]),
            goal=Goal(most=1.5, is_ratio=True),
            note=f"One process through all floods; the last had {number(most)}.",
        ),
    ]  # fmt: skip


def _last(told: Told) -> float:
    return max(*told.pokes, *told.pushes)


@contextmanager
def _worker(cluster: Cluster) -> Iterator[int]:
    """Run `mos work`; yield its process id."""
    environment = home.environment(cluster) | {"MOS_PUSH_PRIVATE_HOSTS": "1"}
    with (cluster.directory / "log" / "work.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mos.ops.cli", "work"],
            env=environment, stdout=log, stderr=log,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prctl, no locks
        )  # fmt: skip
        try:
            processes.wait_until(lambda: asyncio.run(_is_alive(cluster)), "mos work")
            yield process.pid
        finally:
            processes.stop(process)


async def _is_alive(cluster: Cluster) -> bool:
    owner = await asyncpg.connect(cluster.dsn())
    alive: bool = await owner.fetchval("SELECT EXISTS (SELECT FROM worker_heartbeat)")
    await owner.close()
    return alive


async def _flood(  # noqa: PLR0917  one more than five
    cluster: Cluster, sink: Service, org: UUID, size: int, residents: int, pid: int
) -> Told:
    owner = await asyncpg.connect(cluster.dsn())
    await stage.nothing(owner)
    # Time enough to write them before they are due.
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5 + size // 8_000)
    people = min(size, residents)
    await stage.due(owner, org, at, each=size // people, of=people)
    await owner.execute("VACUUM ANALYZE due, occurrence, delivery")
    if datetime.now(UTC) >= at:
        raise BenchError(f"{size} reminders took too long to write")
    await asyncio.to_thread(sink.take)
    async with _pokes(cluster) as heard:
        until = at.timestamp() + _LONG + size * _PATIENCE_S_EACH
        while len(heard) < size or await asyncio.to_thread(sink.count) < size:
            if time.time() > until:
                pushes = await asyncio.to_thread(sink.count)
                raise BenchError(f"of {size}, {len(heard)} were poked and {pushes} pushed")
            await asyncio.sleep(0.5)
        pushes = await asyncio.to_thread(sink.take)
    await owner.close()
    due = at.timestamp()
    return Told(
        [moment - due for moment in heard], [moment - due for moment in pushes],
        processes.resident_kb([pid], peak=True) / 1024,
    )  # fmt: skip


@asynccontextmanager
async def _pokes(cluster: Cluster) -> AsyncIterator[list[float]]:
    """Yield when each poke to a device came, Unix seconds; the list grows."""
    heard: list[float] = []

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        if '"ring"' in str(payload):
            heard.append(time.time())

    listener = await asyncpg.connect(home.app_dsn(cluster))
    await listener.add_listener(CHANNEL, hear)
    yield heard
    await listener.close()

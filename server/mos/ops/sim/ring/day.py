"""One seed: a day in compressed time, with people, workers, a server, and what goes wrong."""

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import asyncpg
from asyncpg.connection import Connection

from mos.kernel.settings import Settings
from mos.kernel.zones import zone
from mos.ops import key_store, secret_files
from mos.ops.postgres import Cluster
from mos.ops.sim.ring.faults import CALM_AFTER, Breakable, Faults
from mos.ops.sim.ring.home import ZONE, make_home
from mos.ops.sim.ring.ledger import Fault, look, overdue
from mos.ops.sim.ring.people import People
from mos.ops.sim.ring.processes import ServerProcess, WorkerProcess, read_clock, set_clock
from mos.ops.sim.ring.service import push_service

_MIDNIGHT = datetime(2026, 11, 27, tzinfo=zone(ZONE)).astimezone(UTC)
_STEPS = [timedelta(minutes=minutes) for minutes in (2, 5, 10, 20, 30, 45)]
_WORKERS = 2
# Whole again, everything that is late is done in so many ticks.
_TICKS = 6
# So many looks, ninety minutes apart, in the night after the day.
_NIGHT = 8


@dataclass(frozen=True)
class Seed:
    """What a day is made of. `faults` is how likely something breaks in a step, 0 to 1."""

    number: int
    residents: int
    faults: float
    until: int = 24  # the hour from which on nothing breaks any more


@dataclass
class Told:
    """What came of a seed."""

    seed: int
    found: list[Fault] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    occurrences: int = 0
    messages: int = 0
    calm: int = 0


async def live(cluster: Cluster, database: str, seed: Seed) -> Told:
    """Let a day pass in this database, freshly made; return what came of it.

    Time is virtual, processes are real: the same seed has the same people and the same faults, on
    whatever line they come.
    """
    with tempfile.TemporaryDirectory(prefix="mos-ring-") as folder:
        async with _home(cluster, database, Path(folder), seed) as day:
            await day.pass_by(seed)
            return day.told


@dataclass
class _Day:
    told: Told
    dice: Random
    clock: Path
    people: People
    workers: list[WorkerProcess]
    faults: Faults
    session: aiohttp.ClientSession
    url: str
    owner: str
    now: datetime = _MIDNIGHT + timedelta(hours=5)
    calms: list[datetime] = field(default_factory=list)

    async def pass_by(self, seed: Seed) -> None:
        """Live through the day and the night after it, then look at the ledger."""
        self.faults.mend(self.now)
        await self._served()
        self.people.plan(self.now)
        await self._send_all()
        while self.now < _MIDNIGHT + timedelta(hours=seed.until):
            self._move(self.dice.choice(_STEPS))
            self.people.act(self.now)
            if self.dice.random() < seed.faults:
                await asyncio.gather(self.faults.strike(self.now), self._step())
            else:
                await self._step()
            if self.faults.calm(self.now):
                await self._be_whole()
        self.faults.mend(self.now, all_of_it=True)
        await self._night()
        self.told.happened = [f"{at:%H:%M} {what}" for at, what in self.faults.happened]
        async with _connection(self.owner) as db:
            self.told.found += await look(db, self.people, self.calms, self._stretches())
        self.told.occurrences = len(self.people.planned)
        self.told.messages = len(self.people.service.heard)
        self.told.calm = len(self.calms)

    async def _night(self) -> None:
        """Nothing breaks, everybody is online, and what waited has its end."""
        await self._served()
        for tablet in self.people.home.tablets:
            tablet.offline_until = None
        for night in range(_NIGHT + _TICKS):
            # The last look must be one at which nothing was broken, nor this machine too slow.
            if night >= _NIGHT and self.faults.calm(self.now):
                break
            self._move(timedelta(minutes=90))
            self.people.act(self.now)
            await self._be_whole()
        await self._send_all()

    def _move(self, span: timedelta) -> None:
        self.now += span
        set_clock(self.clock, self.now)
        self.faults.mend(self.now)

    async def _step(self) -> None:
        await asyncio.gather(
            self.people.send(self.session, self.url, self.now),
            *(worker.tick(self.now) for worker in self.workers),
        )
        unanswered = sum(worker.unanswered() for worker in self.workers)
        if unanswered and self.faults.calm(self.now):
            self.faults.slow(self.now, unanswered)

    async def _be_whole(self) -> None:
        """Everything runs: by a few ticks nothing may be late any more.

        Time stands still meanwhile, while a real service's rest would pass: where this machine was
        too slow for it, that is a fault like any other, and the next calm moment tells.
        """
        late: list[Fault] = []
        for _ in range(_TICKS):
            await self._step()
            if not self.faults.calm(self.now):
                return
            async with _connection(self.owner) as db:
                late = await overdue(db, self.now)
            if not late:
                self.calms.append(self.now)
                return
        self.told.found += late

    async def _send_all(self) -> None:
        """Nothing is broken: everybody's changes are taken, by a few tries as a device makes."""
        for _ in range(_TICKS):
            await self._step()
            if not self._left():
                return
            await self._served()
        self.told.found.append(Fault("not taken", f"{self._left()} ops by {self.now}"))

    def _left(self) -> int:
        home = self.people.home
        return sum(len(d.outbox) for d in [*home.tablets, *home.phones] if not d.offline_until)

    async def _served(self) -> None:
        for _ in range(600):
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with self.session.get(f"{self.url}/__lbheartbeat__") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
            self.faults.mend(self.now)
        raise TimeoutError("mos serve did not start")

    def _stretches(self) -> list[tuple[datetime, datetime]]:
        """Return when something was broken, and the while after it."""
        return [(at, until + CALM_AFTER) for at, until in self.faults.stretches]


@asynccontextmanager
async def _home(cluster: Cluster, database: str, folder: Path, seed: Seed) -> AsyncIterator[_Day]:
    dice = Random(seed.number)  # noqa: S311  a repeatable game
    clock = folder / "clock"
    set_clock(clock, _MIDNIGHT + timedelta(hours=5))
    secrets = folder / "secrets"
    secret_files.prepare(secrets)
    settings = Settings(
        app_url=cluster.dsn("mos_app", database),
        engine_url=cluster.dsn("mos_engine", database),
        keys_url=await key_store.make_beside(cluster, f"{database}_keys", secrets, _MIDNIGHT),
        secrets=secrets,
        app_dir=folder / "app",
        push_private_hosts=True,
    )
    settings.app_dir.mkdir()
    workers = [WorkerProcess(settings, folder / f"work-{n}.log") for n in range(_WORKERS)]
    port = _free_port()
    server = ServerProcess(settings, clock, port, folder / "serve.log")
    owner = cluster.dsn(database=database)
    async with (
        push_service(lambda: read_clock(clock)) as service,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
    ):
        async with _connection(owner) as db:
            home = await make_home(db, seed.residents, service, dice)
        people = People(home, service, dice, _MIDNIGHT)
        # One phone of each unit always works: whatever happens, somebody can be told.
        frail = [d.subscription for d in [*home.tablets, *home.phones[1::2]] if d.subscription]
        world = Breakable(cluster, database, workers, server, service, frail)
        faults = Faults(dice, world)
        try:
            yield _Day(
                Told(seed.number), dice, clock, people, workers, faults, session,
                f"http://127.0.0.1:{port}", owner,
            )  # fmt: skip
        finally:
            for process in (*workers, server):
                process.kill()
            if not cluster.alive:
                cluster.start()


@asynccontextmanager
async def _connection(dsn: str) -> "AsyncIterator[Connection[Any]]":
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""What goes wrong: everything that makes it ring is killed, paused or cut off."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

import asyncpg

from mos.ops.postgres import Cluster
from mos.ops.sim.ring.processes import ServerProcess, WorkerProcess
from mos.ops.sim.ring.service import Mood, PushService

# How long a fault lasts, and how soon in a tick it comes.
_SPANS = [timedelta(minutes=minutes) for minutes in (0, 0, 5, 20, 45, 150)]
_SOON_S = 0.25
# After the last one: what was told to wait by a service has come by then.
CALM_AFTER = timedelta(minutes=12)


@dataclass
class Trouble:
    """One fault that lasts until `until`, and what ends it."""

    name: str
    since: datetime
    until: datetime
    end: Callable[[], None]


@dataclass(frozen=True)
class Breakable:
    """All that may be broken; of `subscriptions` any may vanish."""

    cluster: Cluster
    database: str
    workers: list[WorkerProcess]
    server: ServerProcess
    service: PushService
    subscriptions: list[str]


class Faults:
    """The saboteur."""

    def __init__(self, dice: Random, world: Breakable) -> None:
        """Break what there is, as the dice say."""
        self._dice = dice
        self._cluster = world.cluster
        self._database = world.database
        self._workers = world.workers
        self._server = world.server
        self._service = world.service
        self._subscriptions = world.subscriptions
        self._open: list[Trouble] = []
        self._last: datetime | None = None
        self.happened: list[tuple[datetime, str]] = []
        self.stretches: list[tuple[datetime, datetime]] = []
        self.kinds: dict[str, Callable[[], Awaitable[Callable[[], None]]]] = {
            "kill_worker": self._kill_worker,
            "pause_worker": self._pause_worker,
            "kill_all_workers": self._kill_all_workers,
            "kill_server": self._kill_server,
            "pause_server": self._pause_server,
            "kill_postgres": self._kill_postgres,
            "crash_postgres": self._crash_postgres,
            "cut_off": self._cut_off,
            "push_busy": partial(self._mood, "busy"),
            "push_full": partial(self._mood, "full"),
            "push_deaf": partial(self._mood, "deaf"),
            "push_lossy": partial(self._mood, "lossy"),
            "push_gone": self._gone,
        }

    def calm(self, now: datetime) -> bool:
        """Return whether everything has been whole for a while."""
        return not self._open and (self._last is None or now - self._last >= CALM_AFTER)

    def slow(self, now: datetime, messages: int) -> None:
        """Remember that this machine was too slow for a service that was well.

        What MOS hears no answer to in its ten seconds has failed, whoever is to blame: it tries
        again, and may show it twice.
        """
        self.happened.append((now, f"slow machine: {messages} messages without an answer"))
        self.stretches.append((now, now))
        self._last = now

    async def strike(self, now: datetime) -> None:
        """Break one thing on whatever line everything is just now."""
        name = self._dice.choice(sorted(self.kinds))
        span = self._dice.choice(_SPANS)
        await asyncio.sleep(self._dice.random() * _SOON_S)
        end = await self.kinds[name]()
        self.happened.append((now, f"{name} for {span}"))
        self._open.append(Trouble(name, now, now + span, end))
        self._last = now

    def mend(self, now: datetime, *, all_of_it: bool = False) -> None:
        """End the faults whose time is over, and see that everything runs."""
        for trouble in list(self._open):
            if all_of_it or trouble.until < now:
                trouble.end()
                self._open.remove(trouble)
                self.stretches.append((trouble.since, now))
                self._last = now
        ill = {trouble.name for trouble in self._open}
        if not self._cluster.alive and "kill_postgres" not in ill:
            self._cluster.start()
        for worker in self._workers:
            if not worker.alive and not ill & {"kill_worker", "kill_all_workers"}:
                worker.start()
        if not self._server.alive and not ill & {"kill_server", "kill_postgres"}:
            self._server.start()

    # ── each returns what ends it

    async def _kill_worker(self) -> Callable[[], None]:
        self._dice.choice(self._workers).kill()
        return _nothing

    async def _kill_all_workers(self) -> Callable[[], None]:
        for worker in self._workers:
            worker.kill()
        return _nothing

    async def _pause_worker(self) -> Callable[[], None]:
        worker = self._dice.choice(self._workers)
        worker.pause()
        return worker.go_on

    async def _kill_server(self) -> Callable[[], None]:
        self._server.kill()
        return _nothing

    async def _pause_server(self) -> Callable[[], None]:
        self._server.pause()
        return self._server.go_on

    async def _kill_postgres(self) -> Callable[[], None]:
        # Every process at once, as when the power goes: nothing is written down any more.
        if self._cluster.alive:
            os.kill(self._postmaster(), signal.SIGQUIT)
            await asyncio.to_thread(self._cluster.stop)
        return _nothing

    async def _crash_postgres(self) -> Callable[[], None]:
        """Kill one of its processes: PostgreSQL ends all and recovers by itself."""
        pids = await self._backends()
        if pids:
            os.kill(self._dice.choice(pids), signal.SIGKILL)
        return _nothing

    async def _cut_off(self) -> Callable[[], None]:
        for pid in await self._backends():
            os.kill(pid, signal.SIGTERM)
        return _nothing

    async def _mood(self, mood: Mood) -> Callable[[], None]:
        self._service.mood = mood
        return self._well

    def _well(self) -> None:
        self._service.mood = "well"

    async def _gone(self) -> Callable[[], None]:
        self._service.gone.add(self._dice.choice(self._subscriptions))
        return _nothing

    def _postmaster(self) -> int:
        return int((self._cluster.data / "postmaster.pid").read_text().split()[0])

    async def _backends(self) -> list[int]:
        if not self._cluster.alive:
            return []
        try:
            db = await asyncpg.connect(self._cluster.dsn(database="postgres"))
        except (OSError, asyncpg.PostgresError):
            return []
        try:
            rows = await db.fetch(
                "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usename LIKE 'mos_%'",
                self._database,
            )
        finally:
            await db.close()
        return [row["pid"] for row in rows]


def _nothing() -> None:
    """End nothing: `mend` starts what does not run."""

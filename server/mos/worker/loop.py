"""The worker: once a second at least, everything whose moment has come.

Each pass is a transaction of its own, so that one that fails loses nothing and stops no other.
Nothing that matters is kept in memory: a worker may die on any line, and any number of them may run
at once.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from mos import wiring
from mos.db import Pool, Scope, connect
from mos.dispatch import courier, engine, metrics, store, vapid, webpush
from mos.dispatch.channels.openapp import OpenApp, Poke
from mos.dispatch.channels.webpush import WebPush
from mos.kernel.clock import Clock
from mos.kernel.ids import new_id
from mos.kernel.settings import Settings
from mos.sync import archive, pokes, upkeep
from mos.sync.compaction import compact
from mos.worker.metrics import shown

_log = structlog.get_logger(__name__)

_TICK_S = 1.0
_GATHER_S = 0.02
# What is overdue after a tick is held by another worker, or fails.
_SHORTEST_S = 0.1
# Set-based, and still short enough a lock that a push of somebody's tap hardly waits.
_BATCH = 2000
_SPACES_AT_ONCE = 50
_BEAT_EVERY = timedelta(seconds=5)
_FORGET_AFTER = timedelta(days=1)
_TIDY_EVERY = timedelta(days=1)
_TIDY_AT_ONCE = 20
# Of a thousand ops and records each; what is left waits for tomorrow.
_TIDY_PARTS = 20
_LONGEST_BACK_OFF_S = 30.0
Pass = Callable[[datetime], Awaitable[None]]


async def run(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Work until `stop` is set, then leave everything in the database as another finds it.

    Raises OSError or DbError when the database cannot be reached at the start.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(shown(settings.worker_metrics))
        app = await connect(settings.app_url, role=settings.app_role, size=2)
        stack.push_async_callback(app.close)
        own = await connect(settings.engine_url, role=settings.engine_role, size=4)
        stack.push_async_callback(own.close)
        key = vapid.load_or_make(settings.secrets / "vapid.pem", contact=settings.public_url)
        post = await stack.enter_async_context(webpush.open_post(key, settings))
        worker = Worker(app, own, post, archive=settings.archive_dir)
        stack.push_async_callback(worker.close)
        _log.info("worker_started", worker=str(worker.id))
        await worker.work(clock, stop)
        _log.info("worker_stopped", worker=str(worker.id))


class Worker:
    """One worker's passes and the messages that it has on their way."""

    def __init__(
        self, app: Pool, own: Pool, post: webpush.Post, *, archive: Path | None = None
    ) -> None:
        """Read plans and write records through `app`, everything else as the engine, `own`.

        The op log's old part goes into the folder `archive`.
        """
        self._archive = archive
        self.id = UUID(int=0)
        self._app = app
        self._own = own
        self._wake = asyncio.Event()
        self._push = WebPush(post, self._wake.set)
        self._open_app = OpenApp(self._poke)
        self._beaten_at: datetime | None = None
        self._passes: dict[str, Pass] = {
            "beat": self._beat,
            "plan": self._plan,
            "retire": self._retire,
            "claim": self._claim,
            "look": self._look,
            "walk": self._walk,
            "record": self._record,
            "poke": self._open_apps,
            "push": self._pushes,
            "tidy": self._tidy,
        }
        self._troubles: dict[str, _BackOff] = defaultdict(_BackOff)

    async def work(self, clock: Clock, stop: asyncio.Event) -> None:
        """Tick until `stop` is set."""
        self.id = new_id(clock())
        stopped: asyncio.Task[bool] = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self.tick(clock())
                await self._rest(clock, stopped)
        finally:
            stopped.cancel()

    async def tick(self, now: datetime) -> None:
        """Run every pass once, at `now`."""
        self._wake.clear()
        loop = asyncio.get_running_loop()
        for name, step in self._passes.items():
            trouble = self._troubles[name]
            if loop.time() < trouble.until:
                continue
            try:
                await step(now)
                trouble.over()
            except Exception:  # noqa: BLE001  the one place that goes on, whatever went wrong
                metrics.PASS_ERRORS.labels(name).inc()
                trouble.again(loop.time())
                _log.exception("pass_failed", name=name, again_in_s=trouble.wait_s)

    @property
    def ailing(self) -> list[str]:
        """Return the passes that failed last time and wait to be tried again."""
        return [name for name, trouble in self._troubles.items() if trouble.wait_s]

    async def idle(self) -> None:
        """Wait until nothing is on its way; the next tick settles it."""
        await self._push.idle()

    async def close(self) -> None:
        """Let go of what is on its way."""
        await self._push.close()

    async def _rest(self, clock: Clock, stopped: "asyncio.Task[bool]") -> None:
        """Wait for the next moment, for a message that has ended, or for the end."""
        pause = await self._pause(clock())
        woken: asyncio.Task[bool] = asyncio.create_task(self._wake.wait())
        try:
            done, _ = await asyncio.wait(
                {woken, stopped}, timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
            if woken in done:
                # Messages end in swarms: settle them together.
                await asyncio.sleep(_GATHER_S)
        finally:
            woken.cancel()

    async def _pause(self, now: datetime) -> float:
        with contextlib.suppress(Exception):
            async with self._own.transaction() as db:
                at = await store.next_moment(db)
            if at is not None:
                return min(_TICK_S, max((at - now).total_seconds(), _SHORTEST_S))
        return _TICK_S

    # ── passes
    async def _beat(self, now: datetime) -> None:
        """Say that this worker is alive; on a clock that was moved, at once."""
        if self._beaten_at is not None and abs(now - self._beaten_at) < _BEAT_EVERY:
            return
        async with self._own.transaction() as db:
            await store.beat(db, self.id, now)
            await store.forget_workers(db, now - _FORGET_AFTER)
        self._beaten_at = now

    async def _plan(self, now: datetime) -> None:
        """Keep every resident's plan materialised far enough ahead."""
        while True:
            async with self._own.transaction() as db:
                short = await store.short_horizons(
                    db, before=now + wiring.AHEAD_BELOW, limit=_SPACES_AT_ONCE
                )
            for org, spaces in _by_org(short).items():
                async with self._app.transaction(Scope(org, tuple(spaces))) as db:
                    await wiring.materialise(db, org, spaces, now)
            if len(short) < _SPACES_AT_ONCE:
                return

    async def _retire(self, now: datetime) -> None:
        """Take what is planned for residents who have moved out away."""
        async with self._own.transaction() as db:
            archived = await store.archived_horizons(db, _SPACES_AT_ONCE)
        for org, spaces in _by_org(archived).items():
            async with self._app.transaction(Scope(org, tuple(spaces))) as db:
                await wiring.retire(db, org, spaces, now)

    async def _claim(self, now: datetime) -> None:
        await self._drain(engine.claim, now)

    async def _look(self, now: datetime) -> None:
        await self._drain(engine.look, now)

    async def _walk(self, now: datetime) -> None:
        await self._drain(engine.walk, now)

    async def _drain(self, step: Callable[..., Awaitable[int]], now: datetime) -> None:
        while True:
            async with self._own.transaction() as db:
                done = await step(db, now, _BATCH)
            if done < _BATCH:
                return

    async def _record(self, now: datetime) -> None:
        """Show in the spaces' records what became of alerts, and poke whoever looks at them."""
        async with self._own.transaction() as db:
            lagging = await store.unrecorded_spaces(db, _SPACES_AT_ONCE)
        for org, spaces in _by_org(lagging).items():
            async with self._app.transaction(Scope(org, tuple(spaces))) as db:
                heads = await wiring.record_alerts(db, org, spaces, now)
            await pokes.announce(self._own, org, heads)

    async def _open_apps(self, now: datetime) -> None:
        await courier.carry(self._own, self._open_app, now)

    async def _pushes(self, now: datetime) -> None:
        await courier.carry(self._own, self._push, now)

    async def _tidy(self, now: datetime) -> None:
        """Look after some spaces' past, each once a day; few at a time, for rings come first."""
        async with self._app.transaction() as db:
            found = await upkeep.claim(db, before=now - _TIDY_EVERY, now=now, limit=_TIDY_AT_ONCE)
        failures: list[Exception] = []
        for each in found:
            try:
                await self._tidy_space(each, now)
            except Exception as error:  # noqa: BLE001  one space's past keeps no other's waiting a day
                failures.append(error)
        if failures:
            raise failures[0]

    async def _tidy_space(self, each: upkeep.Untidy, now: datetime) -> None:
        for _ in range(_TIDY_PARTS):
            moved = 0
            async with self._app.transaction(Scope(each.org, (each.space,))) as db:
                if await upkeep.lock(db, each.org, each.space):
                    moved = await compact(db, each.org, each.space, now)
                    if self._archive is not None:
                        moved += await archive.archive(db, self._archive, each.org, each.space, now)
                elif self._archive is not None:
                    await archive.forget(self._archive, each.org, each.space)
            if not moved:
                return

    async def _poke(self, rings: list[Poke]) -> None:
        payloads = [
            msgspec.json.encode(
                {"o": r.org, "ring": {"device": r.device, "space": r.space, "occ": r.occ}}
            ).decode()
            for r in rings
        ]
        await self._own.notify(pokes.CHANNEL, payloads)


def _by_org(rows: list[store.Space]) -> dict[UUID, list[UUID]]:
    spaces: dict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        spaces[row.org].append(row.space)
    return spaces


class _BackOff:
    """A pass that failed waits, longer each time. Moments are the event loop's."""

    def __init__(self) -> None:
        self.until = 0.0
        self.wait_s = 0.0

    def again(self, time: float) -> None:
        self.wait_s = min(max(2 * self.wait_s, 1.0), _LONGEST_BACK_OFF_S)
        self.until = time + self.wait_s

    def over(self) -> None:
        self.until = self.wait_s = 0.0

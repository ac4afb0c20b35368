"""The worker: once a second at least, everything whose moment has come.

Each pass is a transaction of its own, so that one that fails loses nothing and stops no other.
Nothing that matters is kept in memory: a worker may die on any line, and any number of them may run
at once.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from mos import wiring
from mos.db import Pool, Scope, connect
from mos.dispatch import courier, engine, metrics, store, vapid, watch, webpush, windows
from mos.dispatch.channels.contacts import ToContacts
from mos.dispatch.channels.messengers import Messengers, open_messengers
from mos.dispatch.channels.openapp import OpenApp, Poke
from mos.dispatch.channels.webpush import WebPush
from mos.dispatch.channels.webpush.mirror import Mirror, open_mirror
from mos.kernel.clock import Clock
from mos.kernel.ids import new_id
from mos.kernel.settings import Settings
from mos.privacy import retention, seals
from mos.privacy.keyring import open_keyring
from mos.sync import archive, pokes, quarantine, upkeep
from mos.sync.compaction import compact, oldest_deleted
from mos.worker.exports import Exports
from mos.worker.heartbeat import Heartbeat
from mos.worker.logs import Logs
from mos.worker.metrics import shown
from mos.worker.retention import Retention

_log = structlog.get_logger(__name__)

_TICK_S = 1.0
_GATHER_S = 0.02
# What is overdue after a tick is held by another worker, or fails.
_SHORTEST_S = 0.1
# Set-based, and still short enough a lock that a push of somebody's tap hardly waits.
_BATCH = 2000
_SPACES_AT_ONCE = 50
_BEAT_EVERY = timedelta(seconds=5)
_COUNT_EVERY = timedelta(seconds=10)
_FORGET_AFTER = timedelta(days=1)
_DELEGATIONS_EVERY = timedelta(minutes=10)
_TIDY_EVERY = timedelta(days=1)
_TIDY_AT_ONCE = 20
# Of a thousand ops and records each; what is left waits for tomorrow.
_TIDY_PARTS = 20
_LONGEST_BACK_OFF_S = 30.0
# What looks at every resident, and has time: not again for each swarm of messages that has ended.
_FOR_EVERYBODY = frozenset({
    "plan", "duty", "delegations", "retire", "windows", "tidy", "logs", "retention", "exports",
})  # fmt: skip
# The classes of what is kept that go as a space is looked after.
_OF_SPACE = ("rec", "quarantine", "op")
_OF_CLIPS = ("clip",)
Pass = Callable[[datetime], Awaitable[None]]


async def run(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Work until `stop` is set, then leave everything in the database as another finds it.

    Raises OSError or DbError when the database cannot be reached at the start.
    """
    with shown(settings.worker_metrics):
        async with open_worker(settings) as worker:
            worker.watch(Heartbeat(settings.heartbeat_url) if settings.heartbeat_url else None)
            _log.info("worker_started", worker=str(worker.id))
            await worker.work(clock, stop)
            _log.info("worker_stopped", worker=str(worker.id))


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator["Worker"]:
    """Yield a worker with connections of its own. Raises OSError or DbError without a database."""
    async with AsyncExitStack() as stack:
        ring = await stack.enter_async_context(open_keyring(settings))
        app = await connect(
            settings.app_url, role=settings.app_role, size=2, plan_anew=True, keyring=ring
        )
        stack.push_async_callback(app.close)
        own = await connect(
            settings.engine_url, role=settings.engine_role, size=4, plan_anew=True, keyring=ring
        )
        stack.push_async_callback(own.close)
        key = vapid.load_or_make(settings.secrets / "vapid.pem", contact=settings.public_url)
        older = vapid.load_older(settings.secrets, contact=settings.public_url)
        post = await stack.enter_async_context(webpush.open_post(key, settings, older=older))
        keys = seals.load(settings.secrets / "seal.key")
        messengers = await stack.enter_async_context(open_messengers(settings, keys))
        mirror = await stack.enter_async_context(open_mirror(key, settings))
        # Of their own: what is made for long keeps no pass waiting for a connection.
        aside = await connect(settings.app_url, role=settings.app_role, size=2, keyring=ring)
        stack.push_async_callback(aside.close)
        worker = Worker(
            app, own, post, messengers,
            archive=settings.archive_dir, mirror=mirror, secrets=settings.secrets,
            exports=Exports(aside, settings.archive_dir),
        )  # fmt: skip
        stack.push_async_callback(worker.close)
        yield worker


class Worker:
    """One worker's passes and the messages that it has on their way."""

    def __init__(  # noqa: PLR0913  the ways in and out of it
        self,
        app: Pool,
        own: Pool,
        post: webpush.Post,
        messengers: Messengers,
        *,
        archive: Path | None = None,
        mirror: Mirror | None = None,
        secrets: Path | None = None,
        exports: Exports | None = None,
    ) -> None:
        """Read plans and write records through `app`, everything else as the engine, `own`.

        Tell devices through `post` and contacts through `messengers`. The op log's old part goes
        into the folder `archive`. The chain is watched up to the push message where there is a
        `mirror`, its receiving end. With the key in `secrets` the logs' chains are signed. What
        people ask for of themselves is made by `exports`.
        """
        self._pushes_to_itself = mirror is not None
        self._archive = archive
        self.id = UUID(int=0)
        self._app = app
        self._own = own
        self._wake = asyncio.Event()
        self._push = WebPush(post, self._wake.set, mirror)
        self._open_app = OpenApp(self._poke)
        self._contacts = [
            ToContacts(sender, messengers.services, messengers.public_url, self._wake.set)
            for sender in messengers.senders.values()
        ]
        self._has_more = False
        self._heartbeat: Heartbeat | None = None
        self._beaten_at: datetime | None = None
        self._counted_at: datetime | None = None
        self._began_at: datetime | None = None
        self._delegated_at: datetime | None = None
        self._passes: dict[str, Pass] = {
            "beat": self._beat,
            "plan": self._plan,
            "duty": self._duty,
            "delegations": self._delegations,
            "retire": self._retire,
            "claim": self._claim,
            "look": self._look,
            "walk": self._walk,
            "record": self._record,
            "poke": self._open_apps,
            "push": self._pushes,
            **{channel.name: partial(self._messages, channel) for channel in self._contacts},
            "windows": self._windows,
            "tidy": self._tidy,
            "logs": Logs(own, secrets).look,
            "retention": Retention(own, archives=archive is not None).look,
        }
        self._exports = exports
        if exports is not None:
            self._passes["exports"] = exports.look
        self._troubles: dict[str, _BackOff] = defaultdict(_BackOff)
        # How long a pass rests that fails again and again.
        self.longest_wait_s = _LONGEST_BACK_OFF_S

    async def work(self, clock: Clock, stop: asyncio.Event) -> None:
        """Tick until `stop` is set."""
        self.id = new_id(clock())
        stopped: asyncio.Task[bool] = asyncio.create_task(stop.wait())
        time, whole_at = asyncio.get_running_loop().time, 0.0
        try:
            while not stop.is_set():
                is_whole = time() >= whole_at
                if is_whole:
                    whole_at = time() + _TICK_S
                await self.tick(clock(), whole=is_whole)
                if not self._has_more:
                    await self._rest(clock, stopped)
        finally:
            stopped.cancel()

    def watch(self, heartbeat: Heartbeat | None) -> None:
        """Watch the chain from now on, and tell `heartbeat` each time it has proved whole."""
        self._heartbeat = heartbeat
        # First: what a stop has left of a round must be gone before anybody looks at it.
        self._passes = {"watch": self._watch} | self._passes

    async def tick(self, now: datetime, *, whole: bool = True) -> None:
        """Run every pass once, at `now`; without `whole`, only those that make something ring."""
        self._wake.clear()
        self._has_more = False
        loop = asyncio.get_running_loop()
        for name, step in self._passes.items():
            trouble = self._troubles[name]
            if loop.time() < trouble.until or (name in _FOR_EVERYBODY and not whole):
                continue
            try:
                await step(now)
                trouble.over()
            except Exception:  # noqa: BLE001  the one place that goes on, whatever went wrong
                metrics.PASS_ERRORS.labels(name).inc()
                trouble.again(loop.time(), self.longest_wait_s)
                _log.exception("pass_failed", name=name, again_in_s=trouble.wait_s)

    @property
    def ailing(self) -> list[str]:
        """Return the passes that failed last time and wait to be tried again."""
        return [name for name, trouble in self._troubles.items() if trouble.wait_s]

    async def idle(self) -> None:
        """Wait until nothing is on its way; the next tick settles it."""
        await self._push.idle()
        for channel in self._contacts:
            await channel.idle()

    async def close(self) -> None:
        """Let go of what is on its way."""
        if self._heartbeat is not None:
            await self._heartbeat.close()
        if self._exports is not None:
            await self._exports.close()
        await self._push.close()
        for channel in self._contacts:
            await channel.close()

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
    async def _watch(self, now: datetime) -> None:
        """Let a reminder of nobody's go through the whole chain each minute."""
        came = await watch.look(self._app, self._own, now, pushes=self._pushes_to_itself)
        if came and self._heartbeat is not None:
            self._heartbeat.beat()

    async def _beat(self, now: datetime) -> None:
        """Say that this worker is alive; on a clock that was moved, at once."""
        if self._beaten_at is not None and abs(now - self._beaten_at) < _BEAT_EVERY:
            return
        async with self._own.transaction() as db:
            await store.beat(db, self.id, now)
            await store.forget_workers(db, now - _FORGET_AFTER)
            metrics.DEAD_LETTERS.set(await store.count_dead_letters(db))
        self._beaten_at = now

    async def _plan(self, now: datetime) -> None:
        """Keep every resident's plan materialised far enough ahead."""
        # Whoever was never planned has nothing that rings yet, or has just moved in again.
        if self._counted_at is None or abs(now - self._counted_at) >= _COUNT_EVERY:
            async with self._own.transaction() as db:
                await store.begin_horizons(db, now)
            self._counted_at = now
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

    async def _duty(self, now: datetime) -> None:
        """Keep known who is on call, two weeks ahead."""
        async with self._own.transaction() as db:
            short = await wiring.short_rotas(db, now + wiring.DUTY_BELOW, _SPACES_AT_ONCE)
        units: dict[UUID, list[UUID]] = defaultdict(list)
        for row in short:
            units[row.org].append(row.unit)
        for org, some in units.items():
            async with self._app.transaction(Scope(org)) as db:
                await wiring.renew_duty(db, org, some, now)

    async def _delegations(self, now: datetime) -> None:
        """End what ends with a role or relation, and tell of what is soon over."""
        if self._delegated_at is not None and abs(now - self._delegated_at) < _DELEGATIONS_EVERY:
            return
        async with self._own.transaction() as db:
            organisations = await wiring.organisations_that_delegate(db, now)
        for org in organisations:
            async with self._app.transaction(Scope(org)) as db:
                await wiring.tend_delegations(db, org, now)
        self._delegated_at = now

    async def _retire(self, now: datetime) -> None:
        """Take what is planned for residents who have moved out away."""
        async with self._own.transaction() as db:
            archived = await store.archived_horizons(db, _SPACES_AT_ONCE)
        for org, spaces in _by_org(archived).items():
            async with self._app.transaction(Scope(org, tuple(spaces))) as db:
                await wiring.retire(db, org, spaces, now)

    async def _claim(self, now: datetime) -> None:
        await self._one_set(engine.claim, now)

    async def _look(self, now: datetime) -> None:
        await self._one_set(engine.look, now)

    async def _walk(self, now: datetime) -> None:
        await self._one_set(engine.walk, now)

    async def _one_set(self, step: Callable[..., Awaitable[int]], now: datetime) -> None:
        """Take one set. Where there is more, the next tick comes at once and takes the next.

        So what the first set has to tell leaves while the others are taken, and no more is on its
        way than the channels bear.
        """
        async with self._own.transaction() as db:
            if await step(db, now, _BATCH) == _BATCH:
                self._has_more = True

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

    async def _messages(self, channel: ToContacts, now: datetime) -> None:
        await courier.carry(self._own, channel, now)

    async def _windows(self, now: datetime) -> None:
        """Hold what was expected against what was told, once this worker has settled what waited.

        After a stop it first tells: what it finds untold at its first look is on its way.
        """
        self._began_at = self._began_at or now
        if now - self._began_at >= windows.SETTLED_AFTER:
            await windows.look(self._own, now)

    async def _tidy(self, now: datetime) -> None:
        """Look after some spaces' past, each once a day; few at a time, for rings come first."""
        async with self._app.transaction() as db:
            found = await upkeep.claim(db, before=now - _TIDY_EVERY, now=now, limit=_TIDY_AT_ONCE)
        if not found:
            return
        parts: list[tuple[tuple[str, ...], Callable[[], Awaitable[None]]]]
        parts = [(_OF_SPACE, partial(self._tidy_space, each, now)) for each in found]
        parts += [
            (_OF_CLIPS, partial(self._tidy_clips, each, now))
            for each in found
            if not each.is_erased
        ]
        failures: list[Exception] = []
        for classes, part in parts:
            try:
                await part()
            except Exception as error:  # noqa: BLE001  one that fails keeps no other waiting a day
                failures.append(error)
                await self._note_failed(classes, now)
        if failures:
            raise failures[0]

    async def _note_failed(self, classes: tuple[str, ...], now: datetime) -> None:
        async with self._app.transaction() as db:
            for name in classes:
                await retention.note(db, name, now, failed=1)

    async def _tidy_space(self, each: upkeep.Untidy, now: datetime) -> None:
        for _ in range(_TIDY_PARTS):
            moved = 0
            async with self._app.transaction(Scope(each.org, (each.space,))) as db:
                if await upkeep.lock(db, each.org, each.space):
                    gone = await compact(db, each.org, each.space, now)
                    settled = await quarantine.forget_settled(db, each.org, each.space, now)
                    old = 0
                    if self._archive is not None:
                        old = await archive.archive(db, self._archive, each.org, each.space, now)
                    moved = gone + settled + old
                    # Of what is left, at the end.
                    left = None if moved else await oldest_deleted(db, each.org, each.space)
                    retention.note_last(db, "rec", now, removed=gone, oldest=left)
                    retention.note_last(db, "quarantine", now, removed=settled)
                    retention.note_last(db, "op", now, removed=old)
                elif self._archive is not None:
                    await archive.forget(self._archive, each.org, each.space)
            if not moved:
                return

    async def _tidy_clips(self, each: upkeep.Untidy, now: datetime) -> None:
        async with self._app.transaction(Scope(each.org, (each.space,))) as db:
            if await upkeep.lock(db, each.org, each.space):
                gone = await wiring.tidy_clips(db, each.org, each.space, now)
                retention.note_last(db, "clip", now, removed=gone)

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

    def again(self, time: float, longest_s: float) -> None:
        self.wait_s = min(max(2 * self.wait_s, 1.0), longest_s)
        self.until = time + self.wait_s

    def over(self) -> None:
        self.until = self.wait_s = 0.0

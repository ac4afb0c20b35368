"""Workers and the server as processes of their own, which can be killed, stopped and woken.

They are forked from one process that has imported everything, so that a start takes moments. Time
stands in a file that all of them read; a worker ticks when it is told to.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import struct
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn

from mos.db import DbError
from mos.dispatch import metrics
from mos.kernel.settings import Settings
from mos.ops import logs
from mos.ops.postgres import die_with_parent
from mos.web.app import create_app
from mos.worker.loop import Worker, open_worker

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])
# Longer than any tick takes on a busy machine.
_PATIENCE_S = 60.0
_LONGEST_WAIT_S = 0.01


def set_clock(file: Path, now: datetime) -> None:
    """Let it be that moment for whoever reads the file."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(descriptor, struct.pack("d", now.timestamp()), 0)
    finally:
        os.close(descriptor)


def read_clock(file: Path) -> datetime:
    """Return the moment that the file holds, in UTC."""
    return datetime.fromtimestamp(struct.unpack("d", file.read_bytes())[0], UTC)


class Process:
    """A process that is started again after it was killed."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.stopped = False
        self._process: multiprocessing.process.BaseProcess | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs, or is only stopped."""
        return self._process is not None and self._process.is_alive()

    def kill(self) -> None:
        """End it on whatever line it is."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process, self.stopped = None, False

    def pause(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)
        self.stopped = True

    def go_on(self) -> None:
        """Let it go on where it was."""
        self._signal(signal.SIGCONT)
        self.stopped = False

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def _run(self, main: Callable[..., None], *args: object) -> None:
        self._process = _context.Process(target=main, args=args, daemon=True)
        self._process.start()


class WorkerProcess(Process):
    """One worker, which ticks when it is told what time it is."""

    def __init__(self, settings: Settings, log: Path) -> None:
        """Start nothing yet."""
        super().__init__()
        self._settings, self._log = settings, log
        self._pipe: Connection | None = None
        self._owed = 0
        self._unanswered = 0
        self._told = 0

    def start(self) -> None:
        """Start it."""
        self._pipe, theirs = _context.Pipe()
        self._owed = 0
        self._told = 0
        self._run(_work, self._settings, self._log, theirs)
        theirs.close()

    async def tick(self, now: datetime) -> bool:
        """Let it tick; return whether every pass of it succeeded. False where it died."""
        if self._pipe is None or not self.alive or self.stopped:
            return False
        try:
            self._pipe.send(now)
            self._owed += 1
            return await self._answer()
        except (OSError, EOFError):
            return False

    def unanswered(self) -> int:
        """Return how many push messages came to nothing since the last asking: no good answer."""
        count, self._unanswered = self._unanswered, 0
        return count

    async def _answer(self) -> bool:
        """Return what the last tick came to; what a stopped one still owed is passed over."""
        well = False
        waited = 0.0
        while self._owed and self._pipe is not None:
            if await asyncio.to_thread(self._pipe.poll, 0.05):
                well, told = self._pipe.recv()
                self._unanswered += told - self._told
                self._told = told
                self._owed -= 1
            elif self.stopped or not self.alive:
                return False
            else:
                waited += 0.05
                if waited > _PATIENCE_S:
                    raise TimeoutError("a worker ticks and ticks")
        return well


class ServerProcess(Process):
    """`mos serve` on a port of its own."""

    def __init__(self, settings: Settings, clock: Path, port: int, log: Path) -> None:
        """Start nothing yet."""
        super().__init__()
        self._args = (settings, clock, port, log)

    def start(self) -> None:
        """Start it; it answers a little later."""
        self._run(_serve, *self._args)


# ────────────────────────────────────────────────── in the processes


def _begin(log: Path) -> None:
    die_with_parent(signal.SIGKILL)()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    logs.configure()


def _work(settings: Settings, log: Path, pipe: Connection) -> None:
    _begin(log)
    with contextlib.suppress(EOFError, OSError):
        asyncio.run(_ticks(settings, pipe))


async def _ticks(settings: Settings, pipe: Connection) -> None:
    async with AsyncExitStack() as stack:
        worker: Worker | None = None
        while True:
            now: datetime = await asyncio.to_thread(pipe.recv)
            if worker is None:
                with contextlib.suppress(OSError, DbError):
                    worker = await stack.enter_async_context(open_worker(settings))
                    worker.longest_wait_s = _LONGEST_WAIT_S
            well = worker is not None and await _tick(worker, now)
            pipe.send((well, _unanswered()))


async def _tick(worker: Worker, now: datetime) -> bool:
    """Tick and settle what that has sent; return whether everything succeeded."""
    await worker.tick(now)
    await worker.idle()
    await worker.tick(now)
    return not worker.ailing


def _unanswered() -> int:
    """Return how many push messages of this process have come to nothing for now."""
    return sum(
        int(sample.value)
        for family in metrics.DELIVERIES.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
        and (sample.labels["channel"], sample.labels["outcome"]) == ("webpush", "later")
    )


def _serve(settings: Settings, clock: Path, port: int, log: Path) -> None:
    _begin(log)
    application = create_app(settings, partial(read_clock, clock))
    config = uvicorn.Config(
        application, host="127.0.0.1", port=port, lifespan="on", log_config=None,
        access_log=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    uvicorn.Server(config).run()

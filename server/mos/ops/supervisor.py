"""Keeps child processes running: starts them, starts them again when they end, stops them."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mos.ops.postgres import die_with_parent

# A child that has run this long is healthy: its next end is a new story.
_HEALTHY_S = 60
_LONGEST_PAUSE_S = 30
_STOP_S = 15
_LARGEST_LOG = 10_000_000


@dataclass
class Child:
    """One program that should always run; its output goes to `log`."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    pass_fds: tuple[int, ...] = ()
    # How often it has ended by itself since it was last healthy.
    crashes: int = 0
    _process: asyncio.subprocess.Process | None = None
    _stopping: bool = False
    _restart: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int | None:
        """The running process's number, or None between two runs."""
        return self._process.pid if self._process else None

    async def keep_running(self, say: Callable[[str], None]) -> None:
        """Run until `stop`; a child that ends is started again after a growing pause."""
        while not self._stopping:
            begun = time.monotonic()
            status = await self._run()
            if self._stopping:
                return
            if self._restart.is_set():
                self._restart.clear()
                continue
            self.crashes = 1 if time.monotonic() - begun > _HEALTHY_S else self.crashes + 1
            pause = min(0.5 * 2 ** (self.crashes - 1), _LONGEST_PAUSE_S)
            say(f"{self.name} ended ({_ending(status)}); starting it again in {pause:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._restart.wait(), pause)
            self._restart.clear()

    async def _run(self) -> int:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                env=self.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=self.pass_fds,
                # Ctrl-C is for the supervisor, which stops its children in order.
                start_new_session=True,
                # If the supervisor is killed, a child must not hold the port: all it knows is in
                # the database, so the hard way loses nothing.
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        try:
            return await self._process.wait()
        finally:
            self._process = None

    def restart(self) -> None:
        """Let it end in good order and start it again at once."""
        self._restart.set()
        if self._process:
            self._process.terminate()

    async def stop(self) -> None:
        """Ask it to end its work, and end it after a while if it does not."""
        self._stopping = True
        self._restart.set()
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                process.kill()

    def last_words(self, lines: int = 15) -> str:
        """Return the end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _ending(status: int) -> str:
    return f"status {status}" if status >= 0 else signal.Signals(-status).name

"""A home of its own for journeys and screenshots: real processes and a clock to move."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from mos.kernel.zones import zone
from mos.ops.demo.people import ZONE

_READY_S = 90


class Rehearsal:
    """MOS running for real in `directory`, at a moment that the caller chooses.

    Use it as a context manager. The clock may only be moved forward: what is past is past.
    """

    def __init__(
        self,
        directory: Path,
        local: str,
        *,
        environ: dict[str, str] | None = None,
        empty: bool = False,
    ) -> None:
        """Prepare a home at `local`, wall time in the demo's zone (`2026-11-27T12:14:00`).

        It is a demo, or with `empty` one that nobody has claimed yet.
        """
        self._directory = directory
        self._kind = "--empty" if empty else "--demo"
        self._clock = directory / "clock"
        self._environ = environ or {}
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.move_to(local)

    @property
    def url(self) -> str:
        """The address to open."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        """What `mos up` and its children have said so far."""
        greeting = self._directory / "up.log"
        said = greeting.read_text(errors="replace") if greeting.exists() else ""
        return f"{said}\n{self.served_log}"

    @property
    def served_log(self) -> str:
        """What the server, the worker and the database have logged: without the greeting."""
        logs = sorted((self._directory / "home").rglob("*.log"))
        return "\n".join(log.read_text(errors="replace") for log in logs)

    @property
    def claim_token(self) -> str:
        """The newest token that `mos up` printed for whoever claims an empty home."""
        # It answers a moment before it has said so.
        deadline = time.monotonic() + _READY_S
        while not (tokens := re.findall(r"\b[A-Za-z0-9_-]{43}\b", self.log)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"no token was printed:\n{self.log[-3000:]}")
            time.sleep(0.1)
        return str(tokens[-1])

    def now(self) -> datetime:
        """Return the present moment of this home, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=float(self._clock.read_text()))

    def move_to(self, local: str) -> datetime:
        """Set the clock to `local`, wall time in the demo's zone; return that moment in UTC."""
        moment = datetime.fromisoformat(local).replace(tzinfo=zone(ZONE)).astimezone(UTC)
        offset = (moment - datetime.now(UTC)).total_seconds()
        # Replaced in one step: the processes read it at each look.
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(offset))
        fresh.replace(self._clock)
        return moment

    def start(self) -> None:
        """Start everything and wait until it answers. Raises RuntimeError with the log's end."""
        environ = os.environ | {"MOS_CLOCK_FILE": str(self._clock)} | self._environ
        with (self._directory / "up.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "mos.ops.cli", "up", self._kind,
                    "--data", str(self._directory / "home"), "--port", str(self._port),
                ],
                env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                # Nobody leaves what was never entered.
                self.stop()
                raise RuntimeError(f"the rehearsal did not start:\n{self.log[-3000:]}")
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop everything; the data stays, `start` goes on from there."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/__heartbeat__", timeout=2) as answer:  # noqa: S310  our own
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

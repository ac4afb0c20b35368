"""`mos serve` in a process of its own, on a test's database: real HTTP, real memory."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from real_up import free_port

from mos.ops.settings import ROOT

_PATIENCE_S = 60


@dataclass
class Server:
    """A running server."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def peak_mb(self) -> float:
        """Return the most memory that it has ever held, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024


@asynccontextmanager
async def serving(database: Any, folder: Path) -> AsyncIterator[Server]:
    """Run `mos serve` on `database` until the block ends; its log lies in `folder`."""
    port, log = free_port(), folder / "serve.log"
    settings = database.settings
    environ = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {
        "PYTHONPATH": str(ROOT / "server"),
        "MOS_APP_URL": settings.app_url,
        "MOS_ENGINE_URL": settings.engine_url,
        "MOS_KEYS_APP_URL": settings.keys_url,
        "MOS_SECRETS": str(settings.secrets),
        "MOS_APP_DIR": str(settings.app_dir),
        "MOS_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "mos.ops.cli", "serve", "--port", str(port)],
            env=environ, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            server = Server(f"http://127.0.0.1:{port}", process, log)
            await _answers(server)
            yield server
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


async def _answers(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        for _ in range(_PATIENCE_S * 10):
            assert server.process.poll() is None, server.log.read_text()
            try:
                await http.get("/api/v1/installation")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise AssertionError(server.log.read_text())

"""`mos work`: the worker process, which makes what is due ring."""

import asyncio
import signal
import sys

import uvloop

from mos.db import settle
from mos.kernel.clock import Clock
from mos.kernel.settings import Settings
from mos.ops import logs
from mos.ops.settings import SettingsError, clock_of, read_settings
from mos.worker.loop import run


def command() -> None:
    """Claim what is due, tell devices and people, and walk the ladder until somebody answers."""
    logs.configure()
    try:
        settings = read_settings()
    except SettingsError as error:
        sys.exit(f"mos work: {error}")
    settle()
    uvloop.run(_work(settings, clock_of(settings)))


async def _work(settings: Settings, clock: Clock) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, clock, stop)

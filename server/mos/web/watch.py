"""The web process's part in watching the chain: it answers the reminder that is nobody's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from mos.db import DbError, Pool
from mos.dispatch import watch
from mos.kernel.clock import Clock
from mos.sync.pokes import Hub

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def answering(hub: Hub, pool: Pool, clock: Clock) -> AsyncIterator[None]:
    """Answer each round that this process hears of, as long as the context lasts."""
    tasks: set[asyncio.Task[None]] = set()

    def hear(occ: str) -> None:
        task = asyncio.create_task(_answer(pool, occ, clock))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    hub.on_ring(watch.DEVICE, hear)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(pool: Pool, occ: str, clock: Clock) -> None:
    try:
        await watch.answer(pool, occ, clock())
    except (OSError, DbError) as error:
        # The round does not come through, and that is what it is for.
        _log.warning("watch_not_answered", error=type(error).__name__)

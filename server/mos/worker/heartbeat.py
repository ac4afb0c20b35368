"""Tells an outside watcher that the chain is whole: who hears nothing for a while raises the alarm.

A machine that is down can tell nobody. The address is the operator's own, often with a secret in
it: it is in no log.
"""

import asyncio

import aiohttp
import structlog

from mos.dispatch import metrics

_log = structlog.get_logger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Heartbeat:
    """Asks for the address, in the background."""

    def __init__(self, url: str) -> None:
        """Say nothing yet."""
        self._url = url
        self._task: asyncio.Task[None] | None = None

    def beat(self) -> None:
        """Say that all is well, unless the last word is still on its way."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ask())

    async def close(self) -> None:
        """Let go of what is on its way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.get(self._url, allow_redirects=False) as answer,
            ):
                outcome = "sent" if answer.status < 300 else "refused"
        except (OSError, TimeoutError, aiohttp.ClientError, ValueError):
            outcome = "unreachable"
        metrics.HEARTBEATS.labels(outcome).inc()
        if outcome != "sent":
            _log.warning("heartbeat_not_taken", why=outcome)

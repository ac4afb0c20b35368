"""What a channel has on its way, and which of the services behind it rest.

Services fail one by one. Each has its own share of what is on its way, and one that fails again and
again rests for a while: its messages wait in the database, where they cost the others nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Generic, TypeVar

from msgspec import Struct

from mos.dispatch import metrics
from mos.dispatch.channels.result import Result
from mos.dispatch.model import WATCH
from mos.dispatch.store import Delivery

D = TypeVar("D", bound=Delivery)
# By what a service is known: an origin, or whose it is.
K = TypeVar("K", bound=Hashable)

_FAILURES_BEFORE_REST = 5
_REST = timedelta(seconds=30)


class Bounds(Struct, frozen=True):
    """How many messages may be on their way at once, to one service, and are begun together."""

    in_flight: int
    of_one: int
    batch: int


class _Trouble(Struct):
    failures: int = 0
    rests_until: datetime | None = None


class Traffic(Generic[D, K]):
    """Messages of one channel on their way. Lives in one worker."""

    def __init__(self, channel: str, bounds: Bounds, wake: Callable[[], None]) -> None:
        """Begin with nothing; `wake` is called when something has ended."""
        self._channel = channel
        self._bounds = bounds
        self._wake = wake
        self._tasks: set[asyncio.Task[Result]] = set()
        self._in_flight: Counter[K] = Counter()
        self._trouble: dict[K, _Trouble] = {}
        self._finished: list[tuple[D, Result]] = []

    def __len__(self) -> int:
        """Return how many are on their way."""
        return len(self._tasks)

    def room(self) -> int:
        """Return how many more may be on their way, a batch at most."""
        return min(self._bounds.batch, self._bounds.in_flight - len(self._tasks))

    def resting(self, now: datetime) -> list[K]:
        """Return the services that are full or in trouble."""
        full = [key for key, count in self._in_flight.items() if count >= self._bounds.of_one]
        ill = [
            key
            for key, trouble in self._trouble.items()
            if trouble.rests_until is not None and now < trouble.rests_until
        ]
        return full + ill

    def start(
        self, delivery: D, key: K | None, now: datetime, attempt: Callable[[], Awaitable[Result]]
    ) -> "asyncio.Task[Result]":
        """Start an attempt to the service `key`, None where no service is asked."""
        if key is not None:
            self._in_flight[key] += 1
        task = asyncio.create_task(self._carry(delivery, key, now, attempt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def finished(self) -> list[tuple[D, Result]]:
        """Return what has ended since the last asking, each once."""
        finished, self._finished = self._finished, []
        return finished

    def give_back(self, ended: Sequence[tuple[D, Result]]) -> None:
        """Take back what could not be written down."""
        self._finished = [*ended, *self._finished]

    async def idle(self) -> None:
        """Wait until nothing is on its way."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop waiting. What was on its way is tried again by another worker, after its lease."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(
        self, delivery: D, key: K | None, now: datetime, attempt: Callable[[], Awaitable[Result]]
    ) -> Result:
        begun = monotonic()
        try:
            result = await attempt()
        finally:
            if key is not None:
                self._in_flight[key] -= 1
                if not self._in_flight[key]:
                    del self._in_flight[key]
        if key is not None:
            self._learn(key, result, now)
        if delivery.org != WATCH:
            answered = metrics.ANSWERED.labels(self._channel, delivery.kind)
            answered.observe(monotonic() - begun)
        self._finished.append((delivery, result))
        self._wake()
        return result

    def _learn(self, key: K, result: Result, now: datetime) -> None:
        if result.outcome != "later":
            self._trouble.pop(key, None)
            return
        trouble = self._trouble.setdefault(key, _Trouble())
        trouble.failures += 1
        if trouble.failures >= _FAILURES_BEFORE_REST:
            trouble.rests_until = now + _REST

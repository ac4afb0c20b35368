"""Tells a browser through its push service, many at a time.

Of several alerts that reach a phone about one resident at once the first makes itself heard, and
the others stand beside it, each to be taken and cleared by itself.

Services fail one by one. Each has its own share of what is on its way, and one that fails again and
again rests for a while: its messages wait in the database, where they cost the others nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Struct

from mos.dispatch import metrics
from mos.dispatch.store import Taken
from mos.dispatch.webpush import Message, Post, Result, Subscription, send

_MOST_IN_FLIGHT = 2000
_BATCH = 200
# A service with this many on their way gets no more until some of them have ended.
_MOST_OF_ONE = 200
_FAILURES_BEFORE_REST = 5
_REST = timedelta(seconds=30)


class _Trouble(Struct):
    failures: int = 0
    rests_until: datetime | None = None


class WebPush:
    """Push messages on their way. Lives in one worker."""

    name = "webpush"

    def __init__(self, post: Post, wake: Callable[[], None]) -> None:
        """Send through `post`; `wake` is called when something has ended."""
        self._post = post
        self._wake = wake
        self._tasks: set[asyncio.Task[Result]] = set()
        self._in_flight: Counter[str] = Counter()
        self._trouble: dict[str, _Trouble] = {}
        self._finished: list[tuple[Taken, Result]] = []

    def room(self) -> int:
        """Return how many more may be on their way, a batch at most."""
        return min(_BATCH, _MOST_IN_FLIGHT - len(self._tasks))

    def resting(self, now: datetime) -> list[str]:
        """Return the services that are full or in trouble."""
        full = [origin for origin, count in self._in_flight.items() if count >= _MOST_OF_ONE]
        ill = [
            origin
            for origin, trouble in self._trouble.items()
            if trouble.rests_until is not None and now < trouble.rests_until
        ]
        return full + ill

    async def begin(self, deliveries: Sequence[Taken], now: datetime) -> None:
        """Start sending these."""
        firsts: dict[tuple[UUID, UUID], asyncio.Task[Result]] = {}
        for delivery in sorted(deliveries, key=lambda each: each.delivery):
            if delivery.kind == "alert":
                name = (delivery.device, delivery.space)
                task = self._start(delivery, now, firsts.get(name))
                firsts.setdefault(name, task)
            else:
                self._start(delivery, now, None)
        metrics.IN_FLIGHT.set(len(self._tasks))

    def finished(self) -> list[tuple[Taken, Result]]:
        """Return what has ended since the last asking."""
        finished, self._finished = self._finished, []
        return finished

    async def idle(self) -> None:
        """Wait until nothing is on its way."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop waiting. What was on its way is tried again by another worker, after its lease."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(
        self, delivery: Taken, now: datetime, first: "asyncio.Task[Result] | None"
    ) -> "asyncio.Task[Result]":
        task = asyncio.create_task(self._attempt(delivery, now, first))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _attempt(
        self, delivery: Taken, now: datetime, first: "asyncio.Task[Result] | None"
    ) -> Result:
        """Send one message; quietly when `first`, another to the same device, has arrived."""
        if delivery.endpoint is None or delivery.p256dh is None or delivery.auth is None:
            return self._end(delivery, Result("refused", "no_subscription"))
        origin = _origin(delivery.endpoint)
        self._in_flight[origin] += 1
        try:
            # Two attempts one after the other still end within a delivery's lease.
            quiet = first is not None and (await first).outcome == "sent"
            subscription = Subscription(delivery.endpoint, delivery.p256dh, delivery.auth)
            result = await send(self._post, subscription, message(delivery, now, quiet=quiet))
        finally:
            self._in_flight[origin] -= 1
            if not self._in_flight[origin]:
                del self._in_flight[origin]
        self._learn(origin, result, now)
        return self._end(delivery, result)

    def _end(self, delivery: Taken, result: Result) -> Result:
        self._finished.append((delivery, result))
        self._wake()
        return result

    def _learn(self, origin: str, result: Result, now: datetime) -> None:
        if result.outcome != "later":
            self._trouble.pop(origin, None)
            return
        trouble = self._trouble.setdefault(origin, _Trouble())
        trouble.failures += 1
        if trouble.failures >= _FAILURES_BEFORE_REST:
            trouble.rests_until = now + _REST


def _origin(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def message(delivery: Taken, now: datetime, *, quiet: bool = False) -> Message:
    """Return the push message of a delivery: ids only (docs/engine.md)."""
    subject = delivery.subject
    payload: dict[str, str | bool]
    match delivery.kind:
        case "ring":
            payload = {"kind": "ring", "space": str(delivery.space), "occ": subject}
        case "alert":
            payload = {"kind": "alert", "space": str(delivery.space), "alert": subject}
            if quiet:
                payload["quiet"] = True
        case _:
            payload = {"kind": "close", "tag": subject}
    return Message(
        payload=msgspec.json.encode(payload),
        ttl_s=int((delivery.expires_at - now).total_seconds()),
        tag=subject,
        urgency="normal" if delivery.kind == "close" else "high",
    )

"""Tells a browser through its push service, many at a time.

Of several alerts that reach a phone about one resident at once the first makes itself heard, and
the others stand beside it, each to be taken and cleared by itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from mos.db import Db
from mos.dispatch import metrics, store
from mos.dispatch.channels.result import Result
from mos.dispatch.channels.traffic import Bounds, Traffic
from mos.dispatch.channels.webpush.mirror import Mirror
from mos.dispatch.model import WATCH
from mos.dispatch.store import Taken
from mos.dispatch.webpush import Message, Post, Subscription, send

# A service with 200 on their way gets no more until some of them have ended.
_BOUNDS = Bounds(in_flight=2000, of_one=200, batch=200)


class WebPush:
    """Push messages on their way. Lives in one worker."""

    name = "webpush"
    most_attempts = 8

    def __init__(self, post: Post, wake: Callable[[], None], mirror: Mirror | None = None) -> None:
        """Send through `post`; `wake` is called when something has ended.

        What is nobody's, by which the chain is watched, goes to the `mirror` and nowhere else.
        """
        self._mirror = mirror
        self._post = post
        self._traffic: Traffic[Taken, str] = Traffic(self.name, _BOUNDS, wake)

    def room(self) -> int:
        """Return how many more may be on their way, a batch at most."""
        return self._traffic.room()

    def resting(self, now: datetime) -> list[str]:
        """Return the services that are full or in trouble."""
        return self._traffic.resting(now)

    async def take(self, db: Db, now: datetime, limit: int) -> list[Taken]:
        """Take what waits for services that are well."""
        resting = self.resting(now)
        return await store.take_deliveries(db, self.name, now, limit=limit, resting=resting)

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
        metrics.IN_FLIGHT.set(len(self._traffic))

    def finished(self) -> list[tuple[Taken, Result]]:
        """Return what has ended since the last asking."""
        return self._traffic.finished()

    def give_back(self, ended: Sequence[tuple[Taken, Result]]) -> None:
        """Take back what could not be written down."""
        self._traffic.give_back(ended)

    async def learn(self, db: Db, ended: Sequence[tuple[Taken, Result]], now: datetime) -> None:
        """Remember which subscriptions are gone."""
        gone = [
            (delivery.org, delivery.device, delivery.endpoint)
            for delivery, result in ended
            if result.outcome == "gone" and delivery.endpoint is not None
        ]
        if gone:
            await store.prune_devices(db, gone, now)

    async def idle(self) -> None:
        """Wait until nothing is on its way."""
        await self._traffic.idle()

    async def close(self) -> None:
        """Stop waiting. What was on its way is tried again by another worker, after its lease."""
        await self._traffic.close()

    def _start(
        self, delivery: Taken, now: datetime, first: "asyncio.Task[Result] | None"
    ) -> "asyncio.Task[Result]":
        to_itself = delivery.org == WATCH and self._mirror is not None
        key = None if to_itself or delivery.endpoint is None else _origin(delivery.endpoint)
        attempt = partial(self._attempt, delivery, now, first)
        return self._traffic.start(delivery, key, now, attempt)

    async def _attempt(
        self, delivery: Taken, now: datetime, first: "asyncio.Task[Result] | None"
    ) -> Result:
        """Send one message; quietly when `first`, another to the same device, has arrived."""
        if delivery.org == WATCH and self._mirror is not None:
            return await self._mirror.send(message(delivery, now))
        if delivery.endpoint is None or delivery.p256dh is None or delivery.auth is None:
            return Result("refused", "no_subscription")
        # Two attempts one after the other still end within a delivery's lease.
        quiet = first is not None and (await first).outcome == "sent"
        subscription = Subscription(delivery.endpoint, delivery.p256dh, delivery.auth, delivery.key)
        return await send(self._post, subscription, message(delivery, now, quiet=quiet))


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
        case "notice":
            # `near/sms/202611`: the first word says all.
            payload = {"kind": "notice", "what": subject.partition("/")[0]}
        case _:
            payload = {"kind": "close", "tag": subject}
    return Message(
        payload=msgspec.json.encode(payload),
        ttl_s=int((delivery.expires_at - now).total_seconds()),
        tag=subject,
        urgency="high" if delivery.kind in {"ring", "alert"} else "normal",
    )

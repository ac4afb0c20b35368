"""Hands deliveries to their channels and settles what came of them.

An attempt is recorded and committed before it is made, and settled after. A worker that dies in
between leaves a lease that runs out, and the delivery is made once more. It is never lost; where it
is doubled, the screen shows one thing for both (the notification's tag).
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from mos.db import Pool
from mos.dispatch import metrics, store
from mos.dispatch.actions import tell_of
from mos.dispatch.channels import Channel
from mos.dispatch.store import Settled, Taken
from mos.dispatch.webpush import Result

_MOST_ATTEMPTS = 8
_LONGEST_WAIT_S = 60.0
# A service may ask for patience; a meal does not wait longer than this for it.
_LONGEST_WISH_S = 300.0


async def carry(pool: Pool, channel: Channel, now: datetime) -> int:
    """Settle what has ended, then start everything that waits; return how many were started."""
    await settle(pool, channel, now)
    started = 0
    while room := channel.room():
        async with pool.transaction() as db:
            await store.expire_deliveries(db, channel.name, now, room)
            taken = await store.take_deliveries(
                db, channel.name, now, limit=room, resting=channel.resting(now)
            )
        if not taken:
            break
        started += len(taken)
        await channel.begin(taken, now)
        await settle(pool, channel, now)
    return started


async def settle(pool: Pool, channel: Channel, now: datetime) -> int:
    """Store what became of attempts that have ended; return how many."""
    ended = channel.finished()
    if not ended:
        return 0
    for delivery, result in ended:
        metrics.DELIVERIES.labels(channel.name, delivery.kind, result.outcome).inc()
    # In two transactions: the first is what must not be lost, and holds no locks but its own.
    async with pool.transaction() as db:
        await store.settle_deliveries(db, [_settled(*pair, now) for pair in ended], now)
        gone = [
            (delivery.org, delivery.device, delivery.endpoint)
            for delivery, result in ended
            if result.outcome == "gone" and delivery.endpoint is not None
        ]
        if gone:
            await store.prune_devices(db, gone, now)
    if channel.name == "webpush":
        await _told(pool, ended, now)
    return len(ended)


async def _told(pool: Pool, ended: Sequence[tuple[Taken, Result]], now: datetime) -> None:
    """Remember that a push service took a ring: the device counts as told."""
    names = [
        (delivery.org, delivery.space, delivery.subject)
        for delivery, result in ended
        if delivery.kind == "ring" and result.outcome == "sent"
    ]
    if names:
        async with pool.transaction() as db:
            await tell_of(db, names, now)


def _settled(delivery: Taken, result: Result, now: datetime) -> Settled:
    state, next_at, error = "failed", None, result.code
    match result.outcome:
        case "sent":
            state, error = "sent", ""
        case "later" if delivery.attempts < _MOST_ATTEMPTS:
            state, next_at = "queued", now + _wait(delivery.attempts, result)
        case _:
            pass
    return Settled(delivery.org, delivery.delivery, delivery.attempts, state, next_at, error)


def _wait(attempts: int, result: Result) -> timedelta:
    """Return how long to wait before the next attempt: doubling, and never all at once."""
    seconds = min(2.0**attempts, _LONGEST_WAIT_S)
    if result.retry_after_s is not None:
        seconds = max(seconds, min(result.retry_after_s, _LONGEST_WISH_S))
    return timedelta(seconds=seconds * random.uniform(1.0, 1.5))  # noqa: S311  jitter

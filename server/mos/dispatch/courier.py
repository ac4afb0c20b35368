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
from mos.dispatch.channels import Channel, D
from mos.dispatch.channels.result import Result
from mos.dispatch.model import WATCH
from mos.dispatch.store import Delivery, Settled, Taken

_LONGEST_WAIT_S = 60.0
# A service may ask for patience; a meal does not wait longer than this for it.
_LONGEST_WISH_S = 300.0
# A push service that was ill for hours gets well again. Until then others are told, or other ways.
_ONCE_MORE_S = 300.0


async def carry(pool: Pool, channel: Channel[D], now: datetime) -> int:
    """Settle what has ended, then start everything that waits; return how many were started."""
    await settle(pool, channel, now)
    started = 0
    while room := channel.room():
        async with pool.transaction() as db:
            await store.by_index(db)
            taken = await channel.take(db, now, room)
            late = [_expired(each) for each in taken if each.expires_at <= now]
            if late:
                await store.settle_deliveries(db, late, now)
        if not taken:
            break
        in_time = [each for each in taken if each.expires_at > now]
        started += len(in_time)
        for each in in_time:
            if each.attempts == 1 and each.org != WATCH:
                waited = metrics.WAITED.labels(channel.name, each.kind)
                waited.observe(max((now - each.created_at).total_seconds(), 0))
        await channel.begin(in_time, now)
        await settle(pool, channel, now)
    return started


async def settle(pool: Pool, channel: Channel[D], now: datetime) -> int:
    """Store what became of attempts that have ended; return how many."""
    ended = channel.finished()
    if not ended:
        return 0
    # In two transactions: the first is what must not be lost, and holds no locks but its own.
    try:
        await _write_down(pool, channel, ended, now)
    except BaseException:
        # It was told. Forgotten here it would be told once more when its lease runs out.
        channel.give_back(ended)
        raise
    for delivery, result in ended:
        if delivery.org != WATCH:
            metrics.DELIVERIES.labels(channel.name, delivery.kind, result.outcome).inc()
    if channel.name == "webpush":
        await _told(pool, ended, now)
    await _go_on(pool, ended, channel.most_attempts, now)
    return len(ended)


async def _write_down(
    pool: Pool, channel: Channel[D], ended: Sequence[tuple[D, Result]], now: datetime
) -> None:
    async with pool.transaction() as db:
        settled = [_settled(*pair, channel.most_attempts, now) for pair in ended]
        await store.settle_deliveries(db, settled, now)
        await channel.learn(db, ended, now)
        # Nobody waits for the next step because their telephone is new or their mailbox full.
        if failed := [row for row in settled if row.state == "failed"]:
            await store.tell_otherwise(db, failed, now)


async def _told(pool: Pool, ended: Sequence[tuple[Delivery, Result]], now: datetime) -> None:
    """Remember that a push service took a ring: the device counts as told."""
    names = [
        (delivery.org, delivery.space, delivery.subject)
        for delivery, result in ended
        if delivery.kind == "ring" and result.outcome == "sent"
    ]
    if names:
        async with pool.transaction() as db:
            await tell_of(db, names, now, heard="push")


def _expired(delivery: Delivery) -> Settled:
    """Settle what came too late to be of use.

    It is found as it is taken: to look for it among all that waits, for each batch of them, costs
    the more the more there are.
    """
    return Settled(delivery.org, delivery.delivery, delivery.attempts, "expired", None, "")


async def _go_on(
    pool: Pool, ended: Sequence[tuple[Delivery, Result]], most: int, now: datetime
) -> None:
    """Let alerts go on at once where what has failed for good was the last that could reach."""
    names = [
        (delivery.org, delivery.space, delivery.subject)
        for delivery, result in ended
        if delivery.kind == "alert" and _settled(delivery, result, most, now).state == "failed"
    ]
    if names:
        async with pool.transaction() as db:
            await store.go_on(db, names, now)


def _settled(delivery: Delivery, result: Result, most: int, now: datetime) -> Settled:
    """Return what an attempt came to.

    An alert that no attempt brought to a device has failed: its ladder goes on, and people are told
    of it otherwise. It is tried again all the same until it expires, for the ladder may have ended.
    """
    state, next_at, error = "failed", None, result.code
    match result.outcome:
        case "sent":
            state, error = "sent", ""
        case "later" if delivery.attempts < most:
            state, next_at = "queued", now + _wait(delivery.attempts, result)
        case "later" if delivery.kind == "alert" and isinstance(delivery, Taken):
            next_at = now + _spread(_ONCE_MORE_S)
        case _:
            pass
    return Settled(delivery.org, delivery.delivery, delivery.attempts, state, next_at, error)


def _wait(attempts: int, result: Result) -> timedelta:
    """Return how long to wait before the next attempt: doubling, and never all at once."""
    seconds = min(2.0**attempts, _LONGEST_WAIT_S)
    if result.retry_after_s is not None:
        seconds = max(seconds, min(result.retry_after_s, _LONGEST_WISH_S))
    return _spread(seconds)


def _spread(seconds: float) -> timedelta:
    return timedelta(seconds=seconds * random.uniform(1.0, 1.5))  # noqa: S311  jitter

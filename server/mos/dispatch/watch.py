"""A reminder of nobody's that goes through the whole chain each minute.

It is planned as a reminder is, taken from the plan by a worker, sent as a push message to MOS's own
receiving end (mos.dispatch.channels.webpush.mirror) and opened there, carried to a device as a
poke, heard and answered by a web process, and so closed. Whatever of that stands still, it does not
come through; a push message that does not is counted by itself and keeps no poke waiting for long.
It belongs to an organisation that does not exist, and nothing of it is kept.
"""

from datetime import datetime, timedelta
from typing import Literal

import structlog
from msgspec import structs

from mos.db import Db, Pool, Scope
from mos.dispatch import actions, metrics, store
from mos.dispatch.model import WATCH as ORG
from mos.dispatch.model import Answer, Planned, PlanScope
from mos.dispatch.store.watch import (
    Pushed,
    Round,
    forget_watch,
    ring_watch,
    save_watch,
    watch_answered,
    watch_pushed,
    watch_round,
)
from mos.kernel.ids import MOS, named_id

Stands = Literal["ok", "not yet", "not watched", "broken"]
_log = structlog.get_logger(__name__)

SPACE = named_id(MOS, "watch/space")
DEVICE = named_id(MOS, "watch/device")
_REMINDER = named_id(MOS, "watch/reminder")
_SCOPE = Scope(ORG, (SPACE,))

_EVERY = timedelta(minutes=1)
# Long before it would count as missed, or its device as silent: it calls nobody.
_PATIENCE = timedelta(seconds=45)
_GRACE_S = 600
# The poke does not wait longer for the push message.
_PUSH_PATIENCE = timedelta(seconds=15)
# One that fails may be a restart; of two in a row somebody should know.
LATE_AFTER = 2
# A push message every minute: of five in a row somebody should know.
PUSH_LATE_AFTER = 5


async def look(app: Pool, own: Pool, now: datetime, *, pushes: bool = False) -> bool:
    """Go on with the round, or begin one; return whether one has just come through.

    Reads and writes the plan through `app`, everything else through `own`, as workers do. With
    `pushes`, where a worker has a receiving end, a push message is part of it.
    """
    async with own.transaction() as db:
        last = await watch_round(db)
        if last is None:
            return False
        if last.occ is not None and last.asked_at is not None:
            came, stays = await _follow(db, last, last.occ, last.asked_at, now, pushes=pushes)
            if stays or came:
                return came
        elif last.asked_at is not None and timedelta() <= now - last.asked_at < _EVERY:
            return False
    await _begin(app, own, now)
    return False


async def _follow(  # noqa: PLR0913  what a round is, and whether it pushes
    db: Db, last: Round, occ: str, asked_at: datetime, now: datetime, *, pushes: bool
) -> tuple[bool, bool]:
    """Return whether the round came through, and whether it is still on its way."""
    pushed = await watch_pushed(db, ORG, SPACE, occ) if pushes else None
    if await watch_answered(db, ORG, SPACE, occ):
        took = now - asked_at
        metrics.WATCH_TOOK.observe(took.total_seconds())
        metrics.WATCH_ROUNDS.labels("through").inc()
        done = Round(asked_at=asked_at, through_at=now, took_ms=_ms(took))
        await save_watch(db, _with_push(done, last, pushed, pushes=pushes))
        await forget_watch(db, ORG)
        return True, False
    if timedelta() <= now - asked_at < _PATIENCE:
        if pushes and pushed is None:
            await ring_watch(db, (ORG, SPACE, occ), DEVICE, "webpush", now)
        elif pushed is None or pushed.settled_at or now - pushed.created_at >= _PUSH_PATIENCE:
            await ring_watch(db, (ORG, SPACE, occ), DEVICE, "openapp", now)
        return False, True
    metrics.WATCH_ROUNDS.labels("lost").inc()
    lost = Round(asked_at=asked_at, through_at=last.through_at, missed=last.missed + 1)
    await save_watch(db, _with_push(lost, last, pushed, pushes=pushes))
    # At once, before anything looks at it: after a stop it would be long overdue.
    await forget_watch(db, ORG)
    return False, False


def _with_push(done: Round, last: Round, pushed: Pushed | None, *, pushes: bool) -> Round:
    """Return a round that has ended with what became of its push message."""
    if not pushes:
        return done
    if pushed is None:
        # Not even taken from the plan: no push message has missed anything.
        return structs.replace(
            done, push_at=last.push_at, push_ms=last.push_ms, push_missed=last.push_missed
        )
    if pushed.state == "sent" and pushed.settled_at is not None:
        took = pushed.settled_at - pushed.created_at
        metrics.WATCH_PUSHES.labels("through").inc()
        metrics.WATCH_PUSH_TOOK.observe(took.total_seconds())
        return structs.replace(done, push_at=pushed.settled_at, push_ms=_ms(took))
    metrics.WATCH_PUSHES.labels("lost").inc()
    missed = last.push_missed + 1
    if missed == PUSH_LATE_AFTER:
        _log.error("push_does_not_come_through", rounds=missed)
    return structs.replace(done, push_at=last.push_at, push_ms=last.push_ms, push_missed=missed)


def _ms(took: timedelta) -> int:
    return round(took.total_seconds() * 1000)


async def _begin(app: Pool, own: Pool, now: datetime) -> None:
    occ = f"{_REMINDER}@{now:%Y-%m-%dT%H:%M:%S}"
    async with own.transaction() as db:
        last = await watch_round(db)
        if last is None or last.occ is not None:
            return
        await forget_watch(db, ORG)
        await save_watch(db, structs.replace(last, occ=occ, asked_at=now, took_ms=None))
    plan = Planned(
        space=SPACE, occ=occ, reminder=_REMINDER, at=now, first_at=now, ends_at=now,
        category="other", criticality="normal", checkable=True, grace_s=_GRACE_S,
        ring_start=True, ring_again=False,
    )  # fmt: skip
    scope = PlanScope(org=ORG, reminders=[(SPACE, _REMINDER)], since=now, add_from={SPACE: now})
    async with app.transaction(_SCOPE) as db:
        await store.replace_due(db, scope, [plan], now)


async def answer(app: Pool, occ: str, now: datetime) -> None:
    """Answer a round, as a tap does: what a web process does when it hears the poke to `DEVICE`."""
    said = Answer(named_id(SPACE, occ), "done", now)
    async with app.transaction(_SCOPE) as db:
        await actions.answer(db, ORG, [(SPACE, occ, said)], now)


def chain_stands(through_at: datetime | None, missed: int) -> Stands:
    """Say how the whole chain stands, by when a round last came through and what missed since."""
    if missed >= LATE_AFTER:
        return "broken"
    return "ok" if through_at is not None else "not yet"


def push_stands(through_at: datetime | None, push_at: datetime | None, missed: int) -> Stands:
    """Say how push messages stand; `not watched` where rounds come through without them."""
    if missed >= PUSH_LATE_AFTER:
        return "broken"
    if push_at is not None:
        return "ok"
    return "not watched" if through_at is not None and not missed else "not yet"

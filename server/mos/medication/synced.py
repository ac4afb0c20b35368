"""What medication synchronises, and what it follows of the plan's: in the push's transaction."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec

from mos.db import Db
from mos.medication import actions
from mos.medication.model import check_order, needs_second
from mos.plan.model import events
from mos.sync.model import Change, Collection

Hook = Callable[[Db, UUID, list[Change], datetime], Awaitable[None]]


async def _orders_changed(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    docs = {(change.space, change.rec): change.doc for change in changes}
    await actions.follow_orders(db, org, docs, now)


async def _profiles_changed(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    paused = {change.space for change in changes if "pause" in change.groups}
    if paused:
        await actions.follow_pauses(db, org, paused, now)


async def _completed(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    said = [(change, msgspec.convert(change.groups["v"], events.Completion)) for change in changes]
    done = [
        actions.Done(change.space, change.rec, v.occ, v.at)
        for change, v in said
        if v.st in ("done", "partly")
    ]
    if done:
        await actions.watch_doubles(db, org, done, now)


SYNCED: tuple[Collection, ...] = (
    Collection(
        name="order",
        kind="safety",
        write="medication.edit",
        confirm="medication.edit",
        check=check_order,
        second=needs_second,
        applied=_orders_changed,
    ),
)

# What comes after the plan's own hook, by collection.
FOLLOWS: dict[str, Hook] = {"profile": _profiles_changed, "completion": _completed}

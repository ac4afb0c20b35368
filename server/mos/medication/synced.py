"""What medication synchronises, and what it follows of the plan's: in the push's transaction."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from mos.db import Db
from mos.medication import actions
from mos.medication.model import check_order, needs_second
from mos.plan.model import events
from mos.sync.model import Author, Change, Collection, Groups, Happening, Marks

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
    marked = {change.op for change, _ in said if "unentitled" in change.groups}
    await actions.tell_unentitled(db, org, [each for each in done if each.op in marked], now)


async def _marked(
    db: Db, author: Author, happenings: Sequence[Happening], now: datetime
) -> Mapping[UUID, Groups]:
    said = [(each, msgspec.convert(each.v, events.Completion)) for each in happenings]
    doses = [
        (actions.Done(each.space, each.op, v.occ, v.at), each.words)
        for each, v in said
        if v.st in ("done", "partly")
    ]
    return await actions.unentitled(db, author, doses, now) if doses else {}


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

# What the server says of events of the plan's, by collection.
MARKS: dict[str, Marks] = {"completion": _marked}

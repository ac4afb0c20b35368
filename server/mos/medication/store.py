"""What medication reads of records. It owns no table: orders live in the space's records."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.medication.rules import plan_of
from mos.plan.model.reminder import Reminder, read_reminder
from mos.sync import store as records

_sql = Queries(__package__, "store.sql")


class Order(Struct, frozen=True):
    """The record of an order."""

    org: UUID
    space: UUID
    rec: UUID
    doc: dict[str, Any]


_ORDERS_NAMED = _sql.query("orders_named", Order)


async def orders(db: Db, spaces: Sequence[UUID]) -> dict[UUID, list[Reminder]]:
    """Return what the orders of each space let ring, as reminders."""
    found: dict[UUID, list[Reminder]] = defaultdict(list)
    for doc in await records.docs_of_spaces(db, spaces, "order"):
        reminder = reminder_of(doc.rec, doc.doc)
        if reminder is not None:
            found[doc.space].append(reminder)
    return found


async def orders_named(db: Db, names: Iterable[tuple[UUID, UUID]]) -> list[Order]:
    """Return those of these records (space, record) that are orders."""
    wanted = sorted(set(names))
    found = await db.all(
        _ORDERS_NAMED, spaces=[space for space, _ in wanted], recs=[rec for _, rec in wanted]
    )
    return await records.opened(db, "order", found)


def reminder_of(rec: UUID, doc: dict[str, Any]) -> Reminder | None:
    """Return what an order's record lets ring, if anything."""
    groups = plan_of(doc)
    return None if groups is None else read_reminder(rec, groups)

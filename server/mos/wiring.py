"""The list of domains and what each plugs into synchronisation and the engine. Decides nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from mos.care import store as care_store
from mos.db import Db, Scope
from mos.dispatch import erasure as dispatch_erasure
from mos.meals import synced as meals_synced
from mos.medication import store as medication
from mos.medication import synced as medication_synced
from mos.plan import actions as plan
from mos.plan import store as plan_store
from mos.plan import synced as plan_synced
from mos.sync import erasure
from mos.sync.model import Change, Collection


def _followed(collection: Collection) -> Collection:
    """Return a collection whose changes the other domains follow after the one it belongs to."""
    first, then = collection.applied, medication_synced.FOLLOWS.get(collection.name)
    if first is None or then is None:
        return collection

    async def applied(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
        await first(db, org, changes, now)
        await then(db, org, changes, now)

    return replace(collection, applied=applied)


# In the order in which one push is followed.
COLLECTIONS: dict[str, Collection] = {
    collection.name: _followed(collection)
    for collection in (
        *medication_synced.SYNCED,
        *plan_synced.SYNCED,
        *meals_synced.SYNCED,
    )
}

# What the worker asks of the domains: to keep their plans ahead, and to show their alerts.
AHEAD_BELOW = plan.RENEW_BELOW
retire = plan.retire
record_alerts = plan.record_alerts


async def materialise(db: Db, org: UUID, spaces: Sequence[UUID], now: datetime) -> None:
    """Plan all that rings in `spaces`, reminders and orders, for the next 48 h."""
    sources = (plan_store.reminders, medication.orders)
    await plan.materialise(db, org, spaces, now, sources)


async def erase(db: Db, org: UUID, space: UUID, now: datetime) -> bool:
    """Delete all that anybody knows of what a space holds, and of the medication beside it.

    Returns False where there is no such space. Sets the transaction's scope.
    """
    medication = care_store.medication_of(space)
    await db.scope(Scope(org, (space, medication)))
    await erasure.close(db, org, (space, medication))
    for each in (space, medication):
        await dispatch_erasure.erase(db, org, each)
    await erasure.erase(db, org, medication, now)
    return await erasure.erase(db, org, space, now)

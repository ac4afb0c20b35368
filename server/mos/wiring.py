"""The list of domains and what each plugs into synchronisation and the engine. Decides nothing."""

from datetime import datetime
from uuid import UUID

from mos.care import store as care_store
from mos.db import Db, Scope
from mos.dispatch import erasure as dispatch_erasure
from mos.meals import synced as meals_synced
from mos.plan import actions as plan
from mos.plan import synced as plan_synced
from mos.sync import erasure
from mos.sync.model import Collection

# In the order in which one push is followed.
COLLECTIONS: dict[str, Collection] = {
    collection.name: collection for collection in (*plan_synced.SYNCED, *meals_synced.SYNCED)
}

# What the worker asks of the domains: to keep their plans ahead, and to show their alerts.
AHEAD_BELOW = plan.RENEW_BELOW
materialise = plan.materialise
retire = plan.retire
record_alerts = plan.record_alerts


async def erase(db: Db, org: UUID, space: UUID, now: datetime) -> bool:
    """Delete all that anybody knows of what a space holds, and of the medication beside it.

    Returns False where there is no such space. Sets the transaction's scope.
    """
    medication = care_store.medication_of(space)
    await db.scope(Scope(org, (space, medication)))
    for each in (space, medication):
        await dispatch_erasure.erase(db, org, each)
    await erasure.erase(db, org, medication, now)
    return await erasure.erase(db, org, space, now)

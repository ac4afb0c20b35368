"""The list of domains and what each plugs into synchronisation and the engine. Decides nothing."""

from mos.plan import actions as plan
from mos.plan import synced as plan_synced
from mos.sync.model import Collection

# In the order in which one push is followed.
COLLECTIONS: dict[str, Collection] = {
    collection.name: collection for collection in plan_synced.SYNCED
}

# What the worker asks of the domains: to keep their plans ahead, and to show their alerts.
AHEAD_BELOW = plan.RENEW_BELOW
materialise = plan.materialise
retire = plan.retire
record_alerts = plan.record_alerts

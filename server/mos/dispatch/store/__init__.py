"""Every statement of the engine, one typed function each, by subject.

The transaction is the caller's. Each statement takes a whole batch. Row locks are taken in the
order due → occurrence → alert → delivery, sorted within each, so that the engine, a push and a
second worker wait for each other in a line and never in a ring.
"""

from mos.dispatch.store.alerts import (
    AlertCall,
    AlertName,
    Taking,
    alerts_to_walk,
    close_alerts,
    close_alerts_in,
    close_alerts_of,
    close_silent_alerts,
    open_alerts,
    reopen_alerts,
    save_alerts,
    take_alerts,
)
from mos.dispatch.store.answers import (
    add_answers,
    first_answers,
    retract_answers,
    retracted_ops,
)
from mos.dispatch.store.deliveries import (
    LEASE,
    Settled,
    Taken,
    expire_deliveries,
    prune_devices,
    ring,
    see_deliveries,
    settle_deliveries,
    take_deliveries,
    tell,
    withdraw,
)
from mos.dispatch.store.due import (
    Claimed,
    Horizon,
    archived_horizons,
    claim_due,
    claim_named,
    extend_horizons,
    forget_horizons,
    lock_horizons,
    replace_due,
    short_horizons,
)
from mos.dispatch.store.occurrences import (
    add_occurrences,
    occurrences_named,
    occurrences_of_reminders,
    occurrences_snoozed_by,
    occurrences_to_look_at,
    save_occurrences,
)
from mos.dispatch.store.records import (
    mark_recorded,
    try_recorder,
    unrecorded_alerts,
    unrecorded_spaces,
)
from mos.dispatch.store.rows import Space
from mos.dispatch.store.workers import (
    beat,
    forget_workers,
    nested_loops,
    next_moment,
)

__all__ = [
    "LEASE",
    "AlertCall",
    "AlertName",
    "Claimed",
    "Horizon",
    "Settled",
    "Space",
    "Taken",
    "Taking",
    "add_answers",
    "add_occurrences",
    "alerts_to_walk",
    "archived_horizons",
    "beat",
    "claim_due",
    "claim_named",
    "close_alerts",
    "close_alerts_in",
    "close_alerts_of",
    "close_silent_alerts",
    "expire_deliveries",
    "extend_horizons",
    "first_answers",
    "forget_horizons",
    "forget_workers",
    "lock_horizons",
    "mark_recorded",
    "nested_loops",
    "next_moment",
    "occurrences_named",
    "occurrences_of_reminders",
    "occurrences_snoozed_by",
    "occurrences_to_look_at",
    "open_alerts",
    "prune_devices",
    "reopen_alerts",
    "replace_due",
    "retract_answers",
    "retracted_ops",
    "ring",
    "save_alerts",
    "save_occurrences",
    "see_deliveries",
    "settle_deliveries",
    "short_horizons",
    "take_alerts",
    "take_deliveries",
    "tell",
    "try_recorder",
    "unrecorded_alerts",
    "unrecorded_spaces",
    "withdraw",
]

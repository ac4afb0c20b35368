"""What the engine counts, by kind and channel, never by person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

CLAIMED = Counter("mos_engine_claimed", "Due occurrences taken from the plan.", registry=REGISTRY)
LATENESS = Histogram(
    "mos_engine_lateness_seconds",
    "From when an occurrence was due until it was taken.",
    buckets=(0.5, 1, 2, 5, 15, 60, 300, 1800, 7200),
    registry=REGISTRY,
)
MISSED = Counter(
    "mos_engine_missed",
    "Occurrences whose grace ended without an answer.",
    ["criticality"],
    registry=REGISTRY,
)
ALERTS = Counter(
    "mos_alerts_told",
    "Steps of alerts' ladders that supporters were told.",
    ["kind"],
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "mos_deliveries",
    "Attempts to tell a device, by what became of them.",
    ["channel", "kind", "outcome"],
    registry=REGISTRY,
)
WAITED = Histogram(
    "mos_deliveries_wait_seconds",
    "From when a message was queued until it was first attempted.",
    ["channel", "kind"],
    buckets=(0.5, 1, 2, 5, 15, 60, 300, 1800, 7200),
    registry=REGISTRY,
)
ANSWERED = Histogram(
    "mos_deliveries_answer_seconds",
    "From an attempt until its service had answered, or had not.",
    ["channel", "kind"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
    registry=REGISTRY,
)
DEAD_LETTERS = Gauge(
    "mos_dead_letters",
    "Messages that failed for good while their alert is open.",
    registry=REGISTRY,
)
SET_ASIDE = Counter(
    "mos_engine_set_aside",
    "Occurrences and alerts that could not be followed, looked at again in five minutes.",
    ["what"],
    registry=REGISTRY,
)
WATCH_ROUNDS = Counter(
    "mos_watch_rounds",
    "Reminders of nobody's that were sent through the whole chain, by what became of them.",
    ["outcome"],
    registry=REGISTRY,
)
HEARTBEATS = Counter(
    "mos_heartbeats",
    "Words to the outside watcher that the chain is whole, by what became of them.",
    ["outcome"],
    registry=REGISTRY,
)
WATCH_TOOK = Histogram(
    "mos_watch_seconds",
    "How long such a reminder took from the plan to its answer.",
    buckets=(0.5, 1, 2, 3, 5, 10, 20, 45),
    registry=REGISTRY,
)
WINDOWS = Counter(
    "mos_watch_expected",
    "What the plan held in windows that were judged, by what came of it.",
    ["outcome"],
    registry=REGISTRY,
)
WINDOWS_MISSING = Gauge(
    "mos_watch_missing",
    "What the plan held in the last 24 hours and nobody was told, for no reason.",
    registry=REGISTRY,
)
WATCH_PUSHES = Counter(
    "mos_watch_pushes",
    "Push messages of nobody's that were sent to ourselves, by what became of them.",
    ["outcome"],
    registry=REGISTRY,
)
WATCH_PUSH_TOOK = Histogram(
    "mos_watch_push_seconds",
    "How long such a message took from its place in the queue until it had been opened.",
    buckets=(0.5, 1, 2, 3, 5, 10, 20, 45),
    registry=REGISTRY,
)
PASS_ERRORS = Counter(
    "mos_worker_pass_errors",
    "Passes that failed and were tried again.",
    ["name"],
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("mos_push_in_flight", "Push messages on their way.", registry=REGISTRY)

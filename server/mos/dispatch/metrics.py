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
PASS_ERRORS = Counter(
    "mos_worker_pass_errors",
    "Passes that failed and were tried again.",
    ["name"],
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("mos_push_in_flight", "Push messages on their way.", registry=REGISTRY)

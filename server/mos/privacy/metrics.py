"""How far behind what should be gone is, by class, never by person."""

from prometheus_client import CollectorRegistry, Gauge

REGISTRY = CollectorRegistry()

RETENTION_OVERDUE = Gauge(
    "mos_retention_overdue_seconds",
    "For how long the oldest that remains of a class should have been gone.",
    ["class"],
    registry=REGISTRY,
)
RETENTION_RAN = Gauge(
    "mos_retention_ran_timestamp_seconds",
    "When the daily job was last through with a class.",
    ["class"],
    registry=REGISTRY,
)

"""What synchronisation counts, by collection, never by person."""

from prometheus_client import CollectorRegistry, Counter

REGISTRY = CollectorRegistry()

HOOK_FAILURES = Counter(
    "mos_sync_hook_failures",
    "Ops set aside because the domain that owns their collection crashed over them.",
    ["coll"],
    registry=REGISTRY,
)

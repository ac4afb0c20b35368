"""What synchronisation counts, by collection, never by person."""

from prometheus_client import CollectorRegistry, Counter

REGISTRY = CollectorRegistry()

LOST_OPS = Counter(
    "mos_sync_lost_ops",
    "Ops that devices made and lost before they could send them.",
    registry=REGISTRY,
)
HOOK_FAILURES = Counter(
    "mos_sync_hook_failures",
    "Ops set aside because the domain that owns their collection crashed over them.",
    ["coll"],
    registry=REGISTRY,
)

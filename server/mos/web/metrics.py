"""Numbers for operators: requests by route template, never by id or person."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from mos.dispatch import metrics as dispatch
from mos.sync import metrics as sync

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# A stream lasts as long as its reader: its length says nothing about speed.
_STREAMS = frozenset({"/sync/v1/poke"})


class Metrics:
    """One process's counts, in a registry of their own."""

    def __init__(self) -> None:
        """Start at zero."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "mos_http_requests",
            "Answers by route and status.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "mos_http_seconds",
            "Time to answer.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        if route not in _STREAMS:
            self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        # What a tap takes early is counted here, the rest of the engine's in the worker.
        registries = (self._registry, sync.REGISTRY, dispatch.REGISTRY)
        return b"".join(generate_latest(registry) for registry in registries)

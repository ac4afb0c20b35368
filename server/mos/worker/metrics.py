"""The worker's numbers for Prometheus, on a port of this machine.

They are counted in the worker's own process, so that process shows them: whoever adds up several
workers, or asks several web processes, counts nothing twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from mos.dispatch import metrics as dispatch
from mos.kernel.settings import Address
from mos.privacy import metrics as privacy
from mos.sync import metrics as sync

_log = structlog.get_logger(__name__)


@contextmanager
def shown(at: Address | None) -> Iterator[None]:
    """Answer `/metrics` at this address as long as the context lasts; None: nowhere.

    An address that cannot be had is logged and no more: no reminder waits for a number.
    """
    if at is None:
        yield
        return
    try:
        # In a thread of its own: it answers while the loop is busy, and disturbs no pass.
        server, thread = start_http_server(at.port, at.host, _registry())
    except OSError as error:
        _log.error("metrics_not_shown", host=at.host, port=at.port, why=error.strerror)
        yield
        return
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _registry() -> CollectorRegistry:
    """Return everything that a worker counts."""
    registry = CollectorRegistry()
    for part in (dispatch.REGISTRY, sync.REGISTRY, privacy.REGISTRY):
        registry.register(part)
    return registry

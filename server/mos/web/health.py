"""What load balancers, monitors and operators ask: are you there, are you whole, which release."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

import mos
from mos.db import DbError, Pool, Queries
from mos.kernel.clock import Clock
from mos.kernel.errors import NotFound
from mos.kernel.settings import Settings
from mos.kernel.zones import zone_release
from mos.web.metrics import CONTENT_TYPE, Metrics
from mos.web.session import header

_sql = Queries(__package__)

# A worker beats every few seconds; half a minute of silence is a worker that is not there.
_WORKER_SILENCE = timedelta(seconds=30)
_DATABASE_SECONDS = 2


class _LastWorker(Struct, frozen=True):
    seen_at: datetime | None


_LAST_WORKER = _sql.query("last_worker", _LastWorker)

# The one page that another origin may read: whether this server is there, which says nothing of
# anybody. By it the page that leads a phone through trusting this home sees that it does.
_READABLE_ANYWHERE = ((b"cross-origin-resource-policy", b"cross-origin"),)


class Answer(NamedTuple):
    """What a page says: status, content type, body, and headers beside those of every answer."""

    status: int
    kind: bytes
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Health:
    """The pages of `/__heartbeat__`, `/__lbheartbeat__`, `/__version__` and `/metrics`."""

    def __init__(
        self, pool: Callable[[], Pool], clock: Clock, settings: Settings, metrics: Metrics
    ) -> None:
        """Look at the pool that `pool()` returns once the application has started."""
        self._pool = pool
        self._clock = clock
        self._token_file = settings.secrets / "metrics.token"
        self._metrics = metrics
        self.pages: dict[str, Callable[[Any], Awaitable[Answer]]] = {
            "/__heartbeat__": self._heartbeat,
            "/__lbheartbeat__": self._here,
            "/__version__": self._version,
            "/metrics": self._numbers,
        }

    async def _heartbeat(self, _scope: Any) -> Answer:
        """Say which parts work; 503 when one does not."""
        parts = await self._parts()
        status = 200 if all(state == "ok" for state in parts.values()) else 503
        return _json(status, parts)

    async def _parts(self) -> dict[str, str]:
        try:
            async with asyncio.timeout(_DATABASE_SECONDS), self._pool().transaction() as db:
                row = await db.one(_LAST_WORKER)
        except (OSError, TimeoutError, DbError):
            return {"database": "unreachable", "worker": "unknown"}
        seen_at = row.seen_at if row else None
        if seen_at is None:
            return {"database": "ok", "worker": "never seen"}
        silent = self._clock() - seen_at > _WORKER_SILENCE
        return {"database": "ok", "worker": "silent" if silent else "ok"}

    async def _here(self, _scope: Any) -> Answer:
        """Say that this process answers, and ask nobody else."""
        return _json(200, {"process": "ok"})._replace(headers=_READABLE_ANYWHERE)

    async def _version(self, _scope: Any) -> Answer:
        zones = zone_release()
        return _json(
            200,
            {"name": "mos", "version": mos.__version__, "zones": f"{zones.name} {zones.source}"},
        )

    async def _numbers(self, scope: Any) -> Answer:
        """Return the metrics to this machine, or to the bearer of `metrics.token`."""
        if not (is_this_machine(scope) or _bears(scope, self._token_file)):
            raise NotFound("There is nothing here.")
        return Answer(200, CONTENT_TYPE, self._metrics.text())


def is_this_machine(scope: Any) -> bool:
    """Say whether the request was made on this machine, not merely passed on by it."""
    if any(header(scope, name) for name in (b"x-forwarded-for", b"forwarded", b"x-real-ip")):
        return False
    try:
        return ip_address(scope["client"][0]).is_loopback
    except ValueError:
        return False


def _bears(scope: Any, token_file: Path) -> bool:
    kind, _, given = (header(scope, b"authorization") or "").partition(" ")
    if kind.lower() != "bearer" or not token_file.is_file():
        return False
    token = token_file.read_text().strip()
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _json(status: int, value: dict[str, str]) -> Answer:
    return Answer(status, b"application/json", json.dumps(value).encode())

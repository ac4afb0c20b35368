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
from mos.dispatch import watch
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


class _Signs(Struct, frozen=True):
    seen_at: datetime | None
    through_at: datetime | None
    missed: int
    push_at: datetime | None
    push_missed: int
    judged_until: datetime | None
    missing: int


_SIGNS = _sql.query("signs_of_life", _Signs)
_GOOD = {"ok", "not yet"}
# What the server is not without. The others are words for people and monitors: one reminder that
# was not told keeps no server from starting, and restarting would not help it.
_VITAL = ("database", "worker", "chain")
# A gap is a fault of now while its window is this young; later it is history, and in the log.
_GAP_FOR = timedelta(hours=1)
# A window is judged five minutes after its end, so what was judged last is at most this old.
_JUDGED_WITHIN = timedelta(minutes=30)

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
        """Say which parts work; 503 when one that the server is not without does not."""
        parts, rang_at = await self._parts()
        status = 200 if all(parts[name] in _GOOD for name in _VITAL) else 503
        return _json(status, parts | ({"rang_at": rang_at.isoformat()} if rang_at else {}))

    async def _parts(self) -> tuple[dict[str, str], datetime | None]:
        """Return each part's state, and when a reminder last came through the whole chain."""
        try:
            async with asyncio.timeout(_DATABASE_SECONDS), self._pool().transaction() as db:
                now = self._clock()
                row = await db.one(_SIGNS, since=now - _GAP_FOR)
        except (OSError, TimeoutError, DbError):
            return {"database": "unreachable", "worker": "unknown", "chain": "unknown"}, None
        if row is None:
            return {"database": "ok", "worker": "never seen", "chain": "unknown"}, None
        parts = {
            "database": "ok",
            "worker": self._worker(row),
            "chain": watch.chain_stands(row.through_at, row.missed),
            "push": watch.push_stands(row.through_at, row.push_at, row.push_missed),
            "expected": _expected(row, now),
        }
        return parts, row.through_at

    def _worker(self, row: _Signs) -> str:
        if row.seen_at is None:
            return "never seen"
        return "silent" if self._clock() - row.seen_at > _WORKER_SILENCE else "ok"

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


def _expected(row: _Signs, now: datetime) -> str:
    if row.missing:
        return "not told"
    if row.judged_until is None:
        return "not yet"
    return "ok" if now - row.judged_until <= _JUDGED_WITHIN else "not judged"


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

"""What the worker does for the logs: their months come and go, and chains are signed each day."""

from datetime import datetime, timedelta
from pathlib import Path

import structlog

from mos import wiring
from mos.audit import access, log, roots, signing
from mos.audit.access import Dropped
from mos.audit.model import Happened
from mos.db import Db, Pool
from mos.privacy import retention

_log = structlog.get_logger(__name__)

_EVERY = timedelta(hours=1)


class Logs:
    """Looks after the logs now and then; that two workers do so at once changes nothing."""

    def __init__(self, own: Pool, secrets: Path | None) -> None:
        """Work as the engine, through `own`; sign with the key in `secrets`, if there is one."""
        self._own = own
        self._secrets = secrets
        self._looked_at: datetime | None = None

    async def look(self, now: datetime) -> None:
        """Make the months to come, drop those of five years ago, and sign the day's root."""
        if self._looked_at is not None and abs(now - self._looked_at) < _EVERY:
            return
        async with self._own.transaction() as db:
            dropped = await access.keep(db, now)
            for month in dropped:
                _note(db, month, now)
            retention.note_last(db, "access_log", now, removed=sum(m.entries for m in dropped))
        async with self._own.transaction() as db:
            # Where there are more organisations, the others' turn comes with the next look.
            drawn = await wiring.draw_samples(db, now)
        if self._secrets is not None:
            await self._sign(self._secrets, now)
        if drawn:
            return
        self._looked_at = now

    async def _sign(self, secrets: Path, now: datetime) -> None:
        async with self._own.transaction() as db:
            number = await roots.sign(db, secrets, now)
            root = await roots.last_root(db) if number is not None else None
        if root is not None:
            signing.remember(secrets, root.no, root.hash)


def _note(db: Db, month: Dropped, now: datetime) -> None:
    """Leave, in the same transaction, what is left of a month that is gone."""
    _log.info("access_log_dropped", month=str(month.month), entries=month.entries)
    says = {"month": str(month.month), "entries": month.entries}
    log.note(db, month.org, Happened(event="access_log_dropped", says=says), now)

"""Once a day what has had its time goes, class by class, and how much it was is kept."""

from datetime import datetime, timedelta

import structlog

from mos import wiring
from mos.audit import log
from mos.audit.model import INSTALLATION, Happened
from mos.db import Db, Pool
from mos.privacy import metrics, retention
from mos.privacy.declaring import Term

_log = structlog.get_logger(__name__)

# How often it is looked whether a day's work is left, once it was found done.
_EVERY = timedelta(minutes=10)
# A class that failed waits this long, and keeps no other waiting.
_RESTS = timedelta(hours=1)
# Of one transaction, and of one look: what is left goes a second later, for rings come first.
_AT_ONCE = 1000
_PARTS = 3


class Retention:
    """Does the day's work, a part at a time.

    What is done stands in the database: killed anywhere, another worker goes on from there, and of
    several one works while the others have nothing to wait for.
    """

    def __init__(self, own: Pool, *, archives: bool = True) -> None:
        """Work as the engine, through `own`.

        `archives`: ops have an archive to go to. Without one they stay where they are, and that
        none has gone there is nobody's fault.
        """
        self._archives = archives
        self._own = own
        self._terms = retention.terms_of(wiring.PERSONAL_DATA)
        self._looked_at: datetime | None = None
        self._resting: dict[str, datetime] = {}

    async def look(self, now: datetime) -> None:
        """Do some of what is left of the day's work."""
        if self._looked_at is not None and abs(now - self._looked_at) < _EVERY:
            return
        for _ in range(_PARTS):
            if not await self._part(now):
                self._looked_at = now
                await self._show(now)
                return

    async def run(self, now: datetime) -> None:
        """Do all that is left of the day's work. For whoever does not want to wait."""
        while await self._part(now):
            pass

    async def _part(self, now: datetime) -> bool:
        """Do one part; return whether there may be more. Raises what kept it from being done."""
        term: Term | None = None
        try:
            async with self._own.transaction() as db:
                if not await retention.begin(db):
                    return False
                left = await self._left(db, now)
                if not left:
                    return False
                term = left[0]
                await self._do(db, term, now, is_last=len(left) == 1)
        except Exception:
            if term is not None:
                self._resting[term.name] = now
                async with self._own.transaction() as db:
                    await retention.note(db, term.name, now, failed=1)
            raise
        return True

    async def _left(self, db: Db, now: datetime) -> list[Term]:
        done = await retention.done_on(db, now)
        return [
            term
            for term in self._terms
            if term.name not in done
            and not (term.name in self._resting and abs(now - self._resting[term.name]) < _RESTS)
        ]

    async def _do(self, db: Db, term: Term, now: datetime, *, is_last: bool) -> None:
        removed = 0
        if term.by == "job":
            removed = await retention.drop(db, term, now, _AT_ONCE)
        if removed == _AT_ONCE:
            await retention.note(db, term.name, now, removed=removed)
            return
        oldest = None
        if term.name != "op" or self._archives:
            oldest = await retention.oldest(db, term, now)
        await retention.note(db, term.name, now, removed=removed, oldest=oldest, done=True)
        if is_last and not self._resting_at(now):
            says = {"day": str(now.date()), "removed": await retention.removed_on(db, now)}
            log.note(db, INSTALLATION, Happened(event="retention_done", says=says), now)
            _log.info("retention_done", **says)

    def _resting_at(self, now: datetime) -> bool:
        return any(abs(now - since) < _RESTS for since in self._resting.values())

    async def _show(self, now: datetime) -> None:
        async with self._own.transaction() as db:
            known = await retention.latest(db)
        for term in self._terms:
            if (last := known.get(term.name)) is not None:
                late = retention.overdue(term, last.oldest, now)
                metrics.RETENTION_OVERDUE.labels(term.name).set(late.total_seconds())
                metrics.RETENTION_RAN.labels(term.name).set(last.done_at.timestamp())

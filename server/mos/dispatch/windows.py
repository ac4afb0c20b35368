"""Expected beside told, every fifteen minutes: silence is an alarm.

What planning expects (`expected`) is held against what became of it, by names and wall times and
never by what taking it has counted. A window is judged five minutes after its end; what is missing
then is logged, counted and shown to the organisation's administrators, and judged again for a day,
until it is not missing any more.
"""

from datetime import UTC, datetime, timedelta

import structlog

from mos.db import Pool
from mos.dispatch import metrics, store
from mos.dispatch.store.windows import judge, judged_until, keep_judged, missing_since
from mos.privacy import retention

_log = structlog.get_logger(__name__)

LENGTH = timedelta(minutes=15)
# What is due at the end of a window has rung by then, or its device counts as silent.
SETTLED_AFTER = timedelta(minutes=5)
# So long a gap is looked at again, and shown; what has happened by then stays so.
SHOWN_FOR = timedelta(days=1)
# As far back as a stop is planned (docs/engine.md, "After a stop").
_LONGEST_STOP = timedelta(days=7)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def begin_of(at: datetime) -> datetime:
    """Return when the window began that `at` lies in; the same instants in every zone."""
    return at - (at - _EPOCH) % LENGTH


async def look(own: Pool, now: datetime) -> bool:
    """Judge the windows that have settled since the last look; return whether there were any.

    The first look of all judges nothing: before it nobody has expected anything.
    """
    until = begin_of(now - SETTLED_AFTER)
    async with own.transaction() as db:
        last = await judged_until(db, since=now - SHOWN_FOR)
        if last is None or (last.until is not None and last.until >= until):
            return False
        since = max(last.until or until, until - _LONGEST_STOP)
        # Again from the first gap: a worker that has come back has told it meanwhile.
        again = since if last.gap_from is None else min(since, last.gap_from)
        await store.by_index(db)
        judged = await judge(db, again, until, now)
        past = min(again, now - SHOWN_FOR - LENGTH)
        gone = await keep_judged(db, until, past=past)
        retention.note_last(db, "expected", now, removed=gone)
        metrics.WINDOWS_MISSING.set(await missing_since(db, now - SHOWN_FOR))
    for window in judged:
        # What is judged again is in the counters already.
        if window.from_at >= since:
            for what in ("told", "excused", "waiting", "lost", "silent"):
                metrics.WINDOWS.labels(what).inc(getattr(window, what))
        if window.missing:
            _log.error(
                "expected_not_told",
                org=str(window.org),
                from_at=window.from_at.isoformat(),
                expected=window.expected,
                waiting=window.waiting,
                lost=window.lost,
                silent=window.silent,
            )
    return True

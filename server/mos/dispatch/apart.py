"""One row that cannot be followed keeps no other waiting."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from mos.db import Db, may_pass
from mos.dispatch import metrics

_log = structlog.get_logger(__name__)
_Row = TypeVar("_Row")


async def apart(
    db: Db, rows: Sequence[_Row], follow: Callable[[Sequence[_Row]], Awaitable[None]], what: str
) -> list[_Row]:
    """Follow rows all at once; where that fails, in halves, down to those at fault. Return these.

    What they had begun is undone, and what they are is not written down: only how they failed.
    Raises what may pass by itself, as when the database is away.
    """
    try:
        async with db.part():
            await follow(rows)
    except Exception as error:
        if may_pass(error):
            raise
        if len(rows) > 1:
            middle = len(rows) // 2
            return [
                *await apart(db, rows[:middle], follow, what),
                *await apart(db, rows[middle:], follow, what),
            ]
        metrics.SET_ASIDE.labels(what).inc()
        rule = getattr(error, "constraint_name", None)
        _log.error("set_aside", what=what, error=type(error).__name__, rule=rule)
        return list(rows)
    return []

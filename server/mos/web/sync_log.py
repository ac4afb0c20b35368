"""What devices fetch is logged: once for each session, resident, kind of space and hour."""

from collections.abc import Iterable
from datetime import datetime

from mos.audit import access
from mos.audit.access import Hourly
from mos.audit.model import Touch, Who
from mos.care.model import Actor
from mos.db import Db
from mos.sync.model import Grant

_CLASS = {"resident": "day", "medication": "medication"}


class Reads:
    """Writes the lines of reads, and remembers which this process has written."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._hourly = Hourly()

    async def log(
        self, db: Db, actor: Actor, spaces: Iterable[Grant], now: datetime
    ) -> list[Touch]:
        """Log that the actor is given these spaces; return what `logged` is told afterwards."""
        who = _who(actor)
        touched = (Touch(each.id, _CLASS[each.kind]) for each in spaces)
        new = self._hourly.new(who, touched, now)
        await access.log_hourly(db, who, "read", new, now)
        return new

    def logged(self, actor: Actor, read: list[Touch], now: datetime) -> None:
        """Remember what `log` returned, once its transaction was committed."""
        self._hourly.logged(_who(actor), read, now)


def _who(actor: Actor) -> Who:
    return Who(actor.org, actor.account, actor.session, actor.device)

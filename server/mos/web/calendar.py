"""What calendar programs read at secret addresses: `/calendar/{token}.ics`.

The token is all that they have: it stands in no log of ours (`route_of` knows the template only),
and whoever tries many is asked to wait.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from mos.calendar.actions import read_feed
from mos.db import Pool
from mos.kernel.clock import Clock
from mos.kernel.errors import NotFound, TooMany
from mos.web.health import Answer
from mos.web.session import header

PREFIX = "/calendar/"
_TEMPLATE = "/calendar/{token}.ics"
_ADDRESS = re.compile(r"^/calendar/(?P<token>[A-Za-z0-9_-]{43})\.ics\Z")

# So many addresses where nothing is may one client ask for; one more comes back at each interval.
_FREE_MISSES = 30
_ONE_MORE = timedelta(seconds=20)
_MOST_CLIENTS = 10_000


class CalendarFeeds:
    """Answers at the addresses of feeds."""

    def __init__(self, pool: Callable[[], Pool], clock: Clock) -> None:
        """Read from the pool that `pool()` returns once the application has started."""
        self._pool = pool
        self._clock = clock
        self._misses = _Misses()

    async def answer(self, scope: Any) -> Answer:
        """Return the feed at the address; raises NotFound, or TooMany for those who guess."""
        scope["route"] = _TEMPLATE
        now, client = self._clock(), scope["client"][0]
        self._misses.require_room(client, now)
        try:
            has = header(scope, b"if-none-match") or ""
            written = await read_feed(self._pool(), _token(scope["path"]), has, now)
        except NotFound:
            self._misses.count(client, now)
            raise
        headers = (
            (b"etag", written.tag.encode()),
            # Asked for again each time: one that was ended shows nothing more.
            (b"cache-control", b"private, no-cache"),
        )
        status, body = (304, b"") if written.body is None else (200, written.body)
        return Answer(status, b"text/calendar; charset=utf-8", body, headers)


def _token(path: str) -> str:
    found = _ADDRESS.match(path)
    if found is None:
        raise NotFound("There is nothing here.")
    return found["token"]


class _Misses:
    """How many addresses where nothing is each client has asked for lately, in this process."""

    def __init__(self) -> None:
        self._full_at: OrderedDict[str, datetime] = OrderedDict()

    def require_room(self, client: str, now: datetime) -> None:
        """Let those pass who have not guessed too much; raises TooMany."""
        wait = self._owed(client, now) - (_FREE_MISSES - 1) * _ONE_MORE
        if wait > timedelta(0):
            raise TooMany("Wait a little.", retry_after_s=int(wait.total_seconds()) + 1)

    def count(self, client: str, now: datetime) -> None:
        """Note one more."""
        self._full_at[client] = now + self._owed(client, now) + _ONE_MORE
        self._full_at.move_to_end(client)
        if len(self._full_at) > _MOST_CLIENTS:
            self._full_at.popitem(last=False)

    def _owed(self, client: str, now: datetime) -> timedelta:
        return max(self._full_at.get(client, now) - now, timedelta(0))

"""Tells an app that is open on the device, through whichever server holds its stream.

A poke is a hint: an app that is closed hears nothing, and one that is open knows by itself. What
counts as told is the app's own word that it rang.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db
from mos.dispatch import store
from mos.dispatch.channels.result import Result
from mos.dispatch.store import Taken


class Poke(Struct, frozen=True):
    """This device should ring for this occurrence."""

    org: UUID
    device: UUID
    space: UUID
    occ: str


class OpenApp:
    """Pokes open apps, a batch at a time."""

    name = "openapp"
    most_attempts = 8

    def __init__(self, poke: Callable[[list[Poke]], Awaitable[None]]) -> None:
        """Send through `poke`, which raises OSError or DbError when it cannot."""
        self._poke = poke
        self._finished: list[tuple[Taken, Result]] = []

    def room(self) -> int:
        """Return the size of a batch."""
        return 1000

    async def take(self, db: Db, now: datetime, limit: int) -> list[Taken]:
        """Take what waits: there is no service in between that could rest."""
        return await store.take_deliveries(db, self.name, now, limit=limit)

    async def begin(self, deliveries: Sequence[Taken], _now: datetime) -> None:
        """Poke all of them at once."""
        await self._poke([Poke(d.org, d.device, d.space, d.subject) for d in deliveries])
        self._finished += [(delivery, Result("sent", "poked")) for delivery in deliveries]

    def finished(self) -> list[tuple[Taken, Result]]:
        """Return what has ended since the last asking."""
        finished, self._finished = self._finished, []
        return finished

    def give_back(self, ended: Sequence[tuple[Taken, Result]]) -> None:
        """Take back what could not be written down."""
        self._finished = [*ended, *self._finished]

    async def learn(self, db: Db, ended: Sequence[tuple[Taken, Result]], now: datetime) -> None:
        """Store nothing: a poke never learns whether anybody hears it."""

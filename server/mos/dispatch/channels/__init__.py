"""Ways to tell somebody, one folder each. A channel carries deliveries and says what came of them.

To add one: docs/channels/README.md. It never decides whom to tell, nor whether to try again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from mos.db import Db
from mos.dispatch.channels.result import Result
from mos.dispatch.store import Delivery

D = TypeVar("D", bound=Delivery)


class Channel(Protocol[D]):
    """One way to tell. `name` is the word in `delivery.channel`."""

    name: str
    # How often it is tried before it is given up.
    most_attempts: int

    def room(self) -> int:
        """Return how many deliveries it can carry more of, now."""
        ...

    async def take(self, db: Db, now: datetime, limit: int) -> list[D]:
        """Take up to `limit` deliveries to attempt, none to services that are in trouble."""
        ...

    async def begin(self, deliveries: Sequence[D], now: datetime) -> None:
        """Start to carry these. Returns without waiting for a slow one."""
        ...

    def finished(self) -> list[tuple[D, Result]]:
        """Return what has ended since the last asking, each once."""
        ...

    def give_back(self, ended: Sequence[tuple[D, Result]]) -> None:
        """Take back what could not be written down: `finished` returns it once more."""
        ...

    async def learn(self, db: Db, ended: Sequence[tuple[D, Result]], now: datetime) -> None:
        """Store what these results say of where they led, in the transaction that settles them."""
        ...

"""Ways to tell a device, one file each. A channel carries deliveries and says what became of them.

To add one: a file here with this shape, its word in the statements `ring` or `tell`, a line in the
worker. It never decides whom to tell, nor whether to try again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mos.dispatch.store import Taken
from mos.dispatch.webpush import Result


class Channel(Protocol):
    """One way to tell. `name` is the word in `delivery.channel`."""

    name: str

    def room(self) -> int:
        """Return how many deliveries it can carry more of, now."""
        ...

    def resting(self, now: datetime) -> list[str]:
        """Return services (origins) that are in trouble and are not to be bothered."""
        ...

    async def begin(self, deliveries: Sequence[Taken], now: datetime) -> None:
        """Start to carry these. Returns without waiting for a slow one."""
        ...

    def finished(self) -> list[tuple[Taken, Result]]:
        """Return what has ended since the last asking, each once."""
        ...

"""How many of one kind of request are inside at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from mos.kernel.errors import TooMany

_AGAIN_S = 5


class Room:
    """Holds so many requests, and so many of one session. Nobody waits: they come again."""

    def __init__(self, most: int, *, of_session: int) -> None:
        """Begin empty."""
        self._most = most
        self._most_of_session = of_session
        self._inside = 0
        self._of_session: Counter[UUID] = Counter()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place; raises TooMany when all are taken."""
        if self._inside >= self._most:
            raise TooMany("Too many devices at once.", retry_after_s=_AGAIN_S)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    @contextmanager
    def turn(self, session: UUID) -> Iterator[None]:
        """Let one session not take all the room: it could hold bodies back on purpose."""
        if self._of_session[session] >= self._most_of_session:
            raise TooMany("Too much at once from this device.", retry_after_s=_AGAIN_S)
        self._of_session[session] += 1
        try:
            yield
        finally:
            self._of_session[session] -= 1
            if not self._of_session[session]:
                del self._of_session[session]

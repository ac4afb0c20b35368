"""The clock is an argument: rules get `now`, only edges call a Clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

# Returns the present instant, aware, in UTC.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the machine's present instant in UTC."""
    return datetime.now(UTC)


def file_clock(path: Path) -> Clock:
    """Return a clock that is ahead of the machine's by the seconds that `path` holds.

    The file is read at each look, so a test moves the clock of a running server by writing it.
    Absent or unreadable, it adds nothing.
    """

    def now() -> datetime:
        try:
            ahead = float(path.read_text())
        except (OSError, ValueError):
            ahead = 0.0
        return system_clock() + timedelta(seconds=ahead)

    return now

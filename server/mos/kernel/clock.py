"""The clock is an argument: rules get `now`, only edges call a Clock."""

from collections.abc import Callable
from datetime import UTC, datetime

# Returns the present instant, aware, in UTC.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the machine's present instant in UTC."""
    return datetime.now(UTC)

"""When the steps of a ladder come, for something that nobody answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from mos.dispatch.model import Step


def step_times(steps: Sequence[Step], start: datetime, grace: timedelta) -> list[datetime]:
    """Return when each step comes, for what starts at `start`: no earlier than half the grace."""
    return [start + max(grace + step.after, grace / 2) for step in steps]

"""An alert, on its ladder."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from mos.dispatch.model import Alert, AlertMove, Step
from mos.dispatch.rules.ladders import STALE_AFTER
from mos.dispatch.rules.written import write_steps


def walk(alert: Alert, steps: Sequence[Step], now: datetime) -> AlertMove:
    """Say whom an alert tells by `now`, on a ladder of `steps`, and when to look again.

    Steps that passed while nothing ran are one, the widest. When "Jag tar det" has run out and it
    is still open, it goes on where it is by then, and repeats its last step if there is no other.
    A ladder that was changed since it was walked last holds at once: its present step is told,
    although the old one had been. Where the last step reached nobody, the next one is taken now.
    """
    if alert.closed_at is not None:
        return AlertMove(replace(alert, next_at=None))
    if alert.resumes_at is not None and now < alert.resumes_at:
        return AlertMove(replace(alert, next_at=alert.resumes_at))
    resumes = alert.resumes_at is not None
    written = write_steps(tuple(steps))
    changed = alert.rung > 0 and bool(alert.steps) and alert.steps != written
    ends_at = alert.from_at + timedelta(seconds=alert.grace_s)
    passed = sum(ends_at + step.after <= now for step in steps)
    rung = passed if changed else max(alert.rung, passed)
    if alert.unreached and rung == alert.rung:
        rung = min(rung + 1, len(steps))
    tell = tuple(steps[:rung]) if rung > alert.rung or resumes or changed else ()
    if alert.rung == 0 and now >= ends_at + STALE_AFTER:
        tell, rung = (steps[0],), len(steps)
    moved = replace(
        alert,
        rung=rung,
        step=alert.step + bool(tell),
        unreached=False,
        steps=written,
        next_at=ends_at + steps[rung].after if rung < len(steps) else None,
        taken_by=None,
        taken_at=None,
        handed_to=None,
        resumes_at=None,
    )
    return AlertMove(moved, tell)

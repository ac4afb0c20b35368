"""An alert, on its ladder."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from mos.dispatch.model import Alert, AlertMove
from mos.dispatch.rules.ladders import LADDERS, STALE_AFTER


def walk(alert: Alert, now: datetime) -> AlertMove:
    """Say whom an alert tells by `now`, and when to look again.

    Its first step is taken as soon as it opens. Steps that passed while nothing ran are one, the
    widest. When "Jag tar det" has run out and it is still open, it goes on where it is by then, and
    repeats its last step if there is no other.
    """
    if alert.closed_at is not None:
        return AlertMove(replace(alert, next_at=None))
    if alert.resumes_at is not None and now < alert.resumes_at:
        return AlertMove(replace(alert, next_at=alert.resumes_at))
    resumes = alert.resumes_at is not None
    steps = LADDERS[alert.ladder]
    ends_at = alert.from_at + timedelta(seconds=alert.grace_s)
    passed = sum(ends_at + step.after <= now for step in steps)
    rung = max(alert.rung, passed, 1)
    tell = steps[rung - 1].tell if rung > alert.rung or resumes else None
    if alert.rung == 0 and now >= ends_at + STALE_AFTER:
        tell, rung = steps[0].tell, len(steps)
    moved = replace(
        alert,
        rung=rung,
        step=alert.step + (tell is not None),
        next_at=ends_at + steps[rung].after if rung < len(steps) else None,
        taken_by=None,
        taken_at=None,
        resumes_at=None,
    )
    return AlertMove(moved, tell)

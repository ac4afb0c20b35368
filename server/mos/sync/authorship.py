"""Who wrote an op, and whether they might when they did. Pure: no await, no clock, no database.

An op is its author's, whoever is signed in when it arrives; and what happened while somebody had
the right is not lost because the right has ended since.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.sync import rules
from mos.sync.model import Author, Collections, EventOp, Held, Op, Refusal

# For how long after a right has ended what happened before is taken.
LATE = timedelta(hours=72)
# How far an op's time may lie outside of its session.
_SLACK_MS = 60_000

REVOKED = Refusal("forbidden", "revoked")
_SESSION = Refusal("forbidden", "session")


class Judged(Struct, frozen=True):
    """Why an op is not taken, or None; and for how long its author had the right, if it is late."""

    refusal: Refusal | None
    late: Held | None = None


def judged(op: Op, made_ms: int | None, author: Author, collections: Collections) -> Judged:
    """Return what is to become of an op that its author wrote at `made_ms`.

    That is the op's clock; where it was too far ahead to be believed, `rules.made`: no clock is
    refused. What nobody knows the moment of (None) counts as written in its session, whose key it
    is signed with, and while its author had a right.
    """
    if author.during is not None and made_ms is not None and not _within(made_ms, *author.during):
        return Judged(_SESSION)
    now = rules.refusal(op, author.reach, collections)
    if now is None or now.verdict != "forbidden" or op.space not in author.had:
        return Judged(now)
    # They may no longer; they may have when it happened.
    for held in _held(op, made_ms, author.had[op.space]):
        then = rules.refusal(op, {op.space: held.words}, collections)
        if then is None or then.verdict != "forbidden":
            return Judged(then, held)
    return Judged(now if op.space in author.reach else REVOKED)


def no_space(space: UUID, author: Author) -> Refusal | None:
    """Return why an op of `space` is refused unread, or None where the author reaches it."""
    if space in author.reach:
        return None
    return REVOKED if space in author.had else rules.NO_ACCESS


def late_group(held: Held | None, now: datetime) -> Mapping[str, Any]:
    """Return the group that says of an event that it came after its author's right had ended."""
    if held is None:
        return {}
    return {"late": {"until": _moment(held.until), "at": _moment(now)}}


def _within(at: int, since: datetime, until: datetime) -> bool:
    return _ms(since) - _SLACK_MS <= at <= _ms(until) + _SLACK_MS


def _held(op: Op, at: int | None, had: tuple[Held, ...]) -> list[Held]:
    """Return the rights under which something happened; only events happen."""
    if not isinstance(op, EventOp):
        return []
    return [held for held in had if at is None or _ms(held.since) <= at < _ms(held.until)]


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

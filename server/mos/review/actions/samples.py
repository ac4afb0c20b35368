"""The monthly sample: drawn by the worker, looked at by somebody who answers for the unit."""

import secrets
from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from mos.audit import log
from mos.audit.model import Happened
from mos.care.actions.noting import note
from mos.care.actions.permit import no_such
from mos.care.actions.text import Long
from mos.care.model import Actor
from mos.db import Db
from mos.kernel.errors import Conflict, Forbidden
from mos.review import rules, store
from mos.review.actions.reading import require_accesses
from mos.review.model import Month, Outcome, Sample

_AT_ONCE = 50


class Looked(Struct, frozen=True, forbid_unknown_fields=True):
    """What came of a look. A note says what is followed up; for `reasonable` it may be empty."""

    outcome: Outcome
    note: Long = ""


class Queue(Struct, frozen=True):
    """The months that were drawn, and what was drawn of one of them."""

    months: list[Month]
    month: date | None
    samples: list[Sample]


async def queue(db: Db, actor: Actor, month: date | None, now: datetime) -> Queue:
    """Return what waits to be looked at; raises Forbidden."""
    await require_accesses(db, actor, now)
    months = await store.months(db, actor.org)
    # The oldest that somebody still has to look at, or else the latest.
    waiting = [each.month for each in months if each.left]
    shown = month or (waiting[-1] if waiting else months[0].month if months else None)
    found = await store.samples(db, actor.org, shown, actor.account) if shown else []
    return Queue(months, shown, found)


async def look(  # noqa: PLR0913, PLR0917  what, by whom, when
    db: Db, actor: Actor, month: date, entry: UUID, looked: Looked, now: datetime
) -> Sample:
    """Keep what came of a look; raises Forbidden, NotFound, Conflict or Invalid.

    Nobody looks at their own: that would prove nothing.
    """
    await require_accesses(db, actor, now)
    there = await store.samples(db, actor.org, month, actor.account, entry=entry)
    if not there:
        raise no_such("sample")
    if there[0].own:
        raise Forbidden("This was you: somebody else must look at it.", code="own_access")
    text = looked.note.strip()
    rules.check_outcome(looked.outcome, text)
    kept = await store.review(
        db, actor.org, month, entry, outcome=looked.outcome, note=text, by=actor.account, now=now
    )
    if not kept:
        raise Conflict("Somebody has decided this already.", code="decided")
    note(
        db, actor, "sample_reviewed", now, of=there[0].entry.space, month=str(month),
        entry=entry, outcome=looked.outcome,
    )  # fmt: skip
    return (await store.samples(db, actor.org, month, actor.account, entry=entry))[0]


async def draw(db: Db, now: datetime) -> int:
    """Draw last month of some organisations that have none; return of how many.

    Needs the engine's role. What was drawn of what is in each organisation's audit log.
    """
    month = (now.date().replace(day=1) - timedelta(days=1)).replace(day=1)
    due = await store.due(db, month, _AT_ONCE)
    for org in due:
        # One organisation at a time: the accesses of all of them at once would be too many.
        seed = secrets.token_hex(16)
        drawn = await store.draw(db, org, month, seed, rules.DRAWN_EACH, now)
        if drawn is not None:
            says = {"month": str(month), "seed": seed, "lines": drawn.lines, "drawn": drawn.drawn}
            log.note(db, org, Happened(event="sample_drawn", says=says), now)
    return len(due)

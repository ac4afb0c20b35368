"""Looking at what was opened in an emergency: who answers for the unit, or an auditor."""

from datetime import datetime, timedelta
from uuid import UUID

from mos.care import store as care
from mos.care.actions.noting import note
from mos.care.actions.permit import no_such
from mos.care.model import Actor, Reach
from mos.db import Db
from mos.kernel.errors import Conflict, Forbidden
from mos.review import rules
from mos.review.actions.reading import require_accesses
from mos.review.actions.samples import Looked
from mos.review.model import Emergency, Outcome, Reading

# What was decided is shown for a year; the logs have the rest.
_SHOWN = timedelta(days=366)


async def emergencies(db: Db, actor: Actor, now: datetime) -> list[Emergency]:
    """Return what was opened in an emergency within a year, the undecided first.

    Raises Forbidden for those who answer for no unit and audit nothing.
    """
    reading = await require_accesses(db, actor, now)
    rows = await care.emergencies(db, actor.org, _reach(reading), after=now - _SHOWN)
    return [await _shown(db, actor, row) for row in rows]


async def look(db: Db, actor: Actor, emergency: UUID, looked: Looked, now: datetime) -> Emergency:
    """Keep what came of a look; raises Forbidden, NotFound, Conflict or Invalid.

    Nobody looks at their own, and what was decided stays, but for what is followed up.
    """
    reading = await require_accesses(db, actor, now)
    row = await _one(db, actor, emergency, reading, now)
    if row.account == actor.account:
        raise Forbidden("This was you: somebody else must look at it.", code="own_access")
    text = looked.note.strip()
    rules.check_outcome(looked.outcome, text)
    kept = await care.review_emergency(
        db, actor.org, row, outcome=looked.outcome, note=text, by=actor.account, now=now
    )
    if not kept:
        raise Conflict("Somebody has decided this already.", code="decided")
    note(
        db, actor, "emergency_reviewed", now, of=row.space, emergency=emergency,
        outcome=looked.outcome,
    )  # fmt: skip
    return await _shown(db, actor, await _one(db, actor, emergency, reading, now))


async def _one(
    db: Db, actor: Actor, emergency: UUID, reading: Reading, now: datetime
) -> care.EmergencyRow:
    rows = await care.emergencies(db, actor.org, _reach(reading), one=emergency, after=now - _SHOWN)
    if not rows:
        raise no_such("emergency access")
    return rows[0]


async def _shown(db: Db, actor: Actor, row: care.EmergencyRow) -> Emergency:
    outcome: Outcome | None = row.outcome
    return Emergency(
        id=row.id, person=row.person, role=row.role, space=row.space, resident=row.resident,
        unit=row.unit_name, at=row.at, until=row.until, cause=row.cause,
        reason=await care.opened_text(db, actor.org, row, "reason"), outcome=outcome,
        note=await care.opened_text(db, actor.org, row, "note"), reviewer=row.reviewer,
        reviewed_at=row.reviewed_at, own=row.account == actor.account,
    )  # fmt: skip


def _reach(reading: Reading) -> Reach:
    return Reach(everything=reading.everything, units=reading.units)

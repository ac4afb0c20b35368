"""What people's devices sent and the server could not take: a supporter looks at it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.care import rules
from mos.care.actions import permit
from mos.care.model import Access, Actor, Permission
from mos.db import Db, Scope
from mos.kernel.errors import Conflict
from mos.sync import quarantine
from mos.sync.model import Collections
from mos.sync.quarantine import How

# For how long what was handled is still shown, and how much at once.
_SHOWN = timedelta(days=30)
_MOST = 500


class Handled(Struct, frozen=True):
    """What somebody did about it."""

    how: How
    by: UUID
    at: datetime


class RefusedOp(Struct, frozen=True):
    """One op that was not taken."""

    op: UUID
    space: UUID
    coll: str
    # The record it was to change; none for an event, or where it could not be read.
    rec: str | None
    # Its groups as written; of one that could not be read, what can be made out of it.
    what: Any
    verdict: str
    code: str
    by: UUID | None
    device: str
    received_at: datetime
    handled: Handled | None


class LostOps(Struct, frozen=True):
    """So many changes were made on this device and never arrived; nobody knows which."""

    device: str
    count: int
    noticed_at: datetime


class QuarantineBody(Struct, frozen=True):
    """What did not arrive, the latest first. `more`: there is more than is shown."""

    ops: list[RefusedOp]
    lost: list[LostOps]
    more: bool


class Waiting(Struct, frozen=True):
    """How much of a resident's was not taken and waits for somebody, and how much was lost."""

    space: UUID
    count: int
    lost: int


class Handling(Struct, frozen=True, forbid_unknown_fields=True):
    """What was done: entered again by whoever says so, or let go."""

    how: How


async def look(
    db: Db, actor: Actor, space: UUID, collections: Collections, now: datetime
) -> QuarantineBody:
    """Return what was refused of a resident's; raises NotFound for who does not see the plan."""
    spaces = await permit.seen_spaces(db, actor, space, now)
    await db.scope(Scope(actor.org, tuple(spaces)))
    kept = await quarantine.kept(db, actor.org, list(spaces), since=now - _SHOWN, limit=_MOST + 1)
    lost = await quarantine.lost(db, actor.org, list(spaces))
    return QuarantineBody(
        [
            _shown(each)
            for each in kept[:_MOST]
            if not _is_hidden(each.payload, each.space, spaces, collections)
        ],
        [LostOps(each.device, each.count, each.noticed_at) for each in lost],
        more=len(kept) > _MOST,
    )


async def waiting(db: Db, actor: Actor, collections: Collections, now: datetime) -> list[Waiting]:
    """Return what waits, by resident: where the actor may settle it, and there is something."""
    theirs = {
        space: spaces
        for space, spaces in (await permit.seen_residents(db, actor, now)).items()
        if rules.may(actor, Permission.ALERT_TAKE, spaces[space])
    }
    day_of = {name: space for space, spaces in theirs.items() for name in spaces}
    await db.scope(Scope(actor.org, tuple(day_of)))
    # Nothing that was handled: it is later than any of that.
    kept = await quarantine.kept(db, actor.org, list(day_of), since=now, limit=_MOST)
    counts = Counter(
        day_of[each.space]
        for each in kept
        if each.handled_at is None
        and not _is_hidden(each.payload, each.space, theirs[day_of[each.space]], collections)
    )
    lost: Counter[UUID] = Counter()
    for each in await quarantine.lost(db, actor.org, list(day_of)):
        lost[day_of[each.space]] += each.count
    return [
        Waiting(space, counts[space], lost[space]) for space in theirs if space in counts | lost
    ]


async def handle(  # noqa: PLR0913  two more than five
    db: Db,
    actor: Actor,
    space: UUID,
    op: UUID,
    collections: Collections,
    *,
    how: How,
    now: datetime,
) -> None:
    """Say what became of a refused op; raises NotFound, or Conflict where somebody has already."""
    spaces = await permit.seen_spaces(db, actor, space, now)
    if not rules.may(actor, Permission.ALERT_TAKE, spaces[space]):
        raise permit.no_such("resident")
    await db.scope(Scope(actor.org, tuple(spaces)))
    entry = await quarantine.entry(db, actor.org, list(spaces), op)
    if entry is None or _is_hidden(entry.payload, entry.space, spaces, collections):
        raise permit.no_such("change")
    said = await quarantine.handle(
        db, actor.org, list(spaces), op, how=how, account=actor.account, now=now
    )
    if said != how:
        raise Conflict("Somebody has seen to this already.")


def _is_hidden(
    payload: Any, space: UUID, spaces: dict[UUID, Access], collections: Collections
) -> bool:
    """Say whether an op lies with the day by mistake, and the actor sees no medication.

    Whoever looks sees the day, so of what lies with the medication by mistake nothing is hidden.
    """
    collection = collections.get(quarantine.written(payload)[0])
    if collection is None or spaces[space].of is not None or len(spaces) > 1:
        return False
    return rules.is_elsewhere(spaces[space].kind, collection.write)


def _shown(kept: quarantine.Kept) -> RefusedOp:
    coll, what = quarantine.written(kept.payload)
    verdict, _, code = kept.reason.partition(" ")
    handled = None
    if kept.handled_how and kept.handled_by and kept.handled_at:
        handled = Handled(kept.handled_how, kept.handled_by, kept.handled_at)
    return RefusedOp(
        op=kept.op,
        space=kept.space,
        coll=coll,
        rec=quarantine.record_of(kept.payload),
        what=what,
        verdict=verdict,
        code=code,
        by=kept.account,
        device=kept.device,
        received_at=kept.received_at,
        handled=handled,
    )

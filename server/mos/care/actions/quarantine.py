"""What people's devices sent and the server could not take: a supporter looks at it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.care import rules, store
from mos.care.actions.permit import no_such
from mos.care.model import Access, Actor, Permission
from mos.db import Db, Scope
from mos.kernel.errors import Conflict
from mos.sync import quarantine
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


class Handling(Struct, frozen=True, forbid_unknown_fields=True):
    """What was done: entered again by whoever says so, or let go."""

    how: How


async def look(db: Db, actor: Actor, space: UUID, now: datetime) -> QuarantineBody:
    """Return what was refused of a resident's; raises NotFound for who does not see the plan."""
    spaces = await _spaces(db, actor, space, now)
    await db.scope(Scope(actor.org, tuple(spaces)))
    kept = await quarantine.kept(db, actor.org, list(spaces), since=now - _SHOWN, limit=_MOST + 1)
    lost = await quarantine.lost(db, actor.org, list(spaces))
    return QuarantineBody(
        [_shown(each) for each in kept[:_MOST]],
        [LostOps(each.device, each.count, each.noticed_at) for each in lost],
        more=len(kept) > _MOST,
    )


async def handle(  # noqa: PLR0913  one more than five
    db: Db, actor: Actor, space: UUID, op: UUID, *, how: How, now: datetime
) -> None:
    """Say what became of a refused op; raises NotFound, or Conflict where somebody has already."""
    spaces = await _spaces(db, actor, space, now)
    if not rules.may(actor, Permission.ALERT_TAKE, spaces[space]):
        raise no_such("resident")
    await db.scope(Scope(actor.org, tuple(spaces)))
    said = await quarantine.handle(
        db, actor.org, list(spaces), op, how=how, account=actor.account, now=now
    )
    if said is None:
        raise no_such("change")
    if said != how:
        raise Conflict("Somebody has seen to this already.")


async def _spaces(db: Db, actor: Actor, space: UUID, now: datetime) -> dict[UUID, Access]:
    """Return the resident's spaces that the actor sees: what they may not read is not listed."""
    accesses = {access.space: access for access in await store.access(db, actor, now)}
    own = accesses.get(space)
    if own is None or own.of is not None or not rules.may(actor, Permission.PLAN_VIEW, own):
        raise no_such("resident")
    return {
        name: access
        for name, access in accesses.items()
        if name == space
        or (access.of == space and rules.may(actor, Permission.MEDICATION_VIEW, access))
    }


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

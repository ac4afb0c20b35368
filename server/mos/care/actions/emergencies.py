"""Emergency access ("nödåtkomst"): open a resident who is not one's own, and say why.

It makes a relation of a few hours, so that everything else holds as ever; it is told to whoever
answers for the resident, stands in both logs, and is looked at by somebody else (mos.review).
The patient data act asks for an active choice before what is blocked is opened (PDL 4 kap. 4-5 §§),
and HSLF-FS 2016:40 that it can be followed afterwards.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, structs

from mos.audit.chain import moment
from mos.care import rules, store
from mos.care.actions import permit
from mos.care.actions.news import News
from mos.care.actions.noting import note
from mos.care.actions.step_up import require_step_up
from mos.care.model import Actor, Cause, Reach
from mos.db import Db, Scope
from mos.dispatch import store as dispatch
from mos.kernel.errors import Conflict, Forbidden, Invalid
from mos.kernel.ids import new_id

_NOTHING = Reach(everything=False, units=frozenset())
_DAY = timedelta(days=1)

Reason = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*\Z")]


class Opening(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to open (`space` of their day), and why: a cause, and in one's own words."""

    space: UUID
    cause: Cause
    reason: Reason


class Opened(Struct, frozen=True, kw_only=True):
    """One's own emergency access to a resident, from `at` until before `until` (instants)."""

    id: UUID
    space: UUID
    resident: str
    unit: str
    at: datetime
    until: datetime


async def units(db: Db, actor: Actor, now: datetime) -> list[store.Choice]:
    """Return the units whose residents may be opened in an emergency; raises Forbidden."""
    await _require(db, actor, now)
    return await store.units_to_open(db, actor.org)


async def residents(db: Db, actor: Actor, unit: UUID, now: datetime) -> list[store.Choice]:
    """Return who lives in a unit and is not the actor's already, as spaces of their days.

    Raises Forbidden, or StepUpNeeded: who lives where is not told to a screen that was left open.
    """
    seen = await _require(db, actor, now)
    await require_step_up(db, actor, now)
    return await store.residents_to_open(db, actor.org, unit, seen)


async def mine(db: Db, actor: Actor, now: datetime) -> list[Opened]:
    """Return what the actor has open at `now`, the latest first."""
    rows = await store.emergencies(db, actor.org, _NOTHING, account=actor.account, after=now)
    return [_opened(row) for row in sorted(rows, key=lambda row: row.at, reverse=True)]


async def open_resident(
    db: Db, actor: Actor, wanted: Opening, now: datetime, *, news: News
) -> Opened:
    """Open a resident for some hours from `now`, and tell whoever answers for them.

    Raises Forbidden, StepUpNeeded, NotFound, Invalid, or Conflict: `seen_already`, or
    `many_emergencies` after so many within a day.
    """
    seen = await _require(db, actor, now)
    await require_step_up(db, actor, now)
    reason = wanted.reason.strip()
    if len(reason) < rules.REASON_LEAST:
        raise Invalid("Say in a few words why.", field="reason")
    # In turn: two requests at once are counted one after the other.
    organisation = await store.lock_organisation(db, actor.org)
    resident = await store.resident_for_update(db, actor.org, wanted.space)
    if resident is None or resident.archived_at is not None:
        raise permit.no_such("resident")
    if wanted.space in seen:
        raise Conflict("You see this resident already.", code="seen_already")
    opened = await store.opened_since(db, actor.org, actor.account, now - _DAY)
    if opened >= rules.EMERGENCIES_A_DAY:
        raise Conflict(
            "That was the last of this day: ask whoever manages the unit for access.",
            code="many_emergencies",
        )
    until = now + rules.EMERGENCY_LASTS
    emergency, relation = new_id(now), new_id(now)
    await store.add_relation(
        db,
        actor.org,
        store.Relation(
            id=relation, account=actor.account, space=wanted.space, unit=None,
            permissions=[*rules.emergency_gives(actor.role, organisation.policy)],
            is_primary=False, consent="", valid_from=now, valid_to=until,
        ),
    )  # fmt: skip
    await store.add_emergency(
        db,
        actor.org,
        store.NewEmergency(
            id=emergency, relation=relation, account=actor.account, space=wanted.space,
            resident_account=resident.account, unit=resident.unit, at=now, until=until,
            cause=wanted.cause, reason=reason,
        ),
    )  # fmt: skip
    note(
        db, actor, "emergency_opened", now, of=wanted.space, emergency=emergency,
        cause=wanted.cause, until=moment(until),
    )  # fmt: skip
    await _tell(db, actor, emergency, wanted.space, resident.unit, now)
    news.access(await store.acquainted(db, actor.org, actor.account))
    [made] = await store.emergencies(
        db, actor.org, _NOTHING, account=actor.account, one=emergency, after=now
    )
    return _opened(made)


async def end(db: Db, actor: Actor, emergency: UUID, now: datetime, *, news: News) -> None:
    """End an emergency access before its time: one's own, or one in a unit that one manages.

    Raises NotFound for those that have ended, or are somebody else's.
    """
    reach = await store.reach(db, actor, now)
    rows = await store.emergencies(
        db, actor.org, reach, account=actor.account, one=emergency, after=now
    )
    if not rows:
        raise permit.no_such("emergency access")
    [row] = rows
    await store.end_emergency(db, actor.org, emergency, now)
    relation = await store.relation_for_update(db, actor.org, row.relation)
    if relation is not None and relation.valid_from >= now:
        await store.remove_relation(db, actor.org, relation.id)
    elif relation is not None and (relation.valid_to is None or relation.valid_to > now):
        await store.save_relation(db, actor.org, structs.replace(relation, valid_to=now), now)
    note(db, actor, "emergency_ended", now, of=row.space, emergency=emergency)
    news.access(await store.acquainted(db, actor.org, row.account))


async def _require(db: Db, actor: Actor, now: datetime) -> list[UUID]:
    """Let those pass who may open somebody; return whom they see already. Raises Forbidden."""
    organisation = await store.organisation(db, actor.org)
    if not rules.may_open(actor.role, organisation.policy):
        raise Forbidden("Only caregivers and nurses of a care provider may do this.")
    seen = [*await permit.seen_residents(db, actor, now)]
    if not seen:
        # An account that nobody has taken away yet, of somebody who works nowhere here.
        raise Forbidden("Only who helps somebody here may do this.")
    return seen


async def _tell(  # noqa: PLR0913, PLR0917  whom of what
    db: Db, actor: Actor, emergency: UUID, space: UUID, unit: UUID, now: datetime
) -> None:
    told = await store.watchers(db, actor.org, unit, but=actor.account, now=now)
    await db.scope(Scope(actor.org, (space,)))
    await dispatch.tell_people(
        db, actor.org, space, f"emergency/{emergency}", told, expires_at=now + _DAY, now=now
    )


def _opened(row: store.EmergencyRow) -> Opened:
    return Opened(
        id=row.id, space=row.space, resident=row.resident, unit=row.unit_name,
        at=row.at, until=row.until,
    )  # fmt: skip

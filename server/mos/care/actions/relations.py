"""Relations: who may do what, for one resident or for all of a unit, from when to when."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from mos.audit.chain import moment
from mos.audit.model import Event
from mos.care import rules, store
from mos.care.actions import permit
from mos.care.actions.news import News
from mos.care.actions.noting import note
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Long
from mos.care.model import Actor, Permission, Reach
from mos.db import Db
from mos.kernel.errors import Forbidden, Invalid
from mos.kernel.ids import new_id

Permissions = Annotated[list[Permission], Meta(max_length=20)]
Moment = Annotated[datetime, Meta(tz=True)]


class NewRelation(Struct, frozen=True, forbid_unknown_fields=True):
    """A relation to add: to one resident (`space`) or to all residents of a unit (`unit`)."""

    account: UUID
    permissions: Permissions
    space: UUID | None = None
    unit: UUID | None = None
    is_primary: bool = False
    # What it rests on: a consent, a decision, an employment.
    consent: Long = ""
    valid_to: Moment | None = None


class RelationChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What may change in a relation; `valid_to` null: until further notice."""

    permissions: Permissions | UnsetType = UNSET
    is_primary: bool | UnsetType = UNSET
    consent: Long | UnsetType = UNSET
    valid_to: Moment | UnsetType | None = UNSET


async def list_relations(db: Db, actor: Actor, now: datetime) -> list[store.Relation]:
    """Return the relations that the actor manages and that have not ended, oldest first."""
    reach = await permit.require_reach(db, actor, now)
    return await store.relations_within(db, actor.org, reach, now)


async def add_relation(
    db: Db, actor: Actor, wanted: NewRelation, now: datetime, *, news: News
) -> store.Relation:
    """Add a relation that begins now; raises Forbidden or Invalid.

    A new contact person takes the mark from the one before.
    """
    reach = await permit.require_reach(db, actor, now)
    await _require_place(db, actor.org, reach, wanted)
    await require_step_up(db, actor, now)
    relation = store.Relation(
        id=new_id(now),
        account=wanted.account,
        space=wanted.space,
        unit=wanted.unit,
        permissions=sorted(set(wanted.permissions)),
        is_primary=wanted.is_primary,
        consent=wanted.consent.strip(),
        valid_from=now,
        valid_to=wanted.valid_to,
    )
    await _check(db, actor, reach, relation, now)
    await _one_primary(db, actor.org, relation)
    await store.add_relation(db, actor.org, relation)
    _note(db, actor, "relation_added", relation, now)
    news.access(await store.acquainted(db, actor.org, relation.account))
    return relation


async def change_relation(  # noqa: PLR0913  one more than five
    db: Db, actor: Actor, relation: UUID, change: RelationChange, now: datetime, *, news: News
) -> store.Relation:
    """Change a relation that has not ended; raises Forbidden, NotFound, Invalid or Conflict."""
    await store.lock_organisation(db, actor.org)
    reach, before = await _managed(db, actor, relation, now)
    await require_step_up(db, actor, now)
    after = structs.replace(
        before,
        permissions=before.permissions
        if change.permissions is UNSET
        else sorted(set(change.permissions)),
        is_primary=before.is_primary if change.is_primary is UNSET else change.is_primary,
        consent=before.consent if change.consent is UNSET else change.consent.strip(),
        valid_to=before.valid_to if change.valid_to is UNSET else change.valid_to,
    )
    await _check(db, actor, reach, after, now)
    await _one_primary(db, actor.org, after)
    await store.save_relation(db, actor.org, after, now)
    _note(db, actor, "relation_changed", after, now, was=before.permissions)
    if _manages(before):
        await permit.require_steward(db, actor.org, now)
    news.access(await store.acquainted(db, actor.org, after.account))
    return after


async def end_relation(db: Db, actor: Actor, relation: UUID, now: datetime, *, news: News) -> None:
    """End a relation now. It stays on record, with the time during which it held.

    Raises Forbidden, NotFound, or Conflict where nobody would be left to manage.
    """
    await store.lock_organisation(db, actor.org)
    _, before = await _managed(db, actor, relation, now)
    await require_step_up(db, actor, now)
    # Before it may be gone without a trace.
    news.access(await store.acquainted(db, actor.org, before.account))
    if before.valid_from >= now:
        await store.remove_relation(db, actor.org, relation)
    else:
        ended = structs.replace(before, valid_to=now, is_primary=False)
        await store.save_relation(db, actor.org, ended, now)
    _note(db, actor, "relation_ended", before, now)
    if _manages(before):
        await permit.require_steward(db, actor.org, now)


def _note(  # noqa: PLR0913  what a line says
    db: Db,
    actor: Actor,
    event: Event,
    relation: store.Relation,
    now: datetime,
    *,
    was: list[str] | None = None,
) -> None:
    note(
        db, actor, event, now, of=relation.account, relation=relation.id, space=relation.space,
        unit=relation.unit, permissions=relation.permissions, was=was,
        until=relation.valid_to and moment(relation.valid_to),
    )  # fmt: skip


def _manages(relation: store.Relation) -> bool:
    return Permission.CARE_MANAGE in relation.permissions


async def _managed(
    db: Db, actor: Actor, relation: UUID, now: datetime
) -> tuple[Reach, store.Relation]:
    reach = await permit.require_reach(db, actor, now)
    found = await store.relation_for_update(db, actor.org, relation)
    if found is None or (found.valid_to is not None and found.valid_to <= now):
        raise permit.no_such("relation")
    unit = found.unit
    if found.space is not None:
        resident = await store.resident_for_update(db, actor.org, found.space)
        unit = resident.unit if resident else None
    if unit is None or not rules.may_manage_unit(reach, unit):
        raise permit.no_such("relation")
    person = await store.account(db, actor.org, found.account)
    if person is None or not rules.may_manage_role(actor, person.role):
        raise Forbidden("Only an administrator may change this person's relations.")
    return reach, found


async def _require_place(db: Db, org: UUID, reach: Reach, wanted: NewRelation) -> None:
    """Lock the resident or unit that the relation is about, so that contact persons take turns."""
    if (wanted.space is None) == (wanted.unit is None):
        raise Invalid("Name either a resident's space or a unit.", field="space")
    if wanted.unit is not None:
        unit = await store.unit_for_update(db, org, wanted.unit)
        if unit is None or unit.archived_at or not rules.may_manage_unit(reach, unit.id):
            raise Invalid("There is no such unit.", field="unit")
    if wanted.space is not None:
        resident = await store.resident_for_update(db, org, wanted.space)
        if resident is None or not rules.may_manage_unit(reach, resident.unit):
            raise Invalid("There is no such resident.", field="space")


async def _check(
    db: Db, actor: Actor, reach: Reach, relation: store.Relation, now: datetime
) -> None:
    found = await store.accounts_within(db, actor.org, reach, now, account=relation.account)
    if not found or not rules.may_manage_role(actor, found[0].role):
        raise Invalid("There is no such person.", field="account")
    if relation.valid_to is not None and relation.valid_to <= now:
        raise Invalid("The end lies in the past.", field="valid_to")
    organisation = await store.organisation(db, actor.org)
    rules.check_relation(
        found[0].role,
        organisation.policy,
        frozenset(Permission(word) for word in relation.permissions),
        is_primary=relation.is_primary,
        of="unit" if relation.unit else "resident",
    )


async def _one_primary(db: Db, org: UUID, relation: store.Relation) -> None:
    if relation.is_primary and relation.space is not None:
        await store.no_primary(db, org, relation.space, but=relation.id)

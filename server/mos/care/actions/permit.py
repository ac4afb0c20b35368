"""The doors: who may manage what. Absent and not theirs look alike."""

from datetime import datetime
from uuid import UUID

from mos.care import rules, store
from mos.care.model import Access, Actor, Permission, Reach, Role
from mos.db import Db
from mos.kernel.errors import Conflict, Forbidden, NotFound


def require_admin(actor: Actor) -> None:
    """Let administrators pass; raises Forbidden."""
    if actor.role is not Role.ADMIN:
        raise Forbidden("Only an administrator may do this.")


async def require_whole(db: Db, actor: Actor, now: datetime) -> None:
    """Let those pass who manage the whole organisation, in a family too; raises Forbidden."""
    if actor.role is Role.ADMIN or await store.stewards(db, actor.org, now, account=actor.account):
        return
    raise Forbidden("Only who manages the whole organisation may do this.")


async def require_reach(db: Db, actor: Actor, now: datetime) -> Reach:
    """Return what the actor manages; raises Forbidden for those who manage nothing."""
    reach = await store.reach(db, actor, now)
    if not reach.everything and not reach.units:
        raise Forbidden("This needs the permission care.manage.")
    return reach


async def require_part(db: Db, actor: Actor, now: datetime) -> None:
    """Let those pass who manage something or see somebody's plan; raises Forbidden."""
    if not await seen_residents(db, actor, now):
        await require_reach(db, actor, now)


async def require_steward(db: Db, org: UUID, now: datetime) -> None:
    """Let a change pass after which somebody still manages everything; raises Conflict.

    Whoever calls this has locked the organisation before anything was read.
    """
    if not await store.stewards(db, org, now):
        raise Conflict(
            "Nobody would be left who manages everything: let somebody else do so first.",
            code="last_admin",
        )


def require_unit(reach: Reach, unit: UUID) -> None:
    """Let those who manage the unit pass; raises NotFound."""
    if not rules.may_manage_unit(reach, unit):
        raise no_such("unit")


async def managed_unit(db: Db, actor: Actor, unit: UUID, now: datetime) -> store.Unit:
    """Return a unit that the actor manages, locked; raises Forbidden or NotFound."""
    require_unit(await require_reach(db, actor, now), unit)
    found = await store.unit_for_update(db, actor.org, unit)
    if found is None:
        raise no_such("unit")
    return found


async def managed_account(db: Db, actor: Actor, account: UUID, now: datetime) -> store.AccountEntry:
    """Return an account that the actor may change; raises Forbidden or NotFound.

    Who can invite a person can become that person, so a manager changes only those who belong
    nowhere that the manager does not manage.
    """
    reach = await require_reach(db, actor, now)
    found = await store.accounts_within(db, actor.org, reach, now, account=account)
    if not found:
        raise no_such("account")
    entry = found[0]
    if not entry.within or not rules.may_manage_role(actor, entry.role):
        raise Forbidden("This person is managed by somebody else, too: ask an administrator.")
    return entry


async def managed_resident(db: Db, actor: Actor, space: UUID, now: datetime) -> store.Resident:
    """Return a resident whom the actor manages, locked; raises Forbidden or NotFound."""
    reach = await require_reach(db, actor, now)
    found = await store.resident_for_update(db, actor.org, space)
    if found is None or not rules.may_manage_unit(reach, found.unit):
        raise no_such("resident")
    return found


async def access_to(db: Db, actor: Actor, space: UUID, now: datetime) -> Access | None:
    """Return what the actor may do in a space, or None for nothing."""
    reached = await store.access(db, actor, now)
    return next((access for access in reached if access.space == space), None)


async def require_may(
    db: Db, actor: Actor, space: UUID, permission: Permission, now: datetime
) -> None:
    """Let those pass who may do this in a space; raises NotFound."""
    access = await access_to(db, actor, space, now)
    if access is None or not rules.may(actor, permission, access):
        raise no_such("resident")


async def require_sight(db: Db, actor: Actor, space: UUID, now: datetime) -> None:
    """Let those pass who see the resident's plan or manage their unit; raises NotFound."""
    access = await access_to(db, actor, space, now)
    if access is not None and rules.may(actor, Permission.PLAN_VIEW, access):
        return
    reach = await store.reach(db, actor, now)
    found = await store.residents_of_spaces(db, actor.org, [space])
    if not found or not rules.may_manage_unit(reach, found[0].unit):
        raise no_such("resident")


async def seen_spaces(db: Db, actor: Actor, space: UUID, now: datetime) -> dict[UUID, Access]:
    """Return the resident's spaces that the actor sees, their day's among them; raises NotFound."""
    seen = (await seen_residents(db, actor, now)).get(space)
    if seen is None:
        raise no_such("resident")
    return seen


async def seen_residents(db: Db, actor: Actor, now: datetime) -> dict[UUID, dict[UUID, Access]]:
    """Return, by the space of each resident's day that the actor sees, the spaces that they see."""
    accesses = await store.access(db, actor, now)
    seen = {
        access.space: {access.space: access}
        for access in accesses
        if access.of is None and rules.may(actor, Permission.PLAN_VIEW, access)
    }
    for access in accesses:
        if access.of in seen and rules.may(actor, Permission.MEDICATION_VIEW, access):
            seen[access.of][access.space] = access
    return seen


def no_such(what: str) -> NotFound:
    """Return the error for an absent thing and for one that the actor may not know of."""
    return NotFound(f"There is no such {what}.")

"""Residents: an account, the space of their day, and the profile that every device reads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, structs

from mos.care import rules, store
from mos.care.actions import devices, permit
from mos.care.actions.news import News
from mos.care.actions.noting import note
from mos.care.actions.profile import TOLD, lock_profile, record_profile
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Language, Name, Short, named
from mos.care.model import Actor, Permission, Role
from mos.db import Db, Scope
from mos.kernel.errors import Invalid
from mos.kernel.ids import new_id


class NewResident(Struct, frozen=True, forbid_unknown_fields=True):
    """A resident to add."""

    name: Name
    unit: UUID
    language: Language
    flat: Short = ""


class ResidentChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What may change. An archived resident is signed out, and nothing rings for them any more."""

    name: Name | UnsetType = UNSET
    flat: Short | UnsetType = UNSET
    unit: UUID | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


async def list_residents(db: Db, actor: Actor, now: datetime) -> list[store.Resident]:
    """Return the residents whom the actor manages, archived ones too, by name."""
    reach = await permit.require_reach(db, actor, now)
    return await store.residents_within(db, actor.org, reach)


async def add_resident(
    db: Db, actor: Actor, wanted: NewResident, now: datetime, *, news: News
) -> store.Resident:
    """Add a resident to a unit: account, both spaces and profile. Raises Forbidden or Invalid."""
    unit = await _home(db, actor, wanted.unit, now)
    await require_step_up(db, actor, now)
    account = store.Account(
        id=new_id(now),
        role=Role.RESIDENT,
        name=named(wanted.name),
        email=None,
        language=wanted.language,
        disabled=False,
    )
    resident = store.Resident(
        space=new_id(now),
        account=account.id,
        name=account.name,
        flat=wanted.flat.strip(),
        unit=unit.id,
        language=account.language,
        archived_at=None,
    )
    spaces = (resident.space, store.medication_of(resident.space))
    await db.scope(Scope(org=actor.org, spaces=spaces))
    await store.add_account(db, actor.org, account, now)
    await store.add_resident(db, actor.org, resident)
    note(db, actor, "resident_added", now, of=resident.space, unit=unit.id)
    profile = rules.first_profile(
        name=resident.name, flat=resident.flat, zone=unit.zone, language=resident.language
    )
    news.records(await record_profile(db, actor.org, resident.space, profile, now))
    news.access(await store.supporters(db, actor.org, resident.space, [unit.id]))
    return resident


async def change_resident(  # noqa: PLR0913  one more than five
    db: Db, actor: Actor, space: UUID, change: ResidentChange, now: datetime, *, news: News
) -> store.Resident:
    """Change, move, archive or bring back a resident; raises Forbidden, NotFound or Invalid."""
    await lock_profile(db, actor.org, space)
    before = await permit.managed_resident(db, actor, space, now)
    await require_step_up(db, actor, now)
    after = structs.replace(
        before,
        name=before.name if change.name is UNSET else named(change.name),
        flat=before.flat if change.flat is UNSET else change.flat.strip(),
        unit=before.unit if change.unit is UNSET else change.unit,
        language=before.language if change.language is UNSET else change.language,
        archived_at=before.archived_at
        if change.archived is UNSET
        else (now if change.archived else None),
    )
    if after.unit != before.unit or (before.archived_at and not after.archived_at):
        await _home(db, actor, after.unit, now)
    await store.save_resident(db, actor.org, after, now)
    await _save_account(db, actor.org, after, now)
    fields = ("name", "flat", "unit", "language", "archived_at")
    what = [each for each in fields if getattr(before, each) != getattr(after, each)]
    note(db, actor, "resident_changed", now, of=space, what=what, unit=after.unit)
    told = _profile_changes(before, after)
    if told:
        news.records(await record_profile(db, actor.org, space, told, now))
    news.access(await store.supporters(db, actor.org, space, [before.unit, after.unit]))
    return after


async def list_devices(
    db: Db, actor: Actor, space: UUID, now: datetime
) -> list[store.ResidentDevice]:
    """Return the devices that ring for a resident; raises NotFound. Sets the scope.

    Their ids are for those who may end them.
    """
    await permit.require_sight(db, actor, space, now)
    [resident] = await store.residents_of_spaces(db, actor.org, [space])
    reach = await store.reach(db, actor, now)
    await db.scope(Scope(org=actor.org, spaces=(space,)))
    found = await store.devices_of_residents(db, actor.org, [space])
    if rules.may_manage_unit(reach, resident.unit):
        return found
    return [structs.replace(device, id=None) for device in found]


async def list_all_devices(db: Db, actor: Actor, now: datetime) -> list[store.ResidentDevice]:
    """Return the devices of all residents whose plan the actor sees, without their ids."""
    seen = await store.access(db, actor, now)
    spaces = [each.space for each in seen if rules.may(actor, Permission.PLAN_VIEW, each)]
    await db.widen(spaces)
    found = await store.devices_of_residents(db, actor.org, spaces)
    return [structs.replace(device, id=None) for device in found]


async def wipe_device(  # noqa: PLR0913  one more than five
    db: Db, actor: Actor, space: UUID, device: UUID, now: datetime, *, news: News
) -> None:
    """End a device of a resident's, who may have lost it; raises Forbidden or NotFound.

    Whoever may hand a tablet out may take it back: those who manage the resident.
    """
    resident = await permit.managed_resident(db, actor, space, now)
    await require_step_up(db, actor, now)
    await devices.revoke(db, actor, resident.account, device, now)
    note(db, actor, "device_ended", now, of=device, space=space)
    news.access([resident.account])


async def list_ended_devices(
    db: Db, actor: Actor, space: UUID, now: datetime
) -> list[store.EndedDevice]:
    """Return a resident's devices that were ended lately; raises NotFound."""
    await permit.require_sight(db, actor, space, now)
    found = await store.residents_of_spaces(db, actor.org, [space])
    return await devices.list_ended(db, actor.org, found[0].account, now)


async def _home(db: Db, actor: Actor, unit: UUID, now: datetime) -> store.Unit:
    reach = await permit.require_reach(db, actor, now)
    found = await store.unit_for_update(db, actor.org, unit)
    if found is None or not rules.may_manage_unit(reach, unit):
        raise Invalid("There is no such unit.", field="unit")
    if found.archived_at is not None:
        raise Invalid("This unit is archived.", field="unit")
    return found


async def _save_account(db: Db, org: UUID, resident: store.Resident, now: datetime) -> None:
    account = await store.account(db, org, resident.account)
    if account is None:
        raise permit.no_such("resident")
    archived = resident.archived_at is not None
    after = structs.replace(
        account, name=resident.name, language=resident.language, disabled=archived
    )
    if after != account:
        await store.save_account(db, org, after, now)
    if archived:
        await store.end_sessions(db, org, resident.account, now)
        await store.void_invitations(db, org, resident.account, now)


def _profile_changes(before: store.Resident, after: store.Resident) -> dict[str, Any]:
    return {
        group: getattr(after, group)
        for group in sorted(TOLD)
        if getattr(after, group) != getattr(before, group)
    }

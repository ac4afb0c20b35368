"""Units: group homes, wards, the household."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, structs

from mos.care import store
from mos.care.actions import duty, permit
from mos.care.actions.news import News
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Language, Name, Zone, known_zone, named
from mos.care.model import Actor
from mos.db import Db
from mos.kernel.errors import Conflict
from mos.kernel.ids import new_id


class NewUnit(Struct, frozen=True, forbid_unknown_fields=True):
    """A unit to add."""

    name: Name
    zone: Zone
    language: Language


class UnitChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What may change in a unit. A unit can be archived once nobody lives there."""

    name: Name | UnsetType = UNSET
    zone: Zone | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


async def list_units(db: Db, actor: Actor, now: datetime) -> list[store.Unit]:
    """Return the units that the actor manages, archived ones too, by name."""
    reach = await permit.require_reach(db, actor, now)
    return await store.units_within(db, actor.org, reach)


async def add_unit(
    db: Db, actor: Actor, wanted: NewUnit, now: datetime, *, news: News
) -> store.Unit:
    """Add a unit; administrators only."""
    permit.require_admin(actor)
    await require_step_up(db, actor, now)
    zone = known_zone(wanted.zone)
    unit = store.Unit(new_id(now), named(wanted.name), zone, wanted.language, archived_at=None)
    await store.add_unit(db, actor.org, unit, now)
    news.access(await store.concerned_by_unit(db, actor.org, unit.id))
    return unit


async def change_unit(  # noqa: PLR0913  one more than five
    db: Db, actor: Actor, unit: UUID, change: UnitChange, now: datetime, *, news: News
) -> store.Unit:
    """Change a unit; raises Conflict when residents still live where it should be archived."""
    before = await permit.managed_unit(db, actor, unit, now)
    await require_step_up(db, actor, now)
    after = structs.replace(
        before,
        name=before.name if change.name is UNSET else named(change.name),
        zone=before.zone if change.zone is UNSET else known_zone(change.zone),
        language=before.language if change.language is UNSET else change.language,
        archived_at=before.archived_at
        if change.archived is UNSET
        else (now if change.archived else None),
    )
    if after.archived_at is not None and before.archived_at is None:
        await _require_empty(db, actor.org, unit)
    await store.save_unit(db, actor.org, after)
    if after.zone != before.zone:
        # Turns on call begin by the clock on the unit's wall.
        await duty.renew(db, actor.org, [unit], now)
    news.access(await store.concerned_by_unit(db, actor.org, unit))
    return after


async def _require_empty(db: Db, org: UUID, unit: UUID) -> None:
    number = await store.residents_in_unit(db, org, unit)
    if number:
        who = "1 resident lives" if number == 1 else f"{number} residents live"
        raise Conflict(
            f"{who} in this unit: move them to another unit or archive them first.",
            code="unit_has_residents",
        )

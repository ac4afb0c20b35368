"""The organisation and its units."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care.model import Actor, Policy, Reach, Role
from mos.care.store.rows import Number, there
from mos.db import Db, Queries

_sql = Queries(__package__, "organisations.sql")


class Organisation(Struct, frozen=True):
    """A care provider or a household."""

    id: UUID
    name: str
    policy: Policy
    zone: str
    language: str


class Unit(Struct, frozen=True):
    """A group home, a ward, or the home itself."""

    id: UUID
    name: str
    zone: str
    language: str
    archived_at: datetime | None


_ORGANISATION = _sql.query("organisation", Organisation)
_LOCK_ORGANISATION = _sql.query("lock_organisation", Organisation)
_ADD_ORGANISATION = _sql.command("add_organisation")
_UNITS_WITHIN = _sql.query("units_within", Unit)
_UNITS_OF_ACTOR = _sql.query("units_of_actor", Unit)
_UNIT_FOR_UPDATE = _sql.query("unit_for_update", Unit)
_ADD_UNIT = _sql.command("add_unit")
_SAVE_UNIT = _sql.command("save_unit")
_RESIDENTS_IN_UNIT = _sql.query("residents_in_unit", Number)


async def organisation(db: Db, org: UUID) -> Organisation:
    """Return the organisation of the transaction's scope."""
    row = await db.one(_ORGANISATION, org=org)
    return there(row)


async def has_organisation(db: Db, org: UUID) -> bool:
    """Say whether there is such an organisation in the transaction's scope."""
    return await db.one(_ORGANISATION, org=org) is not None


async def lock_organisation(db: Db, org: UUID) -> Organisation:
    """Return the organisation, and let nobody else who locks it pass until the transaction ends."""
    row = await db.one(_LOCK_ORGANISATION, org=org)
    return there(row)


async def add_organisation(db: Db, organisation: Organisation, now: datetime) -> None:
    """Add an organisation; the transaction's scope must be this one."""
    await db.run(
        _ADD_ORGANISATION,
        org=organisation.id,
        name=organisation.name,
        policy=organisation.policy.value,
        zone=organisation.zone,
        language=organisation.language,
        now=now,
    )


async def units_within(db: Db, org: UUID, reach: Reach) -> list[Unit]:
    """Return the units within `reach`, archived ones too, by name."""
    return await db.all(
        _UNITS_WITHIN, org=org, everything=reach.everything, units=list(reach.units)
    )


async def units_of_actor(db: Db, actor: Actor, spaces: list[UUID], now: datetime) -> list[Unit]:
    """Return the units that the actor has to do with: all for an administrator."""
    return await db.all(
        _UNITS_OF_ACTOR,
        org=actor.org,
        account=actor.account,
        everything=actor.role is Role.ADMIN,
        spaces=spaces,
        now=now,
    )


async def unit_for_update(db: Db, org: UUID, unit: UUID) -> Unit | None:
    """Return a unit, locked until the transaction ends, or None."""
    return await db.one(_UNIT_FOR_UPDATE, org=org, unit=unit)


async def add_unit(db: Db, org: UUID, unit: Unit, now: datetime) -> None:
    """Add a unit."""
    await db.run(
        _ADD_UNIT,
        org=org,
        unit=unit.id,
        name=unit.name,
        zone=unit.zone,
        language=unit.language,
        now=now,
    )


async def save_unit(db: Db, org: UUID, unit: Unit) -> None:
    """Write a unit's present values."""
    await db.run(
        _SAVE_UNIT,
        org=org,
        unit=unit.id,
        name=unit.name,
        zone=unit.zone,
        language=unit.language,
        archived_at=unit.archived_at,
    )


async def residents_in_unit(db: Db, org: UUID, unit: UUID) -> int:
    """Return how many residents live in a unit."""
    row = await db.one(_RESIDENTS_IN_UNIT, org=org, unit=unit)
    return there(row).number

"""Residents, and the spaces of their days."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care.model import Reach
from mos.care.store.rows import Id
from mos.db import Db, Queries
from mos.kernel.ids import named_id

_sql = Queries(__package__, "residents.sql")


class Resident(Struct, frozen=True):
    """A person whose day is planned."""

    space: UUID
    account: UUID
    name: str
    flat: str
    unit: UUID
    language: str
    archived_at: datetime | None


class Home(Struct, frozen=True):
    """Whose a space is: the space of the resident's day (perhaps itself), and their account."""

    space: UUID
    home: UUID
    account: UUID


class Named(Struct, frozen=True):
    """What a profile says of who a resident is; None: nothing."""

    space: UUID
    name: str | None
    flat: str | None
    language: str | None


_RESIDENTS_WITHIN = _sql.query("residents_within", Resident)
_RESIDENTS_OF_SPACES = _sql.query("residents_of_spaces", Resident)
_RESIDENT_FOR_UPDATE = _sql.query("resident_for_update", Resident)
_RESIDENT_OF_ACCOUNT = _sql.query("resident_of_account", Resident)
_HOMES_OF_SPACES = _sql.query("homes_of_spaces", Home)
_ADD_SPACES = _sql.command("add_spaces")
_ADD_RESIDENT = _sql.command("add_resident")
_SAVE_RESIDENT = _sql.command("save_resident")
_LOCK_SPACE = _sql.query("lock_space", Id)
_FOLLOW_PROFILES = _sql.command("follow_profiles")
_SPACES_OF_ORGANISATION = _sql.query("spaces_of_organisation", Id)


async def residents_within(db: Db, org: UUID, reach: Reach) -> list[Resident]:
    """Return the residents within `reach`, archived ones too, by name."""
    return await db.all(
        _RESIDENTS_WITHIN, org=org, everything=reach.everything, units=list(reach.units)
    )


async def residents_of_spaces(db: Db, org: UUID, spaces: list[UUID]) -> list[Resident]:
    """Return the residents whose spaces these are, by name."""
    return await db.all(_RESIDENTS_OF_SPACES, org=org, spaces=spaces)


async def homes_of_spaces(db: Db, org: UUID, spaces: Collection[UUID]) -> dict[UUID, Home]:
    """Return whose these spaces are, by space."""
    found = await db.all(_HOMES_OF_SPACES, org=org, spaces=sorted(spaces))
    return {home.space: home for home in found}


async def spaces_of_organisation(db: Db, org: UUID) -> list[UUID]:
    """Return both spaces of everybody who lives in the organisation."""
    return [row.id for row in await db.all(_SPACES_OF_ORGANISATION, org=org)]


def medication_of(space: UUID) -> UUID:
    """Return the space of a resident's medication; `space` holds their day."""
    return named_id(space, "medication")


async def resident_for_update(db: Db, org: UUID, space: UUID) -> Resident | None:
    """Return a resident, locked until the transaction ends, or None."""
    return await db.one(_RESIDENT_FOR_UPDATE, org=org, space=space)


async def resident_of_account(db: Db, org: UUID, account: UUID) -> Resident | None:
    """Return the resident who is this account, or None."""
    return await db.one(_RESIDENT_OF_ACCOUNT, org=org, account=account)


async def add_resident(db: Db, org: UUID, resident: Resident) -> None:
    """Add a resident and their two spaces, which the scope must show."""
    medication = medication_of(resident.space)
    await db.run(_ADD_SPACES, org=org, space=resident.space, medication=medication)
    await db.run(
        _ADD_RESIDENT,
        org=org,
        space=resident.space,
        medication=medication,
        account=resident.account,
        unit=resident.unit,
        flat=resident.flat,
    )


async def save_resident(db: Db, org: UUID, resident: Resident, now: datetime) -> None:
    """Write where a resident lives and whether they are archived.

    The unit that they lived in until `now` stays known.
    """
    await db.run(
        _SAVE_RESIDENT,
        org=org,
        space=resident.space,
        unit=resident.unit,
        flat=resident.flat,
        archived_at=resident.archived_at,
        now=now,
    )


async def lock_space(db: Db, org: UUID, space: UUID) -> None:
    """Let nobody else write into a space of the scope until the transaction ends."""
    await db.one(_LOCK_SPACE, org=org, space=space)


async def follow_profiles(db: Db, org: UUID, profiles: list[Named]) -> None:
    """Let residents be called, live and speak as their profiles say."""
    await db.run(
        _FOLLOW_PROFILES,
        org=org,
        spaces=[profile.space for profile in profiles],
        names=[profile.name for profile in profiles],
        flats=[profile.flat for profile in profiles],
        languages=[profile.language for profile in profiles],
    )

"""Residents, and the spaces of their days."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct, structs

from mos.care.model import Reach
from mos.care.store.rows import Id
from mos.db import Db, Queries
from mos.kernel.ids import named_id
from mos.privacy import texts
from mos.privacy.texts import Text

_sql = Queries(__package__, "residents.sql")
# Where a flat lies, sealed under its resident's key.
_FLAT = "resident|flat"


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
    found = await db.all(
        _RESIDENTS_WITHIN, org=org, everything=reach.everything, units=list(reach.units)
    )
    return await _opened(db, org, found)


async def residents_of_spaces(db: Db, org: UUID, spaces: list[UUID]) -> list[Resident]:
    """Return the residents whose spaces these are, by name."""
    return await _opened(db, org, await db.all(_RESIDENTS_OF_SPACES, org=org, spaces=spaces))


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
    found = await db.one(_RESIDENT_FOR_UPDATE, org=org, space=space)
    return None if found is None else (await _opened(db, org, [found]))[0]


async def resident_of_account(db: Db, org: UUID, account: UUID) -> Resident | None:
    """Return the resident who is this account, or None."""
    found = await db.one(_RESIDENT_OF_ACCOUNT, org=org, account=account)
    return None if found is None else (await _opened(db, org, [found]))[0]


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
        flat=(await sealed_flats(db, org, [resident]))[0],
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
        flat=(await sealed_flats(db, org, [resident]))[0],
        archived_at=resident.archived_at,
        now=now,
    )


async def lock_space(db: Db, org: UUID, space: UUID) -> None:
    """Let nobody else write into a space of the scope until the transaction ends."""
    await db.one(_LOCK_SPACE, org=org, space=space)


async def follow_profiles(db: Db, org: UUID, profiles: list[Named]) -> None:
    """Let residents be called, live and speak as their profiles say."""
    accounts = await texts.residents_of(db, org, [profile.space for profile in profiles])
    flats = [
        Text(profile.space, profile.flat or "", (accounts.get(profile.space, org),))
        for profile in profiles
    ]
    sealed = await texts.sealed(db, org, _FLAT, flats)
    await db.run(
        _FOLLOW_PROFILES,
        org=org,
        spaces=[profile.space for profile in profiles],
        names=[profile.name for profile in profiles],
        flats=[
            None if profile.flat is None else flat
            for profile, flat in zip(profiles, sealed, strict=True)
        ],
        languages=[profile.language for profile in profiles],
    )


async def sealed_flats(db: Db, org: UUID, residents: Sequence[Resident]) -> list[str]:
    """Return where residents live, as it is to lie in the database."""
    return await texts.sealed(db, org, _FLAT, [_flat(each) for each in residents])


async def _opened(db: Db, org: UUID, residents: Sequence[Resident]) -> list[Resident]:
    flats = await texts.shown(db, org, _FLAT, [_flat(each) for each in residents])
    return [structs.replace(each, flat=flat) for each, flat in zip(residents, flats, strict=True)]


def _flat(resident: Resident) -> Text:
    return Text(resident.space, resident.flat, (resident.account,))

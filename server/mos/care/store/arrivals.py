"""Many people at once, as an import brings them: one statement for all of a kind."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from mos.care.store.accounts import Account
from mos.care.store.contacts import sealed_addresses
from mos.care.store.relations import Relation, sealed_consents
from mos.care.store.residents import Resident, medication_of, sealed_flats
from mos.db import Db, Queries
from mos.kernel.ids import new_id
from mos.privacy.texts import Text

_sql = Queries(__package__, "arrivals.sql")
_ADD_ACCOUNTS = _sql.command("add_accounts")
_ADD_HOMES = _sql.command("add_homes")
_ADD_RELATIONS = _sql.command("add_relations")
_ADD_PHONES = _sql.command("add_phones")


async def add_accounts(db: Db, org: UUID, accounts: Sequence[Account], now: datetime) -> None:
    """Add people who can sign in. Raises UniqueViolation for an address that is taken."""
    await db.run(
        _ADD_ACCOUNTS,
        org=org,
        ids=[each.id for each in accounts],
        roles=[each.role for each in accounts],
        names=[each.name for each in accounts],
        emails=[each.email for each in accounts],
        languages=[each.language for each in accounts],
        disabled=[each.disabled for each in accounts],
        now=now,
    )


async def add_residents(db: Db, org: UUID, residents: Sequence[Resident]) -> None:
    """Add residents to accounts that are there, with both their spaces."""
    await db.run(
        _ADD_HOMES,
        org=org,
        spaces=[each.space for each in residents],
        medications=[medication_of(each.space) for each in residents],
        accounts=[each.account for each in residents],
        units=[each.unit for each in residents],
        flats=await sealed_flats(db, org, residents),
        archived=[each.archived_at for each in residents],
    )


async def add_relations(db: Db, org: UUID, relations: Sequence[Relation]) -> None:
    """Add who may do what for whom."""
    await db.run(
        _ADD_RELATIONS,
        org=org,
        ids=[each.id for each in relations],
        accounts=[each.account for each in relations],
        spaces=[each.space for each in relations],
        units=[each.unit for each in relations],
        permissions=[" ".join(each.permissions) for each in relations],
        primaries=[each.is_primary for each in relations],
        consents=await sealed_consents(db, org, relations),
        froms=[each.valid_from for each in relations],
        tos=[each.valid_to for each in relations],
    )


async def add_phones(db: Db, org: UUID, numbers: Sequence[tuple[UUID, str]], now: datetime) -> None:
    """Add (account, number in E.164) as contacts that nobody has proved yet."""
    lying = [Text(new_id(now), number, (account,)) for account, number in numbers]
    sealed, digests = await sealed_addresses(db, org, lying)
    await db.run(
        _ADD_PHONES,
        org=org,
        ids=[each.row for each in lying],
        accounts=[account for account, _ in numbers],
        addresses=sealed,
        digests=digests,
        now=now,
    )

"""Who may do what for whom, and from when until when."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct, structs

from mos.care.model import Permission, Reach
from mos.care.store.rows import Id
from mos.db import Db, Queries
from mos.privacy import texts
from mos.privacy.texts import Text

_sql = Queries(__package__, "relations.sql")
# Where a consent lies: under the key of whoever has it, and of the resident whom it is about.
_CONSENT = "relation|consent"


class Relation(Struct, frozen=True):
    """Who may do what, for one resident (`space`) or for all residents of a unit (`unit`)."""

    id: UUID
    account: UUID
    space: UUID | None
    unit: UUID | None
    permissions: list[str]
    is_primary: bool
    consent: str
    valid_from: datetime
    valid_to: datetime | None


_RELATIONS_WITHIN = _sql.query("relations_within", Relation)
_RELATION_FOR_UPDATE = _sql.query("relation_for_update", Relation)
_SUPPORTERS = _sql.query("supporters", Id)
_ACQUAINTED = _sql.query("acquainted", Id)
_CONCERNED_BY_UNIT = _sql.query("concerned_by_unit", Id)
_ADD_RELATION = _sql.command("add_relation")
_SAVE_RELATION = _sql.command("save_relation")
_NO_PRIMARY = _sql.command("no_primary")
_CUT_RELATIONS = _sql.command("cut_relations")
_REMOVE_RELATION = _sql.command("remove_relation")


async def relations_within(db: Db, org: UUID, reach: Reach, now: datetime) -> list[Relation]:
    """Return the relations within `reach` that have not ended at `now`, oldest first."""
    found = await db.all(
        _RELATIONS_WITHIN, org=org, everything=reach.everything, units=list(reach.units), now=now
    )
    return await _opened(db, org, found)


async def relation_for_update(db: Db, org: UUID, relation: UUID) -> Relation | None:
    """Return a relation, locked until the transaction ends, or None."""
    found = await db.one(_RELATION_FOR_UPDATE, org=org, relation=relation)
    return None if found is None else (await _opened(db, org, [found]))[0]


async def supporters(db: Db, org: UUID, space: UUID, units: list[UUID]) -> list[UUID]:
    """Return the accounts that a resident's coming, moving or going concerns, their own too."""
    return [row.id for row in await db.all(_SUPPORTERS, org=org, space=space, units=units)]


async def acquainted(db: Db, org: UUID, account: UUID) -> list[UUID]:
    """Return the accounts that may show this one by name, and itself."""
    return [row.id for row in await db.all(_ACQUAINTED, org=org, account=account)]


async def concerned_by_unit(db: Db, org: UUID, unit: UUID) -> list[UUID]:
    """Return the accounts that may show a unit by name."""
    return [row.id for row in await db.all(_CONCERNED_BY_UNIT, org=org, unit=unit)]


async def add_relation(db: Db, org: UUID, relation: Relation) -> None:
    """Add a relation."""
    await db.run(
        _ADD_RELATION,
        org=org,
        relation=relation.id,
        account=relation.account,
        space=relation.space,
        unit=relation.unit,
        permissions=relation.permissions,
        is_primary=relation.is_primary,
        consent=(await sealed_consents(db, org, [relation]))[0],
        valid_from=relation.valid_from,
        valid_to=relation.valid_to,
    )


async def save_relation(db: Db, org: UUID, relation: Relation, now: datetime) -> None:
    """Write what can change in a relation: permissions, contact person, consent, end.

    The permissions that it had until `now` stay known.
    """
    await db.run(
        _SAVE_RELATION,
        org=org,
        relation=relation.id,
        permissions=relation.permissions,
        is_primary=relation.is_primary,
        consent=(await sealed_consents(db, org, [relation]))[0],
        valid_to=relation.valid_to,
        now=now,
    )


async def no_primary(db: Db, org: UUID, space: UUID, *, but: UUID) -> None:
    """Take the contact person's mark from every relation to this resident except `but`."""
    await db.run(_NO_PRIMARY, org=org, space=space, relation=but)


async def cut_relations(
    db: Db, org: UUID, account: UUID, now: datetime, *, kept: frozenset[Permission]
) -> None:
    """Leave an account's live relations only what is in `kept`; end those left with nothing."""
    await db.run(_CUT_RELATIONS, org=org, account=account, kept=sorted(kept), now=now)


async def remove_relation(db: Db, org: UUID, relation: UUID) -> None:
    """Remove a relation that never began."""
    await db.run(_REMOVE_RELATION, org=org, relation=relation)


async def sealed_consents(db: Db, org: UUID, relations: Sequence[Relation]) -> list[str]:
    """Return what relations rest on, as it is to lie in the database."""
    return await texts.sealed(db, org, _CONSENT, await _consents(db, org, relations))


async def _opened(db: Db, org: UUID, relations: Sequence[Relation]) -> list[Relation]:
    consents = await texts.shown(db, org, _CONSENT, await _consents(db, org, relations))
    return [
        structs.replace(each, consent=consent)
        for each, consent in zip(relations, consents, strict=True)
    ]


async def _consents(db: Db, org: UUID, relations: Sequence[Relation]) -> list[Text]:
    spaces = {each.space for each in relations if each.space is not None and each.consent}
    residents = await texts.residents_of(db, org, spaces)
    return [
        Text(each.id, each.consent, about(each.account, residents.get(each.space or each.id)))
        for each in relations
    ]


def about(account: UUID, resident: UUID | None) -> tuple[UUID, ...]:
    """Return whom the consent of a relation is about; of a whole unit it is about one alone."""
    return (account,) if resident is None else (account, resident)

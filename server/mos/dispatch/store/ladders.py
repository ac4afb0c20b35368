"""Ladders that people chose, and the people whom their steps may tell."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import By, Ladder, Person
from mos.dispatch.rules import Ladders, is_quiet, read_steps, write_steps

# Who holds this permission in a relation may be called.
_MAY_TAKE = "alert.take"

# How a row says that it is for every category, or every criticality.
EVERY = "*"

_sql = Queries(__package__, "ladders.sql")


class _Ladder(Struct, frozen=True):
    org: UUID
    space: UUID | None
    category: str
    criticality: str
    steps: list[Any]


class _Person(Struct, frozen=True):
    org: UUID
    space: UUID
    at: datetime
    account: UUID
    is_primary: bool
    covers_unit: bool
    decides: bool
    sees: bool
    on_duty: bool
    quiet_from: str | None
    quiet_to: str | None
    quiet_zone: str | None
    channels: list[By]


class Template(Struct, frozen=True):
    """An organisation's ladder for residents who have none of their own; `*` is every one."""

    category: str
    criticality: str
    steps: list[Any]
    changed_by: UUID
    changed_at: datetime

    @property
    def ladder(self) -> Ladder:
        """What it says."""
        return Ladder(_one(self.category), _one(self.criticality), read_steps(self.steps))


_LADDERS_FOR = _sql.query("ladders_for", _Ladder)
_SAVE_LADDERS = _sql.command("save_ladders")
_LOOK_AGAIN = (
    _sql.command("look_again_at_occurrences"),
    _sql.command("look_again_at_alerts"),
)
_TEMPLATES_OF = _sql.query("templates_of", Template)
_SAVE_TEMPLATE = _sql.command("save_template")
_REMOVE_TEMPLATE = _sql.command("remove_template")
_PEOPLE_OF = _sql.query("people_of", _Person)


async def ladders_for(db: Db, spaces: Sequence[tuple[UUID, UUID]]) -> Ladders:
    """Return the ladders that people chose for these spaces (organisation, space)."""
    own: dict[UUID, list[Ladder]] = defaultdict(list)
    templates: dict[UUID, list[Ladder]] = defaultdict(list)
    rows = await db.all(
        _LADDERS_FOR, orgs=[org for org, _ in spaces], spaces=[space for _, space in spaces]
    )
    for row in rows:
        ladder = Ladder(_one(row.category), _one(row.criticality), read_steps(row.steps))
        (templates[row.org] if row.space is None else own[row.space]).append(ladder)
    return Ladders(own, templates)


async def save_ladders(db: Db, org: UUID, ladders: Sequence[tuple[UUID, Ladder]]) -> None:
    """Keep what the records of ladders (space, ladder) say; one without steps goes."""
    await db.run(
        _SAVE_LADDERS,
        org=org,
        spaces=[space for space, _ in ladders],
        categories=[ladder.category or EVERY for _, ladder in ladders],
        criticalities=[ladder.criticality or EVERY for _, ladder in ladders],
        # Wrapped: of lists of lists the driver would make an array of two dimensions.
        docs=[{"steps": write_steps(ladder.steps)} for _, ladder in ladders],
    )


async def look_again(db: Db, org: UUID, spaces: Sequence[UUID], now: datetime) -> None:
    """Let the engine look at once at what is open in these spaces: their ladders have changed."""
    for statement in _LOOK_AGAIN:
        await db.run(statement, org=org, spaces=spaces, now=now)


async def templates_of(db: Db, org: UUID) -> list[Template]:
    """Return an organisation's templates."""
    return await db.all(_TEMPLATES_OF, org=org)


async def save_template(db: Db, org: UUID, ladder: Ladder, *, by: UUID, now: datetime) -> None:
    """Make or replace an organisation's template for the ladder's category and criticality."""
    await db.run(
        _SAVE_TEMPLATE,
        org=org,
        category=ladder.category or EVERY,
        criticality=ladder.criticality or EVERY,
        steps=write_steps(ladder.steps),
        by=by,
        now=now,
    )


async def remove_template(db: Db, org: UUID, category: str | None, criticality: str | None) -> bool:
    """Remove a template; return whether there was one."""
    removed = await db.run(
        _REMOVE_TEMPLATE, org=org, category=category or EVERY, criticality=criticality or EVERY
    )
    return removed > 0


async def people_of(
    db: Db, asked: Sequence[tuple[UUID, UUID, datetime]]
) -> dict[tuple[UUID, datetime], list[Person]]:
    """Return who may take alerts of what is in spaces (organisation, space) at moments.

    By space and moment, as relations, duties and quiet hours are then.
    """
    found: dict[tuple[UUID, datetime], list[Person]] = defaultdict(list)
    rows = await db.all(
        _PEOPLE_OF,
        orgs=[org for org, _, _ in asked],
        spaces=[space for _, space, _ in asked],
        ats=[at for _, _, at in asked],
        permission=_MAY_TAKE,
    )
    for row in rows:
        found[row.space, row.at].append(
            Person(
                account=row.account,
                is_primary=row.is_primary,
                covers_unit=row.covers_unit,
                decides=row.decides,
                sees=row.sees,
                on_duty=row.on_duty,
                is_quiet=is_quiet(row.quiet_from, row.quiet_to, row.quiet_zone, row.at),
                channels=tuple(row.channels),
            )
        )
    return found


def _one(word: str) -> str | None:
    return None if word == EVERY else word

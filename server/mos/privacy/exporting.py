"""What there is of a person, table by table, as the declarations say (Articles 15 and 20).

The statements are made of declared names: a table that is declared tomorrow is given tomorrow, and
none can be forgotten. A test runs one for every table.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import NoneType
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.db.queries import Query
from mos.privacy.declaring import Table

# Rows at a time: so much is in memory.
PAGE = 500

_sql = Queries(__package__, "exporting.sql")


class _Key(Struct, frozen=True):
    name: str
    columns: list[str]


_PRIMARY_KEYS = _sql.query("primary_keys", _Key)


async def keys_of(db: Db) -> Mapping[str, list[str]]:
    """Return the primary key of each table, without the organisation."""
    return {row.name: row.columns for row in await db.all(_PRIMARY_KEYS)}


async def rows(  # noqa: PLR0913, PLR0917  of whom, of what
    db: Db,
    table: Table,
    org: UUID,
    subjects: Sequence[UUID],
    key: Sequence[str],
    spaces: Sequence[UUID] = (),
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield what a table holds of `subjects` (accounts or spaces, as it says), in pages.

    And of `spaces`, where it is of their residents, too.

    Each row has the columns that a person is given, sealed ones as they lie, and those of `key`, by
    which the pages go on. The scope must show them.
    """
    columns = list(dict.fromkeys((*table.given, *key)))
    last: list[Any] | None = None
    while True:
        query = _statement(table, columns, key, first=last is None)
        more: dict[str, Any] = {f"k{n}": value for n, value in enumerate(last or ())}
        if table.also is not None:
            more["spaces"] = list(spaces)
        found = await db.records(query, org=org, subjects=list(subjects), limit=PAGE, **more)
        if found:
            yield [dict(row) for row in found]
        if len(found) < PAGE:
            return
        last = [found[-1][name] for name in key]


def _statement(
    table: Table, columns: Sequence[str], key: Sequence[str], *, first: bool
) -> Query[None]:
    """Return the statement of a page. Names come from declarations and the catalogue alone."""
    if table.of is None:
        raise ValueError(f"{table.name} says of nobody whose its rows are")
    params = ["org", "subjects", "limit"]
    whose = f'"{table.of}" = ANY ($2::uuid[])'
    if table.also is not None:
        params.append("spaces")
        whose = f'({whose} OR "{table.also}" = ANY (${len(params)}::uuid[]))'
    where = f"org_id = $1 AND {whose}"
    order = ", ".join(f'"{name}"' for name in key)
    if not first:
        start = len(params) + 1
        holes = ", ".join(f"${n}" for n in range(start, start + len(key)))
        where += f" AND ({order}) > ({holes})"
        params += [f"k{n}" for n in range(len(key))]
    names = ", ".join(f'"{name}"' for name in columns)
    name = f"{__package__}.export_{table.name}"
    sql = f'SELECT {names} FROM "{table.name}" WHERE {where} ORDER BY {order} LIMIT $3'  # noqa: S608
    return Query(name, f"/* {name} */ {sql}", tuple(params), NoneType)

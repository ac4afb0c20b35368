"""Reads an earlier MOS's database, and changes nothing in it."""

import msgspec
from msgspec import Struct, structs

from mos.db import Queries, connect
from mos.ops.import_mos1.model import Assigned, Diet, Earlier, Given, OldReminder, User

_sql = Queries(__package__, "source.sql")


class _Number(Struct, frozen=True):
    number: int


_ONLY_READ = _sql.command("only_read")
_TABLES = _sql.query("tables", _Number)
_USERS = _sql.query("users", User)
_GIVEN = _sql.query("given", Given)
_ASSIGNED = _sql.query("assigned", Assigned)
_REMINDERS = _sql.query("reminders", OldReminder)
_DIETS = _sql.query("diets", Diet)
_NEEDED = 5


class NotMos1(Exception):
    """The database is not that of an earlier MOS."""


async def read(dsn: str) -> Earlier:
    """Return all that the database at `dsn` holds. Raises NotMos1, and what the driver raises."""
    pool = await connect(dsn, size=1)
    try:
        async with pool.transaction() as db:
            await db.run(_ONLY_READ)
            found = await db.one(_TABLES)
            if found is None or found.number != _NEEDED:
                raise NotMos1
            return Earlier(
                users=await db.all(_USERS),
                given=await db.all(_GIVEN),
                assigned=await db.all(_ASSIGNED),
                reminders=[_decoded(each) for each in await db.all(_REMINDERS)],
                diets=await db.all(_DIETS),
            )
    finally:
        await pool.close()


def _decoded(reminder: OldReminder) -> OldReminder:
    if reminder.recurrence is None:
        return reminder
    return structs.replace(reminder, recurrence=msgspec.json.decode(reminder.recurrence))

"""The migration runner against a real server: once, whole, and never on what it does not know."""

import asyncio
import itertools

import asyncpg
import pytest

from mos.db import migrate as runner
from mos.db.migrate import Migration, MigrationError, migrate, migrations, status

_numbers = itertools.count(1)


@pytest.fixture
async def dsn(empty_cluster):
    """The address of an empty database of its own."""
    name = f"migrate_{next(_numbers)}"
    admin = await asyncpg.connect(empty_cluster.dsn(database="postgres"))
    await admin.execute(f"CREATE DATABASE {name}")
    yield empty_cluster.dsn(database=name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def sql(dsn, statement, *args):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(statement, *args)
    finally:
        await connection.close()


async def test_an_empty_database_is_brought_up_to_date_once(dsn):
    before = await status(dsn)
    first = await migrate(dsn)
    second = await migrate(dsn)
    after = await status(dsn)

    assert before.pending == first == migrations()
    assert second == after.pending == []
    assert after.applied == migrations()


async def test_two_starts_at_once_apply_each_migration_once(dsn):
    applied = await asyncio.gather(migrate(dsn), migrate(dsn), migrate(dsn))

    assert sorted(len(some) for some in applied) == [0, 0, len(migrations())]


async def test_a_newer_schema_is_refused_in_one_sentence(dsn):
    await migrate(dsn)
    await sql(dsn, "INSERT INTO schema_migration VALUES (9001, '9001_later_expand.sql', 'x')")

    for attempt in (migrate, status):
        with pytest.raises(MigrationError, match="made by a newer MOS") as refusal:
            await attempt(dsn)
        assert "\n" not in str(refusal.value)


async def test_an_altered_migration_is_refused(dsn):
    await migrate(dsn)
    await sql(dsn, "UPDATE schema_migration SET checksum = 'other'")

    with pytest.raises(MigrationError, match="differs from the one this database was made with"):
        await migrate(dsn)


async def test_a_failing_migration_leaves_nothing_of_itself(dsn, monkeypatch):
    bad = Migration(9001, "9001_bad_expand.sql", "CREATE TABLE half (); SELECT 1/0")
    known = migrations()
    monkeypatch.setattr(runner, "migrations", lambda *_: [*known, bad])

    with pytest.raises(MigrationError, match=r"9001_bad_expand\.sql failed: division by zero"):
        await migrate(dsn)

    assert (await sql(dsn, "SELECT to_regclass('half') AS t"))[0]["t"] is None
    assert (await status(dsn)).pending == [bad]


async def test_a_table_that_stays_locked_is_named_not_waited_for(dsn, monkeypatch):
    await migrate(dsn)
    more = Migration(9001, "9001_more_expand.sql", "ALTER TABLE unit ADD COLUMN more text")
    known = migrations()
    monkeypatch.setattr(runner, "migrations", lambda *_: [*known, more])
    monkeypatch.setattr(runner, "_LOCK_TIMEOUT", "20ms")
    holder = await asyncpg.connect(dsn)
    async with holder.transaction():
        await holder.execute("LOCK TABLE unit")
        with pytest.raises(MigrationError, match="could not get a table's lock"):
            await migrate(dsn)
    await holder.close()

    assert await migrate(dsn) == [more]


async def test_a_login_without_the_right_to_make_roles_is_told_what_to_do(dsn, empty_cluster):
    name = dsn.split("/")[3].split("?")[0]
    await migrate(dsn)  # makes the roles of the whole server, whichever test comes first
    await sql(dsn, "CREATE ROLE small LOGIN")
    await sql(dsn, f"GRANT ALL ON DATABASE {name} TO small")
    try:
        await sql(dsn, "GRANT ALL ON SCHEMA public TO small")
        await sql(dsn, "GRANT SELECT ON schema_migration TO small")
        with pytest.raises(MigrationError, match="give it CREATEROLE"):
            await migrate(empty_cluster.dsn("small", name))
    finally:
        await sql(dsn, "DROP OWNED BY small")
        await sql(dsn, "DROP ROLE small")


def test_migrations_are_numbered_without_gaps_and_say_their_kind():
    names = [migration.name for migration in migrations()]

    assert [migration.number for migration in migrations()] == list(range(1, len(names) + 1))
    assert all(name.endswith(("_expand.sql", "_contract.sql")) for name in names)

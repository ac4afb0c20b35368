"""What a transaction promises, on a real server."""

import asyncio

import pytest
from builders import a_home
from msgspec import Struct

from mos.db import DbError, Scope, UniqueViolation, may_pass
from mos.db.queries import Query


class Count(Struct, frozen=True):
    n: int


class Setting(Struct, frozen=True):
    org: str


UNITS = Query("test.units", "SELECT count(*) AS n FROM unit", (), Count)
PRESENT_ORG = Query("test.org", "SELECT current_setting('mos.org', true) AS org", (), Setting)
OWN_PID = Query("test.pid", "SELECT pg_backend_pid()", (), type(None))
ADD_UNIT = Query(
    "test.add_unit",
    "INSERT INTO unit (org_id, unit_id, name, zone, language, created_at) "
    "SELECT org_id, unit_id, 'Again', zone, language, created_at FROM unit",
    (),
    type(None),
)
RENAME = Query("test.rename", "UPDATE unit SET name = $1", ("name",), type(None))


@pytest.mark.parametrize(
    ("statement", "argument", "passes"),
    [
        ("SELECT 1 / $1::int", 0, False),
        ("INSERT INTO unit (name) VALUES ($1)", "x", False),
        ("SELECT $1::int", "no number", False),
        ("SELECT pg_terminate_backend(pg_backend_pid()), $1::int", 1, True),
        ("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep($1)", 5, True),
    ],
)
async def test_what_may_pass_is_told_from_what_will_fail_again(
    database, statement, argument, passes
):
    query = Query("test.fails", statement, ("value",), type(None))
    with pytest.raises(Exception) as outside:  # noqa: PT011  whatever the driver makes of it
        async with database.app.transaction() as db:
            with pytest.raises(Exception) as inside:  # noqa: PT011
                await db.records(query, value=argument)
            raise inside.value

    assert (may_pass(inside.value), may_pass(outside.value)) == (passes, passes)


async def test_a_transaction_commits_at_the_end_and_rolls_back_on_an_error(database):
    home = await a_home(database)
    async with database.app.transaction(Scope(home.org)) as db:
        assert await db.run(RENAME, name="Linden") == 1
    with pytest.raises(ZeroDivisionError):
        async with database.app.transaction(Scope(home.org)) as db:
            await db.run(RENAME, name="Lost")
            raise ZeroDivisionError

    assert await database.sql("SELECT name FROM unit") == [{"name": "Linden"}]


async def test_a_scope_ends_with_its_transaction(database):
    home = await a_home(database)
    async with database.app.transaction(Scope(home.org)) as db:
        assert (await db.one(UNITS)) == Count(1)
    async with database.app.transaction() as db:
        assert (await db.one(UNITS)) == Count(0)
        assert (await db.one(PRESENT_ORG)) == Setting("")


async def test_outside_a_transaction_nobody_is_seen_even_where_somebody_just_was(database):
    home = await a_home(database)
    async with database.app.transaction(Scope(home.org)) as db:
        assert (await db.one(UNITS)) == Count(1)
    async with database.app.unscoped() as db:
        assert (await db.one(UNITS)) == Count(0)
        assert (await db.one(PRESENT_ORG)) == Setting("")


async def test_a_connection_lost_outside_a_transaction_is_a_lost_connection(database):
    async with database.app.unscoped() as db:
        [(pid,)] = await db.records(OWN_PID)
    with pytest.raises((ConnectionError, DbError)) as lost:
        async with database.app.unscoped() as db:
            await database.sql("SELECT pg_terminate_backend($1)", pid)
            await db.records(OWN_PID)
    async with database.app.unscoped() as db:
        [(other,)] = await db.records(OWN_PID)

    assert may_pass(lost.value)
    assert other != pid


async def test_a_caught_error_cannot_pass_for_a_commit(database):
    home = await a_home(database)
    with pytest.raises(RuntimeError, match="rolled back"):
        async with database.app.transaction(Scope(home.org)) as db:
            with pytest.raises(UniqueViolation):
                await db.run(ADD_UNIT)

    async with database.app.transaction(Scope(home.org)) as db:
        assert (await db.one(UNITS)) == Count(1)


async def test_a_cancelled_request_leaves_a_clean_connection(database):
    home = await a_home(database)
    entered = asyncio.Event()

    async def request():
        async with database.app.transaction(Scope(home.org)) as db:
            await db.run(RENAME, name="Half done")
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(request())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await database.sql("SELECT name FROM unit") == [{"name": "Eken"}]
    async with database.app.transaction() as db:
        assert (await db.one(PRESENT_ORG)) == Setting("")


async def test_a_lost_connection_is_replaced(database):
    home = await a_home(database)
    with pytest.raises((DbError, ConnectionError)):
        async with database.app.transaction(Scope(home.org)) as db:
            await database.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = 'mos_app' AND datname = current_database()"
            )
            await db.run(RENAME, name="Nobody hears this")

    async with database.app.transaction(Scope(home.org)) as db:
        assert (await db.one(UNITS)) == Count(1)


async def test_a_listener_hears_what_another_connection_says(database):
    async with database.app.listen("mos_poke") as payloads:
        await database.engine.notify("mos_poke", ["one", "two"])

        assert [await anext(payloads), await anext(payloads)] == ["one", "two"]


async def test_a_listener_learns_that_its_connection_was_lost(database):
    async with database.app.listen("mos_poke") as payloads:
        waiting = asyncio.ensure_future(anext(payloads))
        await database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
        with pytest.raises(ConnectionError):
            await waiting


async def test_jsonb_goes_in_and_comes_out_as_python_values(database):
    value = {"title": "Frukost", "days": ["mon"], "none": None}
    echo = Query("test.echo", "SELECT $1::jsonb AS value", ("value",), Setting)
    async with database.app.transaction() as db:
        (row,) = await db.records(echo, value=value)

    assert row["value"] == value


async def test_a_part_that_fails_is_undone_and_the_rest_of_its_transaction_stays(database):
    home = await a_home(database)
    async with database.app.transaction(Scope(org=home.org)) as db:
        await db.run(RENAME, name="Before")
        async with db.part():
            with pytest.raises(UniqueViolation):
                async with db.part():
                    await db.run(RENAME, name="Undone")
                    await db.run(ADD_UNIT)
            # The outer part goes on where the inner one began.
            assert (await db.one(UNITS)).n == 1
            await db.run(RENAME, name="After")

    assert [row["name"] for row in await database.sql("SELECT name FROM unit")] == ["After"]

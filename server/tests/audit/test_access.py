"""The access log: who read or changed what of whom is known, once, and cannot be unwritten."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from browsers import Site
from builders import a_home, a_relation, an_account
from devices import Device
from tablets import a_tablet, app_of

from mos.audit import access
from mos.audit.model import Touch, Who
from mos.db import Scope

_FORGED = (
    "INSERT INTO access_log SELECT gen_random_uuid(), hour, gen_random_uuid(), at, space_id, "
    "unit_id, account_id, role, session_id, device_id, kind, class, purpose FROM access_log"
)
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@pytest.fixture
async def site(database, clock):
    async with AsyncExitStack() as stack:
        yield Site(app_of(database, clock), clock, database, stack)


@pytest.fixture
async def tablet(site, home):
    return await a_tablet(site, home)


async def lines(database, kind="read"):
    return await database.sql(
        "SELECT * FROM access_log WHERE kind = $1 ORDER BY space_id, class, at", kind
    )


async def test_what_a_device_fetches_is_logged_once_an_hour_for_each_resident(
    tablet, home, database, clock
):
    for _ in range(3):
        await tablet.hello()
        await tablet.pull(**{str(home.space): ""})
        await tablet.snapshot(home.space)
    clock.now += timedelta(hours=1)
    await tablet.pull(**{str(home.space): ""})

    found = await lines(database)
    assert sorted((each["space_id"], each["class"], each["at"].hour) for each in found) == sorted(
        [
            (home.space, "day", 9), (home.space, "day", 10), (home.space, "medication", 9),
            (home.residents[1].space, "day", 9), (home.residents[1].space, "medication", 9),
        ]
    )  # fmt: skip
    [first] = [each for each in found if each["at"].hour == 10]
    assert first | {"entry_id": ..., "session_id": ...} == {
        "org_id": home.org, "hour": NOW + timedelta(hours=1), "entry_id": ..., "session_id": ...,
        "at": NOW + timedelta(hours=1), "space_id": home.space, "unit_id": home.unit,
        "account_id": home.caregiver, "role": "caregiver", "device_id": tablet.device.id,
        "kind": "read", "class": "day", "purpose": "care",
    }  # fmt: skip


async def test_two_processes_log_one_read_once(site, home, database):
    who = Who(home.org, home.caregiver)
    for _ in range(2):
        async with database.app.transaction(Scope(home.org)) as db:
            await access.log_hourly(db, who, "read", [Touch(home.space, "day")], NOW)

    assert len(await lines(database)) == 1


async def test_a_read_that_was_rolled_back_is_logged_with_the_next(
    tablet, home, database, monkeypatch
):
    async def fails(*_args):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("mos.web.sync.actions.pull", fails)
        answer = await tablet.pull(**{str(home.space): ""})
    assert answer.status_code == 503
    assert await lines(database) == []

    await tablet.pull(**{str(home.space): ""})
    assert len(await lines(database)) == 1


async def test_each_change_is_logged_with_what_was_changed(tablet, home, database, clock):
    other = home.residents[1]
    await tablet.push(tablet.op(), tablet.op(), tablet.op(space=other.space))
    clock.now += timedelta(minutes=1)
    await tablet.push(tablet.op())

    assert sorted(
        (each["space_id"], each["class"], each["at"].minute)
        for each in await lines(database, "changed")
    ) == sorted(
        [(home.space, "reminder", 0), (home.space, "reminder", 1), (other.space, "reminder", 0)]
    )


async def test_what_was_refused_changed_nothing_and_is_not_logged(site, home, database):
    relative = await an_account(database, home.org, "relative")
    await a_relation(database, home.org, relative, space=home.space, permissions=("plan.view",))
    tablet = await a_tablet(site, home, relative)
    await tablet.push(tablet.op())

    assert await lines(database, "changed") == []


async def test_a_change_that_another_session_sends_is_its_authors(database, home):
    device = Device(database, home.org, (home.space,), account=home.caregiver)
    await device.push(device.set(device.id, {"title": "x"}))

    [line] = await lines(database, "changed")
    assert (line["account_id"], line["device_id"]) == (home.caregiver, device.id)


async def test_nobody_reads_the_log_who_was_not_let_in(tablet, home, database):
    await tablet.pull(**{str(home.space): ""})
    other = await a_home(database, name="Granen", email_domain="other.test")

    async def seen(org, **settings):
        connection = await asyncpg.connect(database.settings.app_url)
        try:
            await connection.execute(f"SELECT set_config('mos.org', '{org}', false)")
            for name, value in settings.items():
                await connection.execute(f"SELECT set_config('mos.{name}', '{value}', false)")
            return await connection.fetchval("SELECT count(*) FROM access_log")
        finally:
            await connection.close()

    assert await seen(home.org) == 0
    assert await seen(home.org, spaces=f"{{{home.space}}}") == 0
    assert await seen(home.org, log_units=f"{{{home.unit}}}") == 1
    assert await seen(home.org, log_units=f"{{{other.unit}}}") == 0
    assert await seen(home.org, log_spaces=f"{{{home.space}}}") == 1
    assert await seen(home.org, log_spaces=f"{{{home.residents[1].space}}}") == 0
    assert await seen(home.org, log_all="yes") == 1
    assert await seen(other.org, log_all="yes", log_units=f"{{{home.unit}}}") == 0


async def test_the_app_can_neither_change_nor_delete_nor_forge_for_others(tablet, home, database):
    await tablet.pull(**{str(home.space): ""})
    connection = await asyncpg.connect(database.settings.app_url)
    try:
        await connection.execute(f"SELECT set_config('mos.org', '{home.org}', false)")
        await connection.execute("SELECT set_config('mos.log_all', 'yes', false)")
        for attempt in (
            "UPDATE access_log SET account_id = gen_random_uuid()",
            "DELETE FROM access_log",
            "TRUNCATE access_log",
            _FORGED,
            "SELECT * FROM access_log_keep(now(), interval '1 second')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(attempt)
    finally:
        await connection.close()


async def test_months_are_made_ahead_and_dropped_after_five_years(home, database):
    who = Who(home.org, home.caregiver)

    async def read(at):
        async with database.app.transaction(Scope(home.org)) as db:
            await access.log(db, who, "read", [Touch(home.space, "day")], at)

    async def keep(at):
        async with database.engine.transaction() as db:
            return await access.keep(db, at)

    await read(NOW - timedelta(days=40))  # Before there was any month: it waits in the rest.
    await read(NOW)
    assert await keep(NOW) == []
    assert await keep(NOW) == []
    parts = await database.sql(
        "SELECT tableoid::regclass::text AS part FROM access_log ORDER BY at"
    )
    assert [each["part"] for each in parts] == ["access_log_2026_10", "access_log_2026_11"]
    await read(NOW + timedelta(days=30))
    assert await database.sql("SELECT * FROM access_log_rest") == []

    assert await keep(datetime(2031, 11, 1, tzinfo=UTC)) == []
    [dropped] = await keep(datetime(2031, 11, 10, tzinfo=UTC))
    assert (dropped.org, str(dropped.month), dropped.entries) == (home.org, "2026-10-01", 1)
    assert len(await lines(database)) == 2

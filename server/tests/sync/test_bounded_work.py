"""P25: what a push or a pull costs follows what it carries, never how much history there is."""

from dataclasses import replace
from uuid import uuid4

import pytest
from builders import a_home
from devices import Device

from mos.db import Query, connect

_FLUSH = Query("flush", "SELECT pg_stat_force_next_flush()", (), type(None))


@pytest.fixture
async def device(database):
    """A device whose requests all use one connection, so that its counts can be read."""
    home = await a_home(database, residents=2)
    pool = await connect(database.settings.app_url, size=1, keyring=database.keyring)
    spaces = tuple(resident.space for resident in home.residents)
    yield Device(replace(database, app=pool), home.org, spaces)
    await pool.close()


async def rows_read(device) -> int:
    """Return how many rows and index entries of the sync tables have been read so far."""
    async with device.database.app.transaction() as db:
        await db.records(_FLUSH)
    [row] = await device.database.sql(
        "SELECT sum(t.seq_tup_read + t.idx_tup_fetch + i.read)::bigint AS n "
        "FROM pg_stat_user_tables t, LATERAL (SELECT sum(idx_tup_read) AS read "
        "FROM pg_stat_user_indexes WHERE relid = t.relid) i "
        "WHERE t.relname IN ('rec', 'op', 'space', 'device_space')"
    )
    return row["n"]


async def cost(device, request) -> int:
    before = await rows_read(device)
    await request
    return await rows_read(device) - before


async def grow(device, ops):
    for _ in range(ops // 500):
        await device.push(*[device.set(uuid4(), {"title": "x"}) for _ in range(500)])


@pytest.mark.parametrize("is_analysed", [True, False], ids=["analysed", "never analysed"])
async def test_work_does_not_grow_with_history(device, is_analysed):
    costs = []
    for size in (500, 10_000):
        await grow(device, size)
        if is_analysed:
            await device.database.sql("ANALYZE")
        await device.pull()
        op = device.set(uuid4(), {"title": "new"})
        pushed = await cost(device, device.push(op))
        pulled = await cost(device, device.pull_once())
        idle = await cost(device, device.pull_once())
        costs.append((pushed, pulled, idle))

    small, large = costs
    assert all(late <= early + 8 for early, late in zip(small, large, strict=True))
    assert max(large) < 60

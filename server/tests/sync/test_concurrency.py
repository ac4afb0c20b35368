"""Many at once: the space's lock keeps its order without gaps, and nobody misses a row."""

import asyncio
import json
import random
from dataclasses import replace
from uuid import uuid4

import msgspec
import pytest
from builders import a_home
from devices import NOW, NOW_MS, Device, Reference

from mos.db import Scope, connect
from mos.sync import actions
from mos.sync.model import PushHead


@pytest.fixture
async def home(database):
    return await a_home(database)


async def test_a_reader_beside_six_writers_misses_nothing(database, home):
    """P3, P4, P5: what has been read up to a place never changes behind it."""
    writers = [Device(database, home.org, (home.space,)) for _ in range(6)]
    reader = Device(database, home.org, (home.space,))
    recs = [uuid4() for _ in range(4)]
    dice = random.Random(6)  # noqa: S311  a repeatable game
    acknowledged: dict[str, int] = {}
    done = asyncio.Event()

    async def write(device):
        for _ in range(25):
            ops = [
                device.set(dice.choice(recs), {dice.choice(["title", "note"]): str(uuid4())}),
                device.event({"occ": str(uuid4())}),
            ]
            for _ in range(dice.randint(1, 2)):
                answer = await device.push(*ops)
            acknowledged.update({str(result.op): result.seq for result in answer.results})

    async def read():
        # Its own fingerprint is compared at every pull: one missed row fails right there.
        while not done.is_set():
            await reader.pull(limit=dice.randint(1, 50))

    reading = asyncio.create_task(read())
    await asyncio.gather(*(write(device) for device in writers))
    done.set()
    await reading

    log = await database.sql("SELECT seq, op_id, coll, rec_id, hlc, val, kind FROM op ORDER BY seq")
    assert [row["seq"] for row in log] == list(range(1, 6 * 25 * 2 + 1))
    assert acknowledged == {str(row["op_id"]): row["seq"] for row in log}
    rows = (await reader.pull())[home.space]
    assert rows == replayed(log)


def replayed(log) -> dict:
    reference = Reference()
    for row in log:
        op = {"op": str(row["op_id"]), "coll": row["coll"], "rec": str(row["rec_id"])}
        value = {"f": row["val"]} if row["kind"] == "set" else {"v": row["val"]["v"]}
        reference.take(op | value | {"k": row["kind"], "hlc": row["hlc"]}, row["val"].get("by", ""))
    return reference.recs


async def test_two_devices_race_for_one_group_and_the_later_clock_wins(database, home):
    a, b = (Device(database, home.org, (home.space,)) for _ in range(2))
    for _ in range(15):
        rec = uuid4()
        ops = [(device, device.set(rec, {"title": str(device.id)})) for device in (a, b)]
        await asyncio.gather(*(device.push(op) for device, op in ops))
        winner = max(ops, key=lambda pair: pair[1]["hlc"])[0]

        doc = (await a.pull())[home.space][str(rec)][2]
        assert doc == {"title": str(winner.id)}
    assert await a.pull() == await b.pull()


async def test_one_batch_sent_twice_at_once_is_taken_once(database, home):
    device = Device(database, home.org, (home.space,))
    for _ in range(10):
        ops = [device.event({"occ": "x"}), device.set(uuid4(), {"title": "x"})]
        first, second = await asyncio.gather(device.push(*ops), device.push(*ops))

        assert [result.seq for result in first.results] == [result.seq for result in second.results]
        assert {first.results[0].s, second.results[0].s} == {"applied", "dup"}
    count = await database.sql("SELECT count(*) AS n FROM op")
    assert count == [{"n": 20}]


async def test_batches_over_the_same_spaces_in_opposite_order_do_not_deadlock(database):
    """Not even where the clock of some is too far ahead, in a space that is not the first."""
    home = await a_home(database, residents=4, email_domain="four.test")
    spaces = tuple(resident.space for resident in home.residents)
    devices = [Device(database, home.org, spaces) for _ in range(4)]

    async def write(device, order):
        ahead = max(spaces) if order == spaces else None
        for _ in range(20):
            ops = [
                device.set(uuid4(), {"title": "x"}, space=space)
                | (
                    {"hlc": f"{NOW_MS + 3_600_000:012x}0000{device.actor}"}
                    if space == ahead
                    else {}
                )
                for space in order
            ]
            assert set(await device.verdicts(*ops)) == {"applied"}

    await asyncio.gather(
        *(write(device, spaces if n % 2 else spaces[::-1]) for n, device in enumerate(devices))
    )


async def test_an_answer_lost_after_the_commit_is_told_again(database, home):
    device = Device(database, home.org, (home.space,))
    op = device.event({"occ": "x"})
    pool = await connect(database.settings.app_url, size=1, keyring=database.keyring)
    with pytest.raises(ConnectionResetError):
        await push_and_lose_the_answer(device, pool, op)
    await pool.close()

    result = (await device.push(op)).results[0]
    assert (result.s, result.was, result.seq) == ("dup", "applied", 1)


async def test_a_connection_killed_before_the_commit_leaves_nothing(database, home):
    device = Device(database, home.org, (home.space,))

    async def killed(_db, _org, _changes, _now):
        await database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'mos_app' AND state = 'idle in transaction'"
        )

    applied = device.collections["reminder"]
    broken = replace(
        device, collections=device.collections | {"reminder": replace(applied, applied=killed)}
    )
    op = device.set(uuid4(), {"title": "x"})
    with pytest.raises(Exception):  # noqa: B017, PT011  whatever the driver calls it
        await broken.push(op)

    assert await database.sql("SELECT 1 FROM op") == []
    assert await device.verdicts(op) == ["applied"]


async def push_and_lose_the_answer(device, pool, op):
    head = PushHead(
        proto=1, schema=1, device_id=device.id, client_now=NOW,
        ops=[msgspec.Raw(json.dumps(op).encode())],
    )  # fmt: skip
    async with pool.transaction(Scope(device.org)) as db:
        await actions.push(db, device.author, head, device.collections, NOW)
    raise ConnectionResetError

"""Pull: one snapshot, bounded pages, and a cursor that knows its history."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from builders import a_home
from devices import NOW, Device, fingerprint

from mos.db import Db, Scope
from mos.sync import actions
from mos.sync.actions import reading
from mos.sync.model import Grant, Pull


@pytest.fixture
async def home(database):
    return await a_home(database, residents=3)


@pytest.fixture
def device(database, home):
    return Device(database, home.org, tuple(resident.space for resident in home.residents))


async def test_an_empty_space_answers_once_with_its_cursor(device):
    first = await device.pull_once()
    second = await device.pull_once()

    assert [space.cur for space in first.spaces] == ["1.0.00000000"] * 3
    assert second.spaces == []


async def test_only_what_changed_comes(device, home):
    await device.push(device.set(uuid4(), {"title": "a"}))
    await device.pull()
    op = device.set(uuid4(), {"title": "b"})
    await device.push(op)
    [space] = (await device.pull_once()).spaces

    assert space.id == home.space
    assert space.cur.startswith("1.2.")
    assert [row[1] for row in msgspec.json.decode(bytes(space.rows))] == [op["rec"]]


async def test_a_change_that_lost_moves_the_cursor_and_brings_no_row(device):
    rec = uuid4()
    late = device.set(rec, {"title": "old"})
    await device.push(device.set(rec, {"title": "new"}))
    await device.pull()
    await device.push(late)
    [space] = (await device.pull_once()).spaces

    assert bytes(space.rows) == b"[]"
    assert space.cur.startswith("1.2.")
    assert (await device.pull_once()).spaces == []


@pytest.mark.parametrize("limit", [1, 2, 7, 2000])
async def test_pages_add_up_to_the_whole(device, limit):
    for space in device.spaces:
        await device.push(*[device.set(uuid4(), {"title": "x"}, space=space) for _ in range(5)])
    answers = 0
    while True:
        answer = await device.pull_once(limit=limit)
        rows = sum(len(msgspec.json.decode(bytes(space.rows))) for space in answer.spaces)
        assert rows <= limit
        answers += 1
        if not any(space.more for space in answer.spaces):
            break

    assert [len(rows) for rows in device.rows.values()] == [5, 5, 5]
    assert answers <= 15 // limit + 1


async def test_an_answer_is_bounded_in_bytes_too(device, monkeypatch):
    monkeypatch.setattr(reading, "_PULL_BYTES", 3_000)
    await device.push(*[device.set(uuid4(), {"note": "x" * 1_000}) for _ in range(9)])
    answer = await device.pull_once()

    [size] = [len(bytes(space.rows)) for space in answer.spaces if space.id == device.spaces[0]]
    assert 2_000 < size < 5_000
    assert len((await device.pull())[device.spaces[0]]) == 9


async def test_a_row_larger_than_the_bound_still_comes(device, monkeypatch):
    monkeypatch.setattr(reading, "_PULL_BYTES", 10)
    await device.push(*[device.set(uuid4(), {"note": "x" * 1_000}) for _ in range(3)])

    assert len((await device.pull())[device.spaces[0]]) == 3


async def test_spaces_that_came_and_went_are_named(device, home):
    first, second, _third = device.spaces
    device.cursors = {first: "", second: ""}
    asking = replace(device, spaces=(first, second))
    answer = await asking.pull_once(spaces=device.spaces[1:])

    assert [(gone.id, gone.why, gone.purge) for gone in answer.gone] == [(first, "revoked", True)]
    assert [grant.id for grant in answer.added] == [device.spaces[2]]
    assert [space.id for space in answer.spaces] == [second]


async def test_an_erased_space_is_gone(database, device, home):
    await device.push(device.set(uuid4(), {"title": "x"}))
    await database.sql("UPDATE space SET state = 2 WHERE space_id = $1", home.space)
    answer = await device.pull_once()

    assert [(gone.id, gone.why) for gone in answer.gone] == [(home.space, "erased")]
    assert home.space not in {space.id for space in answer.spaces}


async def test_a_space_that_never_was_looks_like_one_that_is_not_ours(device):
    stranger = replace(device, spaces=(uuid4(), device.spaces[0]))
    answer = await stranger.pull_once(spaces=())

    assert {gone.why for gone in answer.gone} == {"revoked"}


@pytest.mark.parametrize(
    ("cursor", "why"),
    [
        ("2.1.00000000", "epoch"),
        ("1.1.deadbeef", "tag"),
        ("1.9.deadbeef", "tag"),
        ("1.0.deadbeef", "tag"),
        ("nonsense", "epoch"),
        ("1.99999999999999999999.00000000", "epoch"),
    ],
)
async def test_a_cursor_of_another_history_is_reset(device, home, cursor, why):
    await device.push(device.set(uuid4(), {"title": "x"}), device.set(uuid4(), {"title": "y"}))
    device.cursors = {home.space: cursor}
    answer = await device.pull_once()

    assert [(reset.id, reset.why) for reset in answer.reset] == [(home.space, why)]
    assert home.space not in {space.id for space in answer.spaces}
    assert len((await device.pull())[home.space]) == 2


async def test_a_cursor_below_the_floor_is_reset(database, device, home):
    await device.push(device.set(uuid4(), {"title": "0"}))
    await device.pull()
    await device.push(*(device.set(uuid4(), {"title": str(n)}) for n in range(2)))
    await database.sql("UPDATE space SET floor_seq = 2 WHERE space_id = $1", home.space)

    assert [reset.why for reset in (await device.pull_once()).reset] == ["floor"]


async def test_the_servers_fingerprint_is_that_of_its_rows(database, device, home):
    recs = [uuid4() for _ in range(4)]
    for round_ in range(3):
        await device.push(
            *[
                device.set(rec, {"title": str(round_), "deleted": (number + round_) % 3 == 0})
                for number, rec in enumerate(recs)
            ],
            device.event({"occ": "x"}),
        )
    rows = await database.sql("SELECT rec_id, seq, doc FROM rec WHERE space_id = $1", home.space)
    [space] = await database.sql(
        "SELECT live_n AS n, live_sum::text AS sum, live_sq::text AS sq FROM space "
        "WHERE space_id = $1",
        home.space,
    )

    assert space == fingerprint({row["rec_id"]: ("", row["seq"], row["doc"], {}) for row in rows})


async def test_a_pull_is_one_statement_however_many_spaces_it_asks_for(device, monkeypatch):
    asked = []
    for name in ("all", "one", "run", "records", "scope"):
        monkeypatch.setattr(Db, name, counted(getattr(Db, name), asked))
    await device.pull_once()

    assert asked == ["all"]


def counted(method, asked):
    async def call(self, *args, **params):
        asked.append(method.__name__)
        return await method(self, *args, **params)

    return call


async def test_the_same_op_at_the_same_place_after_a_restore_is_another_history(database, home):
    """P20: who was active first may differ, and a device that is not reset would never know."""
    device = Device(database, home.org, (home.space,))
    ops = [device.set(uuid4(), {"title": title}) for title in "ab"]
    await device.push(*ops)
    await device.pull()
    # The server is back at its beginning, and what comes again comes in another order but the last.
    for table in ("op", "rec", "device_space"):
        await database.sql(f"DELETE FROM {table}")
    await database.sql("UPDATE space SET head_seq = 0, live_n = 0, live_sum = 0, live_sq = 0")
    others = device.set(uuid4(), {"title": "c"})
    await device.push(others, ops[1], now=NOW + timedelta(seconds=1))

    assert [reset.why for reset in (await device.pull_once()).reset] == ["tag"]


async def test_an_erased_space_is_not_offered(database, home):
    device = Device(database, home.org, (home.space,))
    await database.sql("UPDATE space SET state = 2 WHERE space_id = $1", home.space)
    grants = {home.space: Grant(home.space, "caregiver", ["plan.view"], "resident")}
    request = Pull(proto=1, schema=1, device_id=device.id, spaces={})
    async with database.app.transaction(Scope(home.org)) as db:
        answer = await actions.pull(db, home.org, grants, request, NOW)

    assert answer.added == []

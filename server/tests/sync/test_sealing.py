"""What people write lies sealed wherever a space's content lies, and opens for its own place."""

import json
from uuid import uuid4

import pytest
from builders import a_home, a_record
from devices import NOW, Device

from mos.db import Scope
from mos.kernel.ids import named_id
from mos.privacy.sealing import is_sealed
from mos.privacy.seals import SealBroken
from mos.sync import store
from mos.wiring import COLLECTIONS as EVERY

CANARY = "Kanariefågeln sjunger 4711"


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@pytest.fixture
def device(database, home):
    return Device(database, home.org, (home.space,))


async def raw(database, statement, *args):
    """Rows as they stand in the database, sealed."""
    return [dict(row) for row in await database.owner.fetch(statement, *args)]


async def test_one_sealed_text_stands_in_the_record_and_in_the_log(database, device):
    rec = uuid4()
    await device.push(device.set(rec, {"title": CANARY, "deleted": False}))

    [record] = await raw(database, "SELECT doc FROM rec")
    [op] = await raw(database, "SELECT val FROM op")
    assert is_sealed(record["doc"]["title"])
    assert record["doc"] == op["val"]
    assert record["doc"]["deleted"] is False
    rows = (await device.pull())[device.spaces[0]]
    assert rows[str(rec)][2] == {"title": CANARY, "deleted": False}


async def test_a_proposal_is_sealed_in_the_record_the_conflict_and_the_log(database, device, home):
    rec = uuid4()
    first = device.safety(rec, {"dose": CANARY})
    await device.push(first)
    other = Device(database, home.org, (home.space,))
    await other.push(other.safety(rec, {"dose": CANARY + "!"}))

    text = json.dumps(
        [dict(r) for r in await database.owner.fetch("SELECT doc::text FROM rec")]
        + [dict(r) for r in await database.owner.fetch("SELECT val::text FROM op")],
        ensure_ascii=False,
    )
    assert "Kanarie" not in text
    rows = (await device.pull())[device.spaces[0]]
    assert rows[str(rec)][2]["active"]["v"] == {"dose": CANARY}
    conflict = rows[str(named_id(device.spaces[0], f"conflict/{rec}"))][2]
    [candidate] = conflict["candidates"].values()
    assert candidate["v"] == {"dose": CANARY + "!"}


async def test_the_digest_of_a_dose_cannot_be_guessed(database, device, home):
    from mos.sync import safety

    rec = uuid4()
    await device.push(device.safety(rec, {"dose": "5"}))
    [record] = await raw(database, "SELECT doc FROM rec")

    assert record["doc"]["active"]["dig"] != safety.digest({"dose": "5"})
    # And still what is equal is known to be so.
    other = Device(database, home.org, (home.space,))
    assert await other.verdicts(other.safety(rec, {"dose": "5"})) == ["applied"]


@pytest.mark.parametrize("where", ["record", "group", "person"])
async def test_a_value_moved_elsewhere_does_not_open(database, home, where):
    spaces = tuple(resident.space for resident in home.residents)
    device = Device(database, home.org, spaces)
    here, there = uuid4(), uuid4()
    await device.push(
        device.set(here, {"title": CANARY, "note": "a"}),
        device.set(there, {"title": "b"}, space=spaces[1] if where == "person" else spaces[0]),
    )
    taken = "(SELECT doc->'title' FROM rec WHERE rec_id = $1)"
    if where == "group":
        await database.owner.execute(
            f"UPDATE rec SET doc = doc || jsonb_build_object('note', {taken}) WHERE rec_id = $1",
            here,
        )
    else:
        await database.owner.execute(
            f"UPDATE rec SET doc = jsonb_build_object('title', {taken}) WHERE rec_id = $2",
            here, there,
        )  # fmt: skip

    with pytest.raises(SealBroken):
        await device.pull()


async def test_of_somebody_erased_nothing_opens_and_nothing_more_is_kept(database, home):
    spaces = tuple(resident.space for resident in home.residents)
    device = Device(database, home.org, spaces)
    await device.push(
        device.set(uuid4(), {"title": CANARY}),
        device.set(uuid4(), {"title": "andra"}, space=spaces[1]),
        device.set(uuid4(), {"title": CANARY}, coll="weather"),
    )
    await database.keyring.erase(home.org, home.resident.account, NOW)

    reader = Device(database, home.org, spaces)
    await reader.pull_once(check=False)
    rows = reader.rows
    assert [row[2] for row in rows[spaces[1]].values()] == [{"title": "andra"}]
    assert rows.get(spaces[0], {}) == {}
    async with database.app.transaction(Scope(home.org, spaces)) as db:
        docs = await store.docs_of_spaces(db, spaces, "reminder")
    assert [doc.doc for doc in docs] == [{"title": "andra"}]
    assert await device.verdicts(device.set(uuid4(), {"title": CANARY})) == ["forbidden"]
    kept = await database.owner.fetch("SELECT payload::text AS text FROM quarantine")
    assert not any("Kanarie" in row["text"] for row in kept)


async def test_values_from_before_open_beside_sealed_ones(database, device, home):
    rec = await a_record(database, home.org, home.space, "reminder", {"title": "Förr"})
    await device.pull_once(check=False)
    assert device.rows[home.space][str(rec)][2] == {"title": "Förr"}

    await device.push(device.set(rec, {"note": "Nu"}))
    await device.pull_once(check=False)
    assert device.rows[home.space][str(rec)][2] == {"title": "Förr", "note": "Nu"}


@pytest.mark.parametrize("escape", ["\\u0001S", "\\u0001\\u0053"])
async def test_nobody_writes_what_looks_sealed(database, device, escape):
    text = json.dumps([device.set(uuid4(), {"title": "XX"})]).replace("XX", f"{escape}AQAB")

    answer = await device.push_text(text)

    assert [(result.s, result.code) for result in answer.results] == [("invalid", "control")]
    assert (await device.pull()).get(device.spaces[0], {}) == {}


def test_every_collection_says_what_stays_readable():
    clear = {name: sorted(each.clear) for name, each in EVERY.items() if each.clear}

    assert clear == {
        "alert": ["closed", "step", "taken", "what"],
        "ladder": ["for", "steps"],
        "profile": ["face"],
    }

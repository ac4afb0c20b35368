"""What was written before values were sealed is moved over, once, whatever happens meanwhile."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from builders import a_home, a_record
from devices import COLLECTIONS, Device

from mos.db import connect
from mos.privacy.keyring import Unsealed
from mos.privacy.sealing import is_sealed
from mos.sync.resealing import seal_all

CANARY = "Kanariefågeln"


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@pytest.fixture
async def owner(database):
    pool = await connect(database.owner_dsn, size=2, keyring=database.keyring)
    yield pool
    await pool.close()


@pytest.fixture
async def before(database, home):
    """A device whose pushes lie plain, as an earlier release wrote them; and what it wrote."""
    pool = await connect(database.settings.app_url, size=2, keyring=Unsealed())
    old = Device(replace(database, app=pool), home.org, tuple(r.space for r in home.residents))
    rec = uuid4()
    await old.push(
        *(old.set(uuid4(), {"title": f"{CANARY} {n}", "deleted": False}) for n in range(30)),
        old.event({"occ": "x", "note": CANARY}),
        old.set(uuid4(), {"x": CANARY}, coll="weather"),
        old.safety(rec, {"dose": CANARY}),
    )
    other = Device(old.database, home.org, old.spaces)
    proposed = other.safety(rec, {"dose": CANARY + "!"})
    await other.push(proposed)
    yield old, rec, proposed
    await pool.close()


async def everything(database):
    rows = []
    for statement in (
        "SELECT doc::text AS t FROM rec", "SELECT val::text AS t FROM op",
        "SELECT payload::text AS t FROM quarantine",
    ):  # fmt: skip
        rows += [row["t"] for row in await database.owner.fetch(statement)]
    return "\n".join(rows)


async def test_after_it_nothing_is_plain_and_everything_reads_as_before(database, owner, before):
    old, _rec, _proposed = before
    want = await old.pull()
    assert CANARY in await everything(database)
    counted = await seal_all(owner, COLLECTIONS, check=True)

    done = await seal_all(owner, COLLECTIONS)

    assert CANARY not in await everything(database)
    assert done.plain == counted.plain > 60
    assert (await seal_all(owner, COLLECTIONS, check=True)).plain == 0
    now = await Device(database, old.org, old.spaces).pull()
    assert _without_digests(now) == _without_digests(want)


async def test_an_equal_dose_is_still_known_to_be_equal(database, owner, before):
    old, rec, proposed = before
    await seal_all(owner, COLLECTIONS)
    device = Device(database, old.org, old.spaces)
    active = (await device.pull())[old.spaces[0]][str(rec)][2]["active"]
    resolve = device.resolve(rec, proposed["op"], base=active["ver"], seen=[proposed["op"]])
    assert await device.verdicts(resolve) == ["applied"]

    assert await device.verdicts(device.safety(rec, {"dose": CANARY + "!"})) == ["applied"]


async def test_killed_in_the_middle_it_goes_on_and_a_push_meanwhile_is_kept(
    database, owner, before, monkeypatch
):
    old, _rec, _proposed = before
    monkeypatch.setattr("mos.sync.resealing._AT_ONCE", 5)
    device = Device(database, old.org, old.spaces)

    class Killed(Exception):
        pass

    def stop(_done):
        raise Killed

    with pytest.raises(Killed):
        await seal_all(owner, COLLECTIONS, progress=stop)
    new = uuid4()
    await device.push(device.set(new, {"title": "ny"}))
    await seal_all(owner, COLLECTIONS)

    assert CANARY not in await everything(database)
    rows = (await device.pull())[old.spaces[0]]
    assert rows[str(new)][2] == {"title": "ny"}
    assert len(rows) == 34


async def test_a_record_of_an_earlier_release_is_sealed(database, owner, home):
    rec = await a_record(database, home.org, home.space, "reminder", {"title": CANARY})
    await seal_all(owner, COLLECTIONS)

    [row] = await database.owner.fetch("SELECT doc FROM rec WHERE rec_id = $1", rec)
    assert is_sealed(row["doc"]["title"])


def _without_digests(rows):
    text = json.dumps({str(space): each for space, each in rows.items()}, sort_keys=True)
    return [part.partition('"')[2] for part in text.split('"dig": "')]

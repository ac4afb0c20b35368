"""What could not be taken is kept, shown to people who can judge it, and settled by one of them."""

import json
from uuid import uuid4

import pytest
from asyncpg import LockNotAvailableError
from builders import a_home, a_relation, an_account
from structlog.testing import capture_logs
from tablets import a_tablet

from mos.care.store import medication_of
from mos.db import Scope
from mos.sync.actions import hello
from mos.sync.metrics import LOST_OPS
from mos.sync.model import Grant, Hello
from mos.sync.store import device_clocks


@pytest.fixture
async def home(database):
    return await a_home(database)


@pytest.fixture
async def tablet(site, home):
    return await a_tablet(site, home, home.resident.account)


@pytest.fixture
async def caregiver(site, home):
    return await site.as_account(home.org, home.caregiver)


async def test_supporters_see_what_was_refused_as_it_was_written(tablet, caregiver, home, database):
    await database.sql("UPDATE device SET name = 'Surfplatta'")
    title, note = tablet.op("Lunch"), tablet.event({"occ": 1})
    text = tablet.op("Middag") | {"hlc": "x"}
    await tablet.push(title)
    tablet.clock.move(minutes=1)
    await tablet.push(note)
    tablet.clock.move(minutes=1)
    with capture_logs() as logs:
        await tablet.push(text)
        body = (await caregiver.get(f"residents/{home.space}/quarantine")).json()
    common = {
        "space": str(home.space), "by": str(home.resident.account), "device": "Surfplatta",
        "handled": None,
    }  # fmt: skip

    assert body == {
        "ops": [
            common | {"op": text["op"], "coll": "reminder", "rec": None,
                      "what": {"title": "Middag"},
                      "verdict": "invalid", "code": "malformed",
                      "received_at": "2026-11-25T09:02:00Z"},
            common | {"op": note["op"], "coll": "completion", "rec": None,
                      "what": {"v": {"occ": 1}},
                      "verdict": "invalid", "code": "invalid",
                      "received_at": "2026-11-25T09:01:00Z"},
            common | {"op": title["op"], "coll": "reminder", "rec": title["rec"],
                      "what": {"title": "Lunch"},
                      "verdict": "forbidden", "code": "permission",
                      "received_at": "2026-11-25T09:00:00Z"},
        ],
        "lost": [],
        "more": False,
    }  # fmt: skip
    assert "Middag" not in json.dumps(logs, default=str)


async def test_one_person_settles_it_and_all_others_see_by_whom(
    tablet, caregiver, site, home, database
):
    op = tablet.op("Lunch")
    await tablet.push(op)
    other = await an_account(database, home.org, "caregiver", name="Bo")
    await a_relation(database, home.org, other, unit=home.unit)
    bo = await site.as_account(home.org, other)
    path = f"residents/{home.space}/quarantine/{op['op']}/handled"
    site.clock.move(minutes=5)
    answers = [
        await caregiver.post(path, {"how": "again"}), await caregiver.post(path, {"how": "again"}),
        await bo.post(path, {"how": "again"}), await bo.post(path, {"how": "dropped"}),
        await bo.post(path, {"how": "burnt"}),
        await bo.post(path.replace(op["op"], str(uuid4())), {"how": "again"}),
    ]  # fmt: skip
    [entry] = (await bo.get(f"residents/{home.space}/quarantine")).json()["ops"]
    site.clock.move(days=31)
    bo = await site.as_account(home.org, other)
    later = (await bo.get(f"residents/{home.space}/quarantine")).json()["ops"]

    assert [answer.status_code for answer in answers] == [204, 204, 204, 409, 400, 404]
    assert entry["handled"] == {
        "how": "again", "by": str(home.caregiver), "at": "2026-11-25T09:05:00Z",
    }  # fmt: skip
    assert later == []


async def test_whoever_may_settle_it_hears_of_whom_something_waits(
    tablet, caregiver, site, home, database
):
    relative = await an_account(database, home.org, "relative", name="Ann")
    await a_relation(database, home.org, relative, space=home.space, permissions=("plan.view",))
    ann = await site.as_account(home.org, relative)
    before = (await caregiver.get("residents/quarantine")).json()
    op = tablet.op("Lunch")
    await tablet.push(op, tablet.op("Alvedon", space=medication_of(home.space)))
    waits = (await caregiver.get("residents/quarantine")).json()
    path = f"residents/{home.space}/quarantine/{op['op']}/handled"
    await caregiver.post(path, {"how": "dropped"})
    left = (await caregiver.get("residents/quarantine")).json()

    assert before == []
    assert waits == [{"space": str(home.space), "count": 2, "lost": 0}]
    assert left == [{"space": str(home.space), "count": 1, "lost": 0}]
    assert (await ann.get("residents/quarantine")).json() == []


async def test_what_is_in_a_space_that_somebody_does_not_reach_is_not_listed(
    caregiver, home, database
):
    await database.sql(
        "INSERT INTO quarantine (org_id, space_id, op_id, reason, payload, received_at) "
        "VALUES ($1, $2, $3, 'forbidden permission', '{}', now())",
        home.org, uuid4(), uuid4(),
    )  # fmt: skip
    body = (await caregiver.get(f"residents/{home.space}/quarantine")).json()

    assert body["ops"] == []


async def test_what_concerns_medication_is_listed_for_those_who_see_medication(
    tablet, caregiver, site, home, database
):
    relative = await an_account(database, home.org, "relative", name="Ann")
    await a_relation(database, home.org, relative, space=home.space, permissions=("plan.view",))
    ann = await site.as_account(home.org, relative)
    op = tablet.op("Alvedon", space=medication_of(home.space))
    await tablet.push(op, tablet.op("Lunch"))
    seen = (await caregiver.get(f"residents/{home.space}/quarantine")).json()["ops"]
    less = (await ann.get(f"residents/{home.space}/quarantine")).json()["ops"]

    assert {entry["what"]["title"] for entry in seen} == {"Alvedon", "Lunch"}
    assert {entry["what"]["title"] for entry in less} == {"Lunch"}
    path = f"residents/{home.space}/quarantine/{op['op']}/handled"
    assert (await ann.post(path, {"how": "dropped"})).status_code == 404
    assert (await caregiver.post(path, {"how": "dropped"})).status_code == 204


async def test_an_order_that_was_sent_into_the_day_is_refused_and_shown_to_no_more_people(
    tablet, caregiver, site, home, database
):
    relative = await an_account(database, home.org, "relative", name="Ann")
    await a_relation(database, home.org, relative, space=home.space, permissions=("plan.view",))
    ann = await site.as_account(home.org, relative)
    nurse = await an_account(database, home.org, "nurse", name="Nils")
    words = ("plan.view", "medication.view", "medication.edit")
    await a_relation(database, home.org, nurse, unit=home.unit, permissions=words)
    writer = await a_tablet(site, home, nurse)
    op = writer.device.safety(uuid4(), {"name": "Waran"}, ms=writer.now_ms) | {"coll": "order"}
    answer = (await writer.push(op)).json()["results"][0]
    path = f"residents/{home.space}/quarantine"
    seen = (await caregiver.get(path)).json()["ops"]
    less = (await ann.get(path)).json()["ops"]

    assert (answer["s"], answer["code"]) == ("forbidden", "permission")
    assert ([entry["coll"] for entry in seen], less) == (["order"], [])
    await database.sql(
        "UPDATE relation SET permissions = '{plan.view,alert.take}' WHERE account_id = $1",
        relative,
    )
    assert (await ann.post(f"{path}/{op['op']}/handled", {"how": "dropped"})).status_code == 404
    assert (await caregiver.post(f"{path}/{op['op']}/handled", {"how": "again"})).status_code == 204


async def test_a_long_list_says_that_there_is_more(caregiver, home, database):
    await database.sql(
        "INSERT INTO quarantine (org_id, space_id, op_id, reason, payload, received_at) "
        "SELECT $1, $2, gen_random_uuid(), 'invalid malformed', '\"[[\"', now() "
        "FROM generate_series(1, 501)",
        home.org, home.space,
    )  # fmt: skip
    body = (await caregiver.get(f"residents/{home.space}/quarantine")).json()

    assert (len(body["ops"]), body["more"]) == (500, True)
    assert (body["ops"][0]["coll"], body["ops"][0]["what"]) == ("", "[[")


async def test_nobody_without_a_right_buries_what_was_refused(
    site, tablet, caregiver, home, database
):
    real = tablet.op(12345)
    await tablet.push(real)
    site.clock.move(minutes=1)
    stranger = await an_account(database, home.org, "relative", name="Ann")
    theirs = await a_tablet(site, home, stranger)
    for _ in range(2):
        await theirs.push(*(theirs.op("junk") for _ in range(300)))
    body = (await caregiver.get(f"residents/{home.space}/quarantine")).json()

    assert (body["ops"][0]["op"], len(body["ops"]), body["more"]) == (real["op"], 500, True)


# ────────────────────────────────────────────────── what never came


async def test_a_device_that_has_lost_changes_says_so_and_supporters_see_it(
    tablet, caregiver, home, database
):
    await tablet.push(tablet.op())
    await database.sql("UPDATE device_space SET last_n = 9, missing = '{[2,4),[6,9)}'")
    counted = LOST_OPS._value.get()
    first = (await tablet.hello(sent={str(home.space): 9})).json()
    # Two that are missing, one that is not, and a number that never was.
    lost = {str(home.space): [[3, 6], [9, 4], [50, 60]], str(uuid4()): [[1, 9]]}
    second = (await tablet.hello(lost=lost)).json()
    body = (await caregiver.get(f"residents/{home.space}/quarantine")).json()
    again = (await tablet.hello(lost=lost)).json()

    assert first["missing"] == {str(home.space): [[2, 3], [6, 8]]}
    assert second["missing"] == again["missing"] == {str(home.space): [[2, 2], [7, 8]]}
    assert body["lost"] == [{"device": "", "count": 2, "noticed_at": "2026-11-25T09:00:00Z"}]
    assert LOST_OPS._value.get() == counted + 2


async def test_what_is_given_up_waits_for_a_push_that_is_under_way(tablet, home, database):
    scope, device = Scope(home.org, (home.space,)), tablet.device.id
    said = Hello(
        proto=(1, 1), schema=1, device_id=device, app="x", client_now=tablet.clock(), sent={},
        lost={home.space: [(1, 1)]},
    )  # fmt: skip
    granted = {home.space: Grant(home.space, "caregiver", ["plan.view"], "resident")}
    async with database.app.transaction(scope) as push:
        await device_clocks(push, home.org, device, [home.space])
        with pytest.raises(LockNotAvailableError):
            async with database.app.transaction(scope) as db:
                await db._connection.execute("SET LOCAL lock_timeout = '20ms'")
                await hello(db, home.org, home.caregiver, granted, said, tablet.clock())


async def test_what_was_given_up_and_comes_after_all_is_taken(tablet, caregiver, home):
    note = {"occ": f"{uuid4()}@2026-11-25T08:00", "at": "2026-11-25T09:00:00Z", "st": "done"}
    ops = [tablet.event(note) for _ in range(4)]
    await tablet.push(ops[0], ops[3])
    said = (await tablet.hello()).json()["missing"]
    await tablet.hello(lost={str(home.space): [[2, 3]]})
    late = (await tablet.push(ops[1])).json()
    body = (await caregiver.get(f"residents/{home.space}/quarantine")).json()

    assert said == {str(home.space): [[2, 3]]}
    assert late["results"][0]["s"] == "applied"
    assert [entry["count"] for entry in body["lost"]] == [1]


async def test_a_device_says_what_it_has_forgotten(tablet, home, database):
    others = await a_home(database, name="Andra", email_domain="other.test")
    answer = await tablet.hello(purged=[str(home.space), str(others.space), str(uuid4())])
    rows = await database.sql("SELECT space_id, device_id, purged_at FROM device_space")

    assert answer.status_code == 200
    assert [(row["space_id"], row["device_id"], row["purged_at"]) for row in rows] == [
        (home.space, tablet.device.id, tablet.clock())
    ]


async def test_nobody_forgets_what_they_never_saw(site, home, database):
    stranger = await an_account(database, home.org, "relative", name="Ann")
    theirs = await a_tablet(site, home, stranger)
    before = await theirs.hello(purged=[str(home.space)])
    rows = await database.sql("SELECT FROM device_space")
    relation = await a_relation(database, home.org, stranger, space=home.space)
    await database.sql("UPDATE relation SET valid_to = now() WHERE relation_id = $1", relation)
    await theirs.hello(purged=[str(home.space)])

    assert (before.status_code, rows) == (200, [])
    assert len(await database.sql("SELECT FROM device_space")) == 1


async def test_a_device_that_loses_all_sorts_of_numbers_costs_no_more_and_more(
    tablet, caregiver, home, database
):
    await tablet.push(tablet.op() | {"n": 2**52})
    sizes = []
    for first in range(1, 30_000, 2_000):
        lost = [[number, number] for number in range(first, first + 2_000, 2)]
        await tablet.hello(lost={str(home.space): lost})
        [row] = await database.sql(
            "SELECT pg_column_size(lost) + pg_column_size(missing) AS size FROM device_space"
        )
        sizes.append(row["size"])
    body = (await caregiver.get(f"residents/{home.space}/quarantine")).json()

    assert max(sizes) < 10_000
    assert [each["count"] for each in body["lost"]] == [10_000]


@pytest.mark.parametrize(
    "frame",
    [{"lost": {"x": []}}, {"lost": {str(uuid4()): [[0, 1]]}}, {"lost": {str(uuid4()): [[1]]}},
     {"lost": {str(uuid4()): [[1, 2**60]]}}, {"lost": {str(uuid4()): [[1, 1]] * 1001}},
     {"purged": ["x"]}, {"purged": [str(uuid4())] * 10_001}],
)  # fmt: skip
async def test_what_a_device_says_of_its_losses_is_bounded(tablet, frame):
    answer = await tablet.hello(**frame)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

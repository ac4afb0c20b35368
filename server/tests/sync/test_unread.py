"""A refused change is told to whoever wrote it, wherever they are signed in, until they read it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from builders import PASSWORD, a_home, a_relation, an_account
from devices import Device
from tablets import Tablet, a_tablet, batch_of

from mos.db import Scope
from mos.kernel.ids import named_id
from mos.sync import erasure
from mos.worker.retention import Retention


@pytest.fixture
async def home(database):
    return await a_home(database)


@pytest.fixture
async def other(database, home):
    """Another caregiver, who uses the same tablet."""
    account = await an_account(
        database, home.org, "caregiver", name="Bo", email="bo@example.test", password=PASSWORD
    )
    await a_relation(database, home.org, account, unit=home.unit)
    return account


@pytest.fixture
async def tablet(site, home, other, database):
    """The shared tablet. The caregiver is signed in on it."""
    browser = await site.signed_in("caregiver@example.test")
    return Tablet(browser, Device(database, home.org, (home.space,), id=browser.device), site.clock)


@pytest.fixture
async def phone(site, home, other):
    """The caregiver's own phone, on which nothing of this was written."""
    return await a_tablet(site, home, home.caregiver)


def a_bad_note(tablet, **more):
    """An event that nobody may write as it is."""
    return tablet.event({"occ": 1, "note": "Ville inte äta"}, **more)


async def left_and_refused(tablet, *ops):
    """The caregiver left something, and it is refused while Bo is signed in."""
    mine = tablet.browser.body
    tablet.clock.move(minutes=5)
    await tablet.browser.delete("session")
    await tablet.browser.sign_in("bo@example.test")
    tablet.clock.move(hours=3)
    answer = (await tablet.post("push", batch_of(tablet, mine, *ops))).json()
    assert {result["s"] for result in answer["results"]} <= {"invalid", "stale_resolve"}, answer


async def told(tablet, **more):
    return (await tablet.hello(**more)).json()["refused"]


async def test_what_was_refused_while_somebody_else_sent_it_is_told_to_its_author(
    tablet, phone, home
):
    op = a_bad_note(tablet)
    await left_and_refused(tablet, op)

    assert await told(tablet) == []
    assert await told(phone) == [
        {
            "op": op["op"], "space": str(home.space), "coll": "completion", "rec": op["op"],
            "what": {"v": {"occ": 1, "note": "Ville inte äta"}},
            "verdict": "invalid", "code": "invalid", "at": "2026-11-25T09:00:00Z",
        }
    ]  # fmt: skip


async def test_it_is_told_on_every_device_until_it_was_read_on_one(tablet, phone, site, home):
    first, second = a_bad_note(tablet), a_bad_note(tablet)
    await left_and_refused(tablet, first, second)
    computer = await a_tablet(site, home, home.caregiver)
    both = [each["op"] for each in await told(computer)]
    # Bo cannot say it for her.
    await told(tablet, read=[first["op"], second["op"]])
    left = [each["op"] for each in await told(phone, read=[first["op"], str(uuid4())])]

    assert sorted(both) == sorted([first["op"], second["op"]])
    assert left == [second["op"]]
    assert [each["op"] for each in await told(computer)] == [second["op"]]


async def test_what_the_answer_was_lost_of_is_told_as_well(tablet, phone):
    """The device was put away, or is gone, before it heard."""
    op = a_bad_note(tablet)
    await tablet.push(op)

    assert [each["op"] for each in await told(phone)] == [op["op"]]


async def test_a_choice_that_came_too_late_is_told_without_why_it_was_made(
    tablet, phone, home, database
):
    await a_relation(
        database, home.org, home.caregiver, space=home.space,
        permissions=("plan.view", "meals.edit"),
    )  # fmt: skip
    choice = tablet.device.resolve(
        named_id(home.space, "texture"), None, base=None, seen=[], ms=tablet.now_ms,
        why="Läkaren sade det",
    ) | {"coll": "texture"}  # fmt: skip
    await left_and_refused(tablet, choice)
    [entry] = await told(phone)

    assert (entry["code"], entry["rec"]) == ("stale_resolve", choice["rec"])
    assert entry["what"] == {"choose": None, "base": None, "seen": []}


async def test_of_what_they_see_no_longer_they_hear_only_that_it_was_refused(
    tablet, phone, home, database
):
    await left_and_refused(tablet, a_bad_note(tablet))
    await database.sql(
        "UPDATE relation SET valid_to = $1 WHERE account_id = $2", tablet.clock(), home.caregiver
    )
    tablet.clock.move(minutes=1)
    [entry] = await told(phone)

    assert (entry["what"], entry["rec"], entry["bare"]) == ({}, None, True)
    assert (entry["coll"], entry["code"]) == ("completion", "invalid")


async def test_what_is_too_much_to_be_told_is_named_and_lies_in_quarantine(tablet, phone):
    await left_and_refused(tablet, tablet.event({"occ": 1, "note": "x" * 9000}))
    [entry] = await told(phone)

    assert (entry["what"], entry["coll"]) == ({}, "completion")


async def test_fifty_are_enough_to_be_told_of(tablet, phone, database):
    for _ in range(3):
        await tablet.push(*(a_bad_note(tablet) for _ in range(40)))

    assert len(await told(phone)) == 80
    assert [dict(row) for row in await database.sql("SELECT count(*) FROM quarantine")] == [
        {"count": 120}
    ]


async def test_nothing_is_kept_of_who_was_refused_where_all_was_erased(site, home, database):
    stranger = await an_account(database, home.org, "caregiver", name="Kim")
    theirs = await a_tablet(site, home, stranger)
    async with database.app.transaction(Scope(home.org, (home.space,))) as db:
        await erasure.close(db, home.org, [home.space])
        await erasure.erase(db, home.org, home.space, site.clock())
    answer = (await theirs.push(theirs.op(space=home.space))).json()

    assert answer["results"][0]["code"] == "no_access"
    assert await database.sql("SELECT 1 FROM unread_refusal") == []


async def test_erased_is_erased_and_old_is_forgotten(tablet, phone, home, database, site):
    await left_and_refused(tablet, a_bad_note(tablet))
    before = await database.sql("SELECT 1 FROM unread_refusal")
    async with database.app.transaction(Scope(home.org, (home.space,))) as db:
        await erasure.close(db, home.org, [home.space])
        await erasure.erase(db, home.org, home.space, site.clock())
    erased = await database.sql("SELECT 1 FROM unread_refusal")
    # For a space that never was.
    await phone.push(phone.op(space=uuid4()))
    worker = Retention(database.engine)
    await worker.run(site.clock() + timedelta(days=399))
    kept = await database.sql("SELECT 1 FROM unread_refusal")
    await worker.run(site.clock() + timedelta(days=401))
    left = await database.sql("SELECT 1 FROM unread_refusal")

    assert (len(before), len(erased), len(kept), len(left)) == (1, 0, 1, 0)

"""What somebody signed by a PIN on a tablet that somebody else is signed in on: whose it is."""

from uuid import uuid4

import pytest
from builders import PASSWORD, a_home, a_relation, an_account
from devices import Device
from tablets import Tablet, batch_of
from test_authorship import authors, done


@pytest.fixture
async def home(database):
    return await a_home(database)


@pytest.fixture
async def ada(database, home):
    account = await an_account(
        database, home.org, "nurse", name="Ada", email="ada@example.test", password=PASSWORD
    )
    await a_relation(database, home.org, account, unit=home.unit)
    return account


@pytest.fixture
async def tablet(site, home, ada, database):
    """The shared tablet: Ada has a PIN there, the caregiver is signed in."""
    browser = await site.signed_in("ada@example.test")
    await browser.put("account/pin", {"secret": "4937"})
    await browser.delete("session")
    await browser.sign_in("caregiver@example.test")
    device = Device(database, home.org, (home.space, home.resident.medication), id=browser.device)
    return Tablet(browser, device, site.clock)


async def signature(tablet, home, ada):
    body = {"account": str(ada), "secret": "4937", "space": str(home.space)}
    answer = await tablet.browser.post("session/signature", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def verdicts(answer):
    return [(result["s"], result.get("code")) for result in answer.json()["results"]]


async def test_the_act_is_of_whoever_signed_it_and_the_next_of_whoever_is_signed_in(
    tablet, home, ada, database
):
    before = await tablet.push(done(tablet))
    signed = await signature(tablet, home, ada)
    dose = done(tablet, space=home.resident.medication)
    taken_back = tablet.event(
        {"of": dose["op"], "at": tablet.clock().isoformat().replace("+00:00", "Z")},
        coll="retract", space=home.resident.medication,
    )  # fmt: skip
    act = await tablet.post("push", batch_of(tablet, signed, dose, taken_back))
    after = await tablet.push(done(tablet))

    assert [verdicts(each) for each in (before, act, after)] == [
        [("applied", None)], [("applied", None)] * 2, [("applied", None)],
    ]  # fmt: skip
    mine = (home.caregiver, tablet.browser.body["sid"], str(home.caregiver))
    theirs = (ada, signed["sid"], str(ada))
    assert sorted(await authors(database), key=str) == sorted([mine, theirs, theirs, mine], key=str)
    lines = await database.sql(
        "SELECT account_id, session_id::text AS sid FROM access_log WHERE kind = 'changed'"
    )
    assert (ada, signed["sid"]) in {(row["account_id"], row["sid"]) for row in lines}


async def test_the_same_batch_again_counts_once_and_a_changed_one_never(
    tablet, home, ada, database
):
    body = batch_of(tablet, await signature(tablet, home, ada), done(tablet))
    first = await tablet.post("push", body)
    again = await tablet.post("push", body)
    batch = tablet.frame()["client_now"].encode()
    other = body.replace(b'"done"', b'"held"')
    changed = await tablet.post("push", other)

    assert batch in body
    assert (verdicts(first), verdicts(again)) == ([("applied", None)], [("dup", None)])
    assert (changed.status_code, changed.json()["code"]) == (403, "not_the_author")
    assert len(await authors(database)) == 1


async def test_it_signs_on_no_other_device(tablet, site, home, ada, database):
    signed = await signature(tablet, home, ada)
    browser = await site.signed_in("caregiver@example.test")
    elsewhere = Tablet(browser, Device(database, home.org, (home.space,), id=browser.device),
                       site.clock)  # fmt: skip

    answer = await elsewhere.post("push", batch_of(elsewhere, signed, done(elsewhere)))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_the_author")


async def test_what_was_signed_in_time_may_be_sent_later_and_what_came_after_is_refused(
    tablet, home, ada
):
    signed = await signature(tablet, home, ada)
    in_time = done(tablet)
    tablet.clock.move(minutes=6, seconds=1)
    too_late = done(tablet)
    tablet.clock.move(hours=3)
    answer = await tablet.post("push", batch_of(tablet, signed, in_time, too_late))

    assert verdicts(answer) == [("applied", None), ("forbidden", "session")]


async def test_nothing_is_signed_any_more_after_the_pin_was_changed(tablet, site, home, ada):
    signed = await signature(tablet, home, ada)
    in_time = done(tablet)
    tablet.clock.move(minutes=2)
    await tablet.browser.delete("session")
    await tablet.browser.sign_in("ada@example.test")
    await tablet.browser.put("account/pin", {"secret": "8361"})
    tablet.clock.move(minutes=2)
    answer = await tablet.post("push", batch_of(tablet, signed, in_time, done(tablet)))

    assert verdicts(answer) == [("applied", None), ("forbidden", "session")]


async def test_a_device_that_was_ended_sends_nothing_signed_either(tablet, home, ada, database):
    signed = await signature(tablet, home, ada)
    body = batch_of(tablet, signed, done(tablet))
    await tablet.browser.delete(f"devices/{tablet.browser.device}")

    answer = await tablet.post("push", body)

    assert (answer.status_code, answer.json()["code"]) == (401, "device_revoked")
    assert await authors(database) == []


async def test_whoever_may_not_is_refused_though_the_one_signed_in_may(tablet, home, ada, database):
    await database.sql(
        "UPDATE relation SET permissions = '{plan.view,medication.view}' WHERE account_id = $1", ada
    )
    signed = await signature(tablet, home, ada)
    dose = done(tablet, space=home.resident.medication)
    answer = await tablet.post("push", batch_of(tablet, signed, dose))

    assert "outcome.record" not in signed["permissions"]
    assert verdicts(answer) == [("forbidden", "permission")]
    [kept] = await database.sql("SELECT account_id FROM quarantine")
    assert kept["account_id"] == ada


async def test_whose_account_was_closed_after_signing_has_given_the_dose_all_the_same(
    tablet, site, home, ada
):
    signed = await signature(tablet, home, ada)
    op = done(tablet)
    tablet.clock.move(minutes=1)
    admin = await site.signed_in("admin@example.test")
    await admin.patch(f"accounts/{ada}", {"disabled": True})
    tablet.clock.move(minutes=2)
    answer = await tablet.post("push", batch_of(tablet, signed, op, done(tablet)))

    assert verdicts(answer) == [("applied", None), ("forbidden", "session")]


async def test_who_gave_it_can_be_told_in_words_where_no_pin_could_be_checked(tablet, database):
    moment = tablet.clock().isoformat().replace("+00:00", "Z")
    said = {"occ": f"{uuid4()}@2026-11-25T08:00", "at": moment, "st": "done"}
    told = tablet.event(said | {"given_by": "Ada"})
    long = tablet.event(said | {"given_by": "A" * 101})

    assert verdicts(await tablet.push(told, long)) == [("applied", None), ("invalid", "invalid")]

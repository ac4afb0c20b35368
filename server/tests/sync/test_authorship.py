"""Whose an op is, whoever sends it; and what happened while somebody still had the right."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from builders import PASSWORD, a_home, a_relation, a_unit, an_account
from devices import Device
from structlog.testing import capture_logs
from tablets import Tablet, batch_of

from mos.care.store import medication_of
from mos.kernel.ids import new_id


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
    device = Device(database, home.org, (home.space,), id=browser.device)
    return Tablet(browser, device, site.clock)


def done(tablet, **more):
    moment = tablet.clock().isoformat().replace("+00:00", "Z")
    return tablet.event({"occ": f"{uuid4()}@2026-11-25T08:00", "at": moment, "st": "done"}, **more)


def ran_ahead(tablet, ahead):
    """What the tablet writes now, its clock so far ahead."""
    ms = tablet.now_ms + ahead // timedelta(milliseconds=1)
    return done(tablet) | {"hlc": f"{ms:012x}0000{tablet.device.actor}"}


async def next_person(tablet):
    """The caregiver signs out, and Bo signs in on the same tablet; return Bo's session."""
    tablet.clock.move(minutes=5)
    await tablet.browser.delete("session")
    tablet.clock.move(minutes=5)
    answer = await tablet.browser.sign_in("bo@example.test")
    assert answer.status_code == 201
    return answer.json()


async def authors(database):
    rows = await database.sql("SELECT account_id, session_id, val FROM op ORDER BY seq")
    return [(row["account_id"], str(row["session_id"]), row["val"].get("by")) for row in rows]


async def test_every_session_has_a_key_of_its_own(tablet):
    again = (await tablet.browser.get("session")).json()
    first = tablet.browser.body
    bo = await next_person(tablet)

    assert (again["sid"], again["sync_key"]) == (first["sid"], first["sync_key"])
    assert (bo["sid"] != first["sid"], bo["sync_key"] != first["sync_key"]) == (True, True)
    assert len(urlsafe_b64decode(first["sync_key"] + "=")) == 32


async def test_what_somebody_did_is_theirs_whoever_sends_it(tablet, home, other, database):
    mine = tablet.browser.body
    op, title = done(tablet), tablet.op("Lunch")
    bo = await next_person(tablet)
    answer = await tablet.post("push", batch_of(tablet, mine, op, title))
    await tablet.push(done(tablet))

    assert [result["s"] for result in answer.json()["results"]] == ["applied", "applied"] or (
        answer.json()
    )
    assert await authors(database) == [
        (home.caregiver, mine["sid"], str(home.caregiver)),
        (home.caregiver, mine["sid"], None),
        (other, bo["sid"], str(other)),
    ]
    assert answer.json()["acked"] == {str(home.space): 2}


async def test_a_signed_batch_whose_answer_was_lost_counts_once(tablet, database):
    body = batch_of(tablet, tablet.browser.body, done(tablet))
    await next_person(tablet)
    first = (await tablet.post("push", body)).json()
    again = (await tablet.post("push", body)).json()

    assert first["results"][0]["s"] == "applied"
    assert again["results"][0] | {"s": "dup", "was": "applied"} == again["results"][0]
    assert len(await authors(database)) == 1


async def test_nobody_writes_in_another_name(tablet, site, home, database):
    mine = tablet.browser.body
    op = done(tablet)
    bo = await next_person(tablet)
    right = batch_of(tablet, mine, op)
    changed = right.replace(op["op"].encode(), str(uuid4()).encode())
    in_my_name = json.loads(batch_of(tablet, bo, op))
    in_my_name["as"]["sid"] = mine["sid"]
    # A session of another device, and one of another organisation.
    elsewhere = (await (await site.signed_in("admin@example.test")).get("session")).json()
    others = await a_home(database, name="Andra", email_domain="other.test")
    stranger = await site.as_account(others.org, others.caregiver)
    strange = (await stranger.get("session")).json()
    wrong = [
        changed,
        json.dumps(in_my_name).encode(),
        batch_of(tablet, mine, op, mac="0" * 64),
        batch_of(tablet, mine, op, mac=""),
        batch_of(tablet, mine, op, mac="å"),
        batch_of(tablet, mine, op, sid=str(uuid4())),
        batch_of(tablet, elsewhere, op),
        batch_of(tablet, strange, op),
    ]
    with capture_logs() as logs:
        answers = [await tablet.post("push", body) for body in wrong]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (403, "not_the_author")
    }
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert await authors(database) == []
    assert await database.sql("SELECT 1 FROM quarantine") == []
    assert mine["sid"] not in json.dumps(logs, default=str)
    # A batch for another device does not pass either, signed or not.
    body = json.loads(right) | {"device_id": str(uuid4())}
    assert (await tablet.post("push", body)).json()["code"] == "other_device"


async def test_an_op_outside_of_its_session_is_set_aside(tablet, home, database):
    mine = tablet.browser.body
    op = done(tablet)
    tablet.clock.move(minutes=5)
    await tablet.browser.delete("session")
    tablet.clock.move(minutes=5)
    late = done(tablet)
    early = tablet.device.event({}, ms=tablet.now_ms - 86_400_000) | {"hlc": "0" * 32}
    await tablet.browser.sign_in("bo@example.test")
    answer = (await tablet.post("push", batch_of(tablet, mine, op, late, early))).json()

    assert [(result["s"], result.get("code")) for result in answer["results"]] == [
        ("applied", None), ("forbidden", "session"), ("forbidden", "session"),
    ]  # fmt: skip
    assert answer["acked"] == {str(home.space): 3}
    kept = await database.sql("SELECT account_id, reason FROM quarantine")
    assert {(row["account_id"], row["reason"]) for row in kept} == {
        (home.caregiver, "forbidden session")
    }


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=2)])
async def test_a_clock_that_ran_ahead_is_still_within_its_session(tablet, home, ahead):
    """P13: what counts is when it was written, by as much as the clock was ahead."""
    mine = tablet.browser.body
    op = ran_ahead(tablet, ahead)
    tablet.clock.move(minutes=5)
    await tablet.browser.delete("session")
    tablet.clock.move(minutes=5)
    after = ran_ahead(tablet, ahead)
    await tablet.browser.sign_in("bo@example.test")
    now = tablet.clock()
    batch = batch_of(tablet, mine, op, after)
    batch = batch.replace(now.isoformat().encode(), (now + ahead).isoformat().encode())
    answer = (await tablet.post("push", batch)).json()

    assert [(result["s"], result.get("code")) for result in answer["results"]] == [
        ("applied", None), ("forbidden", "session"),
    ]  # fmt: skip


@pytest.mark.parametrize("id_tells", [True, False])
async def test_a_clock_put_right_since_is_no_reason_to_refuse(tablet, home, id_tells):
    """P13, P17: it still says days ahead. Its id tells when it was; else nobody knows better."""
    mine = tablet.browser.body
    op = ran_ahead(tablet, timedelta(days=2))
    op |= {"op": str(new_id(tablet.clock()) if id_tells else uuid4())}
    tablet.clock.move(minutes=5)
    await tablet.browser.delete("session")
    tablet.clock.move(minutes=5)
    after = ran_ahead(tablet, timedelta(days=2)) | {"op": str(new_id(tablet.clock()))}
    await tablet.browser.sign_in("bo@example.test")
    answer = (await tablet.post("push", batch_of(tablet, mine, op, after))).json()

    assert [(result["s"], result.get("code")) for result in answer["results"]] == [
        ("applied", None), ("forbidden", "session"),
    ]  # fmt: skip


async def test_a_session_that_ran_out_still_signs_what_it_wrote(tablet, home, database):
    mine = tablet.browser.body
    op = done(tablet)
    tablet.clock.move(days=20)
    await tablet.browser.sign_in("bo@example.test")
    answer = (await tablet.post("push", batch_of(tablet, mine, op))).json()

    assert answer["results"][0]["s"] == "applied"
    assert (await authors(database))[0][0] == home.caregiver


# ────────────────────────────────────────────────── what came after a right had ended


async def end_relations(database, account, at):
    await database.sql("UPDATE relation SET valid_to = $1 WHERE account_id = $2", at, account)


async def test_a_klar_from_before_the_end_is_kept_and_says_that_it_is_late(tablet, home, database):
    op = done(tablet)
    tablet.clock.move(minutes=1)
    await end_relations(database, home.caregiver, tablet.clock())
    tablet.clock.move(hours=71)
    answer = (await tablet.push(op)).json()
    [record] = await database.sql("SELECT doc, clk FROM rec")

    assert answer["results"] == [{"op": op["op"], "s": "applied", "seq": 1}]
    assert answer["acked"] == {str(home.space): 1}
    assert record["doc"]["late"] == {
        "until": "2026-11-25T09:01:00.000Z", "at": "2026-11-28T08:01:00.000Z",
    }  # fmt: skip
    assert record["doc"]["by"] == str(home.caregiver)
    assert record["clk"].keys() == {"v", "by", "late"}


async def test_a_klar_of_a_clock_that_ran_ahead_is_from_before_the_end_all_the_same(
    tablet, home, database
):
    """P13, P17."""
    ahead = timedelta(days=2)
    before = ran_ahead(tablet, ahead)
    tablet.clock.move(minutes=1)
    await end_relations(database, home.caregiver, tablet.clock())
    after = ran_ahead(tablet, ahead)
    tablet.clock.move(hours=1)
    answer = (
        await tablet.push(before, after, client_now=(tablet.clock() + ahead).isoformat())
    ).json()

    assert [result["s"] for result in answer["results"]] == ["applied", "forbidden"]


async def test_a_klar_of_a_clock_put_right_since_is_kept_and_says_that_it_is_late(
    tablet, home, database
):
    """P13, P17: nobody can tell that it was not from before the end."""
    op = ran_ahead(tablet, timedelta(days=2)) | {"op": str(uuid4())}
    told = ran_ahead(tablet, timedelta(days=2)) | {"op": str(new_id(tablet.clock()))}
    tablet.clock.move(minutes=1)
    await end_relations(database, home.caregiver, tablet.clock())
    tablet.clock.move(hours=1)
    after = ran_ahead(tablet, timedelta(days=2)) | {"op": str(new_id(tablet.clock()))}
    answer = (await tablet.push(op, told, after)).json()
    kept = await database.sql("SELECT doc FROM rec")

    assert [result["s"] for result in answer["results"]] == ["applied", "applied", "forbidden"]
    assert all("late" in record["doc"] for record in kept)


async def test_all_else_after_the_end_is_set_aside(tablet, home, database):
    before, title = done(tablet), tablet.op("Lunch")
    tablet.clock.move(minutes=1)
    await end_relations(database, home.caregiver, tablet.clock())
    after = done(tablet)
    no_word = tablet.event({"x": 1}, coll="unheard")
    wrong = done(tablet) | {"hlc": before["hlc"], "v": {"occ": 1}}
    broken = done(tablet) | {"n": "x"}
    tablet.clock.move(minutes=1)
    answer = (await tablet.push(title, after, no_word, wrong, broken)).json()
    pull = (await tablet.pull(**{str(home.space): ""})).json()
    snapshot = await tablet.snapshot(home.space)

    assert [(result["s"], result["code"]) for result in answer["results"]] == [
        ("forbidden", "revoked"), ("forbidden", "revoked"), ("forbidden", "revoked"),
        ("invalid", "invalid"), ("forbidden", "revoked"),
    ]  # fmt: skip
    assert len(await database.sql("SELECT 1 FROM quarantine")) == 5
    assert pull["gone"] == [{"id": str(home.space), "why": "revoked", "purge": True}]
    assert snapshot.status_code == 404


async def test_later_than_three_days_nothing_is_taken(tablet, home, database):
    op = done(tablet)
    tablet.clock.move(minutes=1)
    await end_relations(database, home.caregiver, tablet.clock())
    tablet.clock.move(hours=72)
    answer = (await tablet.push(op)).json()

    assert (answer["results"][0]["s"], answer["results"][0]["code"]) == ("forbidden", "no_access")


async def test_only_what_they_might_do_then(tablet, home, database):
    await database.sql(
        "UPDATE relation SET permissions = '{plan.view,alert.take}' WHERE account_id = $1",
        home.caregiver,
    )
    op = done(tablet)
    tablet.clock.move(minutes=1)
    await end_relations(database, home.caregiver, tablet.clock())
    answer = (await tablet.push(op)).json()

    assert (answer["results"][0]["s"], answer["results"][0]["code"]) == ("forbidden", "revoked")


async def test_a_klar_from_before_a_permission_was_taken_is_kept(tablet, site, home, database):
    admin = await site.as_account(home.org, home.admin)
    relations = (await admin.get("relations")).json()
    mine = next(each for each in relations if each["account"] == str(home.caregiver))
    before = done(tablet)
    tablet.clock.move(minutes=1)
    less = {"permissions": ["plan.view", "alert.take"]}
    assert (await admin.patch(f"relations/{mine['id']}", less)).status_code == 200
    tablet.clock.move(minutes=1)
    answer = (await tablet.push(before, done(tablet))).json()
    [record] = await database.sql("SELECT doc FROM rec")

    assert [(result["s"], result.get("code")) for result in answer["results"]] == [
        ("applied", None), ("forbidden", "permission"),
    ]  # fmt: skip
    assert record["doc"]["late"] == {
        "until": "2026-11-25T09:01:00.000Z", "at": "2026-11-25T09:02:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize("role", ["relative", "admin", "auditor"])
async def test_a_klar_from_before_somebody_became_something_else_is_kept(tablet, site, home, role):
    admin = await site.as_account(home.org, home.admin)
    before = done(tablet)
    tablet.clock.move(minutes=1)
    assert (await admin.patch(f"accounts/{home.caregiver}", {"role": role})).status_code == 200
    answer = (await tablet.push(before)).json()

    assert answer["results"][0]["s"] == "applied"


async def test_a_klar_from_before_the_resident_moved_is_kept(tablet, site, home, database):
    admin = await site.as_account(home.org, home.admin)
    elsewhere = await a_unit(database, home.org, name="Linden")
    before = done(tablet)
    tablet.clock.move(minutes=1)
    moved = await admin.patch(f"residents/{home.space}", {"unit": str(elsewhere)})
    after = done(tablet)
    answer = (await tablet.push(before, after)).json()
    [record] = await database.sql("SELECT doc FROM rec WHERE coll = 'completion'")

    assert moved.status_code == 200
    assert [(result["s"], result.get("code")) for result in answer["results"]] == [
        ("applied", None), ("forbidden", "revoked"),
    ]  # fmt: skip
    assert record["doc"]["late"]["until"] == "2026-11-25T09:01:00.000Z"


async def test_who_left_a_unit_before_the_resident_came_had_no_right(tablet, site, home, database):
    admin = await site.as_account(home.org, home.admin)
    elsewhere = await a_unit(database, home.org, name="Linden")
    await database.sql("UPDATE relation SET unit_id = $1", elsewhere)
    op = done(tablet)
    tablet.clock.move(minutes=1)
    await end_relations(database, home.caregiver, tablet.clock())
    await admin.patch(f"residents/{home.space}", {"unit": str(elsewhere)})
    answer = (await tablet.push(op)).json()

    assert (answer["results"][0]["s"], answer["results"][0]["code"]) == ("forbidden", "no_access")


async def test_whose_account_was_closed_left_a_klar_behind_on_the_shared_tablet(
    tablet, site, home, database
):
    mine, op = tablet.browser.body, done(tablet)
    tablet.clock.move(minutes=1)
    admin = await site.signed_in("admin@example.test")
    closed = await admin.patch(f"accounts/{home.caregiver}", {"disabled": True})
    later, title = done(tablet), tablet.op("Lunch")
    tablet.clock.move(hours=1)
    await tablet.browser.sign_in("bo@example.test")
    answer = (await tablet.post("push", batch_of(tablet, mine, op, title))).json()
    again = (await tablet.post("push", batch_of(tablet, mine, later))).json()

    assert closed.status_code == 200
    assert [(result["s"], result.get("code")) for result in answer["results"]] == [
        ("applied", None), ("forbidden", "revoked"),
    ]  # fmt: skip
    assert again["results"][0]["code"] == "revoked"
    assert (await authors(database))[0][0] == home.caregiver
    [record] = await database.sql("SELECT doc FROM rec WHERE coll = 'completion'")
    assert record["doc"]["late"]["until"] == "2026-11-25T09:01:00.000Z"


async def test_whose_account_was_closed_may_send_what_their_own_phone_still_has(
    tablet, site, home, database
):
    op = done(tablet)
    tablet.clock.move(minutes=1)
    admin = await site.signed_in("admin@example.test")
    await admin.patch(f"accounts/{home.caregiver}", {"disabled": True})
    tablet.clock.move(hours=1)
    push = await tablet.push(op, done(tablet))
    pull = await tablet.pull(**{str(home.space): ""})
    tablet.clock.move(hours=72)
    too_late = await tablet.push(op)

    assert [(result["s"], result.get("code")) for result in push.json()["results"]] == [
        ("applied", None), ("forbidden", "revoked"),
    ]  # fmt: skip
    assert (pull.status_code, too_late.status_code) == (401, 401)


async def test_whoever_signed_out_before_their_account_was_closed_sends_nothing(tablet, site, home):
    op, cookie = done(tablet), tablet.browser.http.cookies["mos"]
    tablet.clock.move(minutes=1)
    await tablet.browser.delete("session")
    admin = await site.signed_in("admin@example.test")
    tablet.clock.move(minutes=1)
    await admin.patch(f"accounts/{home.caregiver}", {"disabled": True})
    tablet.browser.http.cookies.set("mos", cookie)

    assert (await tablet.push(op)).status_code == 401


async def test_a_resident_who_moved_out_has_said_klar_before(site, home, database):
    browser = await site.as_account(home.org, home.resident.account)
    tablet = Tablet(browser, Device(database, home.org, (home.space,), id=browser.device),
                    site.clock)  # fmt: skip
    op = done(tablet)
    tablet.clock.move(minutes=1)
    admin = await site.signed_in("admin@example.test")
    await admin.patch(f"residents/{home.space}", {"archived": True})
    tablet.clock.move(hours=1)
    answer = (await tablet.push(op)).json()

    assert answer["results"][0]["s"] == "applied"
    assert UUID(answer["results"][0]["op"]) == UUID(op["op"])


async def test_a_dose_given_before_the_end_is_kept_too(tablet, home, database):
    op = done(tablet, space=medication_of(home.space))
    title = tablet.op("x", space=medication_of(home.space))
    tablet.clock.move(minutes=1)
    await end_relations(database, home.caregiver, tablet.clock())
    answer = (await tablet.push(op, title)).json()
    [record] = await database.sql("SELECT doc FROM rec")

    assert [result["s"] for result in answer["results"]] == ["applied", "forbidden"]
    assert record["doc"]["late"]["until"] == "2026-11-25T09:01:00.000Z"

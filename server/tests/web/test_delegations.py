"""Delegations: a nurse lets one caregiver do one medical task, for a year at most."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from builders import PASSWORD, a_contact, a_home, a_relation, a_resident, a_unit, an_account

from mos.care.actions import delegations
from mos.db import Scope

NURSING = (
    "plan.view", "outcome.record", "alert.take", "medication.view", "medication.edit",
    "medication.sign",
)  # fmt: skip


@pytest.fixture
async def home(database):
    """A care provider's home. The clock stands at 25 November 2026."""
    home = await a_home(database)
    await database.sql("UPDATE organisation SET policy = 'care_record' WHERE org_id = $1", home.org)
    nurse = await an_account(
        database, home.org, "nurse", name="Ada", email="ada@example.test", password=PASSWORD
    )
    await a_relation(database, home.org, nurse, unit=home.unit, permissions=NURSING)
    return SimpleNamespace(**vars(home), space=home.space, resident=home.resident, nurse=nurse)


def giving(home, **more):
    return {
        "account": str(home.caregiver), "task": "insulin", "units": [str(home.unit)],
        "first": "2026-11-25", "last": "2027-11-24", "checked_on": "2026-11-20",
        "checked_how": "Gav insulin tre gånger medan jag såg på.",
    } | more  # fmt: skip


async def given(ada, home, **more):
    answer = await ada.post("delegations", giving(home, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def held(browser):
    return (await browser.get("session")).json()["delegations"]


async def test_it_is_given_and_its_person_carries_it_with_its_end(site, home):
    ada = await site.signed_in("ada@example.test")
    noor = await site.signed_in("caregiver@example.test")
    choices = (await ada.get("delegations/choices")).json()
    assert [each["name"] for each in choices["people"]] == ["Noor"]
    assert [each["id"] for each in choices["units"]] == [str(home.unit)]
    assert [each["id"] for each in choices["residents"]] == [str(home.space)]

    made = await given(ada, home, detail="Bara penna.")

    assert (made["person"], made["giver"], made["first"], made["last"]) == (
        "Noor", "Ada", "2026-11-25", "2027-11-24",
    )  # fmt: skip
    assert (await ada.get("delegations")).json() == [made]
    assert (await noor.get("delegations/mine")).json() == [made]
    assert await held(noor) == [
        {
            "account": str(home.caregiver), "space": str(home.space), "task": "insulin",
            "since": "2026-11-24T23:00:00Z", "until": "2027-11-24T23:00:00Z",
        }
    ]  # fmt: skip
    assert await held(ada) == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"last": "2027-11-25"}, "last"),
        ({"last": "2026-11-24"}, "last"),
        ({"first": "2026-11-24"}, "first"),
        ({"first": "2027-06-01", "last": "2027-06-02"}, "first"),
        ({"checked_on": "2026-11-26"}, "checked_on"),
        ({"checked_on": "2025-11-01"}, "checked_on"),
        ({"checked_how": "  "}, "checked_how"),
        ({"task": "other"}, "detail"),
        ({"units": []}, "units"),
    ],
)
async def test_what_the_law_does_not_let_be_delegated_is_refused(site, home, more, field):
    ada = await site.signed_in("ada@example.test")

    answer = await ada.post("delegations", giving(home, **more))

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text


async def test_nobody_delegates_to_themselves_to_a_nurse_or_where_they_decide_nothing(site, home):
    database = site.database
    ada = await site.signed_in("ada@example.test")
    linden = await a_unit(database, home.org, name="Linden")
    olle = await a_resident(database, home.org, linden, name="Olle")
    other_nurse = await an_account(database, home.org, "nurse", name="Bo")
    await a_relation(database, home.org, other_nurse, unit=home.unit, permissions=NURSING)
    elsewhere = await an_account(database, home.org, "caregiver", name="Kim")
    await a_relation(database, home.org, elsewhere, unit=linden)
    fields = []
    for more in (
        {"account": str(home.nurse)},
        {"account": str(other_nurse)},
        {"account": str(elsewhere)},
        {"units": [str(linden)]},
        {"units": [], "spaces": [str(olle.space)]},
    ):
        answer = await ada.post("delegations", giving(home, **more))
        assert answer.status_code == 400, answer.text
        fields.append(answer.json()["field"])

    assert fields == ["account", "account", "account", "units", "spaces"]


async def test_a_nurse_who_decides_about_no_medication_delegates_nothing(site, home):
    await site.database.sql(
        "UPDATE relation SET permissions = '{plan.view,medication.view,medication.sign}' "
        "WHERE account_id = $1",
        home.nurse,
    )
    ada = await site.signed_in("ada@example.test")

    assert (await ada.post("delegations", giving(home))).status_code == 403
    assert (await ada.get("delegations")).status_code == 403


async def test_in_a_family_there_are_none(site, home):
    await site.database.sql("UPDATE organisation SET policy = 'family'")
    ada = await site.signed_in("ada@example.test")

    assert (await ada.post("delegations", giving(home))).status_code == 403


async def test_it_asks_once_more_who_one_is(site, clock, home):
    ada = await site.signed_in("ada@example.test")
    clock.move(minutes=6)

    answer = await ada.post("delegations", giving(home))

    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_needed")


async def test_it_is_taken_back_at_once_and_stays_written(site, clock, home):
    ada = await site.signed_in("ada@example.test")
    noor = await site.signed_in("caregiver@example.test")
    made = await given(ada, home)
    clock.move(hours=1)
    path = f"delegations/{made['id']}/revocation"
    assert (await noor.post(path, {"why": "x"})).status_code == 403
    assert (await ada.post(path, {"why": " "})).json()["field"] == "why"

    answer = await ada.post(path, {"why": "Arbetar på en annan enhet."})

    assert answer.status_code == 204, answer.text
    assert await held(noor) == []
    [seen] = (await noor.get("delegations/mine")).json()
    assert (seen["ended_at"], seen["ended_by"], seen["ended_why"]) == (
        "2026-11-25T10:00:00Z", "Ada", "Arbetar på en annan enhet.",
    )  # fmt: skip
    assert (await ada.post(path, {"why": "igen"})).status_code == 404


async def test_it_is_renewed_by_a_new_one_of_the_same_person_and_task(site, clock, home):
    ada = await site.signed_in("ada@example.test")
    first = await given(ada, home, last="2026-12-10")

    wrong = await ada.post("delegations", giving(home, renews=first["id"], task="drops"))
    unknown = await ada.post("delegations", giving(home, renews=str(home.unit)))
    await given(ada, home, renews=first["id"])

    assert (unknown.status_code, unknown.json()["field"]) == (400, "renews")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "not_theirs")
    listed = {each["last"]: each["renewed"] for each in (await ada.get("delegations")).json()}
    assert listed == {"2026-12-10": True, "2027-11-24": False}


async def test_what_was_done_stands_in_the_audit_log(site, home):
    ada = await site.signed_in("ada@example.test")
    made = await given(ada, home)
    await ada.post(f"delegations/{made['id']}/revocation", {"why": "Slutar."})

    lines = await site.database.sql("SELECT content AS line FROM audit ORDER BY n")

    text = " ".join(str(line["line"]) for line in lines)
    assert "delegation_given" in text
    assert "delegation_revoked" in text
    assert "Slutar" not in text


async def _tend(site, home, now):
    async with site.database.app.transaction(Scope(home.org)) as db:
        await delegations.tend(db, home.org, now)


async def _told(site):
    rows = await site.database.sql(
        "SELECT account_id, subject FROM delivery WHERE kind = 'notice' ORDER BY delivery_id"
    )
    return [(row["subject"].rpartition("/")[2], row["account_id"]) for row in rows]


async def test_people_are_told_thirty_and_seven_days_before_once_each(site, home):
    for account, address in ((home.nurse, "ada@x.test"), (home.caregiver, "noor@x.test")):
        await a_contact(site.database, home.org, account, address)
    ada = await site.signed_in("ada@example.test")
    await given(ada, home)
    await site.database.sql("DELETE FROM delivery")
    ends = datetime(2027, 11, 24, 23, tzinfo=UTC)
    both = {home.nurse, home.caregiver}

    await _tend(site, home, ends - timedelta(days=30, minutes=1))
    assert await _told(site) == []
    for days, told in ((30, ["30"]), (29, ["30"]), (7, ["30", "7"]), (1, ["30", "7"])):
        await _tend(site, home, ends - timedelta(days=days))
        rows = await _told(site)
        assert [what for what, _ in rows[::2]] == told
        assert {who for _, who in rows} == both
        assert len(rows) == 2 * len(told)


async def test_what_is_renewed_warns_nobody(site, home):
    await a_contact(site.database, home.org, home.caregiver, "noor@x.test")
    ada = await site.signed_in("ada@example.test")
    first = await given(ada, home, last="2026-12-10")
    await given(ada, home, renews=first["id"])
    await site.database.sql("DELETE FROM delivery")

    await _tend(site, home, datetime(2026, 12, 5, tzinfo=UTC))

    assert await _told(site) == []


@pytest.mark.parametrize("change", ["relation", "role", "account"])
async def test_it_ends_with_the_persons_role_or_relation(site, home, change):
    ada = await site.signed_in("ada@example.test")
    made = await given(ada, home)
    now = datetime(2026, 11, 26, tzinfo=UTC)
    await _tend(site, home, now)
    assert (await ada.get("delegations")).json()[0]["ended_at"] is None
    await site.database.sql(
        {
            "relation": "UPDATE relation SET valid_to = '2026-11-25T12:00Z' WHERE account_id = $1",
            "role": "UPDATE account SET role = 'relative' WHERE account_id = $1",
            "account": "UPDATE account SET disabled_at = '2026-11-25T12:00Z' WHERE account_id = $1",
        }[change],
        home.caregiver,
    )

    await _tend(site, home, now)

    [listed] = (await ada.get("delegations")).json()
    assert (listed["id"], listed["ended_by"]) == (made["id"], "")
    assert listed["ended_at"] == "2026-11-26T00:00:00Z"

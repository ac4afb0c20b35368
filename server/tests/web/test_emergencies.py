"""Emergency access: staff open a resident who is not theirs, for some hours, and are seen to."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import pytest
from builders import Home, a_contact, a_home, a_relation, a_resident, a_unit, an_account

from mos.kernel.ids import new_id

REASON = "Kollegan är sjuk, jag täcker hela huset i natt."
MANAGING = ("plan.view", "care.manage")


@dataclass
class Other:
    """A unit beside that of the home, with a resident and a manager."""

    unit: UUID
    space: UUID
    medication: UUID
    account: UUID
    manager: UUID


@pytest.fixture
async def home(database) -> Home:
    home = await a_home(database)
    await database.sql("UPDATE organisation SET policy = 'care_record' WHERE org_id = $1", home.org)
    return home


@pytest.fixture
async def other(database, home) -> Other:
    unit = await a_unit(database, home.org, name="Linden")
    resident = await a_resident(database, home.org, unit, name="Olle")
    manager = await an_account(database, home.org, "manager", name="Eva")
    await a_relation(database, home.org, manager, unit=unit, permissions=MANAGING)
    return Other(unit, resident.space, resident.medication, resident.account, manager)


def opening(space, **more):
    return {"space": str(space), "cause": "cover", "reason": REASON} | more


async def spaces(browser):
    session = (await browser.get("session")).json()
    return {each["space"]: each["permissions"] for each in session["residents"]}


async def test_it_opens_one_resident_for_four_hours_and_no_longer(site, clock, home, other):
    noor = await site.signed_in("caregiver@example.test")
    assert str(other.space) not in await spaces(noor)
    [unit] = [u for u in (await noor.get("emergencies/units")).json() if u["name"] == "Linden"]
    [whom] = (await noor.get(f"emergencies/units/{unit['id']}/residents")).json()
    assert whom == {"id": str(other.space), "name": "Olle"}

    answer = await noor.post("emergencies", opening(whom["id"]))

    assert answer.status_code == 201, answer.text
    given = (await spaces(noor))[str(other.space)]
    assert {"plan.view", "outcome.record", "medication.sign"} <= set(given)
    assert not {"plan.edit", "medication.edit", "care.manage"} & set(given)
    assert [each["resident"] for each in (await noor.get("emergencies/mine")).json()] == ["Olle"]
    clock.move(hours=4)
    assert str(other.space) not in await spaces(noor)
    assert (await noor.get("emergencies/mine")).json() == []


async def test_it_is_ended_before_its_time_by_whoever_opened_and_by_whoever_manages(
    site, clock, home, other
):
    noor = await site.signed_in("caregiver@example.test")
    eva = await site.as_account(home.org, other.manager)
    stranger = await site.as_account(home.org, await an_account(site.database, home.org, "nurse"))
    for who in (noor, eva):
        opened = (await noor.post("emergencies", opening(other.space))).json()
        clock.move(minutes=1)
        assert (await stranger.delete(f"emergencies/{opened['id']}")).status_code == 404

        answer = await who.delete(f"emergencies/{opened['id']}")

        assert answer.status_code == 204, answer.text
        assert str(other.space) not in await spaces(noor)
        assert (await who.delete(f"emergencies/{opened['id']}")).status_code == 404


async def test_whoever_gives_no_care_opens_nobody(site, home, other):
    people = {
        role: await an_account(site.database, home.org, role, name=role)
        for role in ("relative", "manager", "auditor", "nurse")
    }
    for role in ("relative", "manager"):
        await a_relation(
            site.database, home.org, people[role], unit=home.unit, permissions=("plan.view",)
        )
    # The nurse has no relation: an account that is still there, of somebody who works nowhere.
    for account in (*people.values(), home.admin, other.account):
        browser = await site.as_account(home.org, account)
        assert (await browser.get("emergencies/units")).status_code == 403
        path = f"emergencies/units/{other.unit}/residents"
        assert (await browser.get(path)).status_code == 403
        answer = await browser.post("emergencies", opening(other.space))
        assert answer.status_code == 403, answer.text


async def test_in_a_family_nobody_goes_around_what_it_has_chosen(site, home, other):
    await site.database.sql("UPDATE organisation SET policy = 'family'")
    noor = await site.signed_in("caregiver@example.test")

    assert (await noor.post("emergencies", opening(other.space))).status_code == 403


async def test_it_asks_once_more_who_one_is(site, clock, home, other):
    noor = await site.signed_in("caregiver@example.test")
    clock.move(minutes=6)

    listed = await noor.get(f"emergencies/units/{other.unit}/residents")
    opened = await noor.post("emergencies", opening(other.space))

    assert [listed.json()["code"], opened.json()["code"]] == ["step_up_needed"] * 2
    assert await site.database.sql("SELECT FROM emergency") == []


async def test_a_reason_that_says_nothing_is_none(site, home, other):
    noor = await site.signed_in("caregiver@example.test")

    answer = await noor.post("emergencies", opening(other.space, reason="  behövs   "))

    assert (answer.status_code, answer.json()["field"]) == (400, "reason")


async def test_who_is_seen_already_or_lives_elsewhere_is_not_opened(site, database, home, other):
    noor = await site.signed_in("caregiver@example.test")
    strange = await a_home(database, name="Annanstans", email_domain="other.test")

    seen = await noor.post("emergencies", opening(home.space))
    foreign = await noor.post("emergencies", opening(strange.space))
    nobody = await noor.post("emergencies", opening(new_id(site.clock.now)))

    assert (seen.status_code, seen.json()["code"]) == (409, "seen_already")
    assert (foreign.status_code, foreign.text) == (nobody.status_code, nobody.text)
    assert foreign.status_code == 404


async def test_the_sixth_of_a_day_is_no_emergency_even_when_all_are_sent_at_once(
    site, database, home, other
):
    noor = await site.signed_in("caregiver@example.test")
    many = [await a_resident(database, home.org, other.unit, name=f"Boende {n}") for n in range(7)]

    answers = await asyncio.gather(
        *(noor.post("emergencies", opening(each.space)) for each in many)
    )

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 2
    assert {a.json().get("code") for a in answers if a.status_code == 409} == {"many_emergencies"}
    site.clock.move(hours=25)
    again = await site.signed_in("caregiver@example.test")
    assert (await again.post("emergencies", opening(many[0].space))).status_code == 201


async def test_who_answers_for_the_resident_is_told_at_once_and_nothing_is_said_of_whom(
    site, database, home, other
):
    await a_contact(database, home.org, other.manager, "eva@example.test")
    noor = await site.signed_in("caregiver@example.test")

    opened = (await noor.post("emergencies", opening(other.space))).json()

    [told] = await database.sql("SELECT account_id, channel, kind, subject FROM delivery")
    assert (told["account_id"], told["channel"]) == (other.manager, "email")
    assert (told["kind"], told["subject"]) == ("notice", f"emergency/{opened['id']}")


async def test_what_is_read_that_way_stands_in_the_log_as_an_emergency(site, database, home, other):
    noor = await site.signed_in("caregiver@example.test")
    await noor.post("emergencies", opening(other.space))

    for space in (other.space, home.space):
        answer = await noor.http.get(f"/sync/v1/snapshot/{space}")
        assert answer.status_code == 200, answer.text

    lines = await database.sql("SELECT space_id, purpose FROM access_log WHERE kind = 'read'")
    purposes = {line["space_id"]: line["purpose"] for line in lines}
    assert purposes == {other.space: "emergency", home.space: "care"}
    events = await database.sql("SELECT event FROM audit WHERE event LIKE 'emergency%'")
    assert [line["event"] for line in events] == ["emergency_opened"]


async def test_somebody_else_looks_at_it_and_what_is_decided_stays(site, home, other):
    noor = await site.signed_in("caregiver@example.test")
    opened = (await noor.post("emergencies", opening(other.space))).json()
    eva = await site.as_account(home.org, other.manager)
    path = f"logs/emergencies/{opened['id']}"

    [shown] = (await eva.get("logs/emergencies")).json()
    assert (shown["person"], shown["resident"], shown["cause"]) == ("Noor", "Olle", "cover")
    assert (shown["reason"], shown["outcome"]) == (REASON, None)
    unsaid = await eva.put(path, {"outcome": "forbidden"})
    asked = await eva.put(path, {"outcome": "follow_up", "note": "Talar med Noor."})
    decided = await eva.put(path, {"outcome": "reasonable"})
    again = await eva.put(path, {"outcome": "forbidden", "note": "Nej."})

    assert (unsaid.status_code, unsaid.json()["field"]) == (400, "note")
    assert (asked.status_code, asked.json()["note"]) == (200, "Talar med Noor.")
    assert (decided.status_code, decided.json()["reviewer"]) == (200, "Eva")
    assert (again.status_code, again.json()["code"]) == (409, "decided")


async def test_nobody_reads_or_decides_what_is_not_theirs_to_answer_for(
    site, database, home, other
):
    noor = await site.signed_in("caregiver@example.test")
    opened = (await noor.post("emergencies", opening(other.space))).json()
    elsewhere = await an_account(database, home.org, "manager", name="Mira")
    await a_relation(database, home.org, elsewhere, unit=home.unit, permissions=MANAGING)
    mira = await site.as_account(home.org, elsewhere)
    path = f"logs/emergencies/{opened['id']}"

    assert (await mira.get("logs/emergencies")).json() == []
    assert (await mira.put(path, {"outcome": "reasonable"})).status_code == 404
    assert (await noor.get("logs/emergencies")).status_code == 403
    assert (await noor.put(path, {"outcome": "reasonable"})).status_code == 403
    admin = await site.signed_in("admin@example.test")
    assert (await admin.get("logs/emergencies")).status_code == 403


async def test_why_lies_sealed_and_goes_with_the_residents_key(site, database, home, other):
    noor = await site.signed_in("caregiver@example.test")
    await noor.post("emergencies", opening(other.space))

    [row] = await database.sql("SELECT reason FROM emergency")

    assert REASON not in row["reason"]
    assert row["reason"].startswith("\x01S")

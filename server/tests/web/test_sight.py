"""What a person sees and may do, as whoever manages them is told: it must be what they then can."""

from datetime import timedelta
from urllib.parse import quote

from browsers import NOW
from builders import a_home, a_relation, a_resident, a_unit, an_account


async def _sight(browser, account, at=None):
    asked = f"?at={quote(at.isoformat())}" if at else ""
    answer = await browser.get(f"accounts/{account}/sight{asked}")
    assert answer.status_code == 200, answer.text
    return {entry["space"]: entry["permissions"] for entry in answer.json()}


async def test_what_is_told_is_what_the_person_is_given_when_they_come(site):
    home = await a_home(site.database)
    other = await a_resident(site.database, home.org, await a_unit(site.database, home.org))
    anna = await an_account(site.database, home.org, "nurse", name="Anna")
    words = ("plan.view", "outcome.record", "medication.view", "medication.sign")
    await a_relation(site.database, home.org, anna, space=home.space, permissions=words)
    admin = await site.signed_in("admin@example.test")

    told = await _sight(admin, anna)

    session = (await (await site.as_account(home.org, anna)).get("session")).json()
    [given] = session["residents"]
    assert told[given["space"]] == list(words)
    assert sorted(words) == given["permissions"]
    assert told[str(other.space)] == []


async def test_what_ends_is_told_for_the_day_after(site):
    home = await a_home(site.database)
    anna = await an_account(site.database, home.org, "relative", name="Anna")
    until = NOW + timedelta(days=7)
    await a_relation(
        site.database, home.org, anna, space=home.space, permissions=("plan.view",), valid_to=until
    )
    admin = await site.signed_in("admin@example.test")

    before = await _sight(admin, anna, until - timedelta(minutes=1))
    after = await _sight(admin, anna, until)
    past = await admin.get(
        f"accounts/{anna}/sight?at={quote((NOW - timedelta(days=1)).isoformat())}"
    )

    assert before[str(home.space)] == ["plan.view"]
    assert after[str(home.space)] == []
    assert (past.status_code, past.json()["field"]) == (400, "at")


async def test_whoever_is_disabled_sees_nothing(site):
    home = await a_home(site.database)
    anna = await an_account(
        site.database, home.org, "nurse", name="Anna", email="anna@example.test"
    )
    await a_relation(site.database, home.org, anna, unit=home.unit)
    admin = await site.signed_in("admin@example.test")

    answer = await admin.patch(f"accounts/{anna}", {"disabled": True})

    assert answer.status_code == 200, answer.text
    assert set(map(tuple, (await _sight(admin, anna)).values())) == {()}


async def test_a_manager_hears_of_the_residents_of_their_units_alone(site):
    home = await a_home(site.database)
    elsewhere = await a_unit(site.database, home.org)
    other = await a_resident(site.database, home.org, elsewhere)
    anna = await an_account(site.database, home.org, "nurse", name="Anna")
    for unit in (home.unit, elsewhere):
        await a_relation(site.database, home.org, anna, unit=unit)
    mira = await an_account(site.database, home.org, "manager", name="Mira")
    await a_relation(
        site.database, home.org, mira, unit=home.unit, permissions=("plan.view", "care.manage")
    )

    told = await _sight(await site.as_account(home.org, mira), anna)

    assert str(home.space) in told
    assert str(other.space) not in told

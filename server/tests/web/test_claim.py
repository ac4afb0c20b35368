"""An empty installation is claimed once, with the token that the operator was shown."""

import pytest
from browsers import NOW

from mos.care.actions import new_claim_token
from mos.kernel.errors import Conflict

DEVICE = "01940000-0000-7000-8000-000000000001"


def _claim(token, **changed):
    return {
        "token": token,
        "organisation": {
            "name": "Familjen Ek", "policy": "family", "zone": "Europe/Stockholm", "language": "sv",
        },
        "name": "Maja Ek",
        "email": "Maja@example.test",
        "password": "a long enough password",
        "device_id": DEVICE,
        **changed,
    }  # fmt: skip


async def _empty(database, *, demo=False):
    await database.sql("INSERT INTO installation (demo, created_at) VALUES ($1, $2)", demo, NOW)


async def _token(database):
    async with database.app.transaction() as db:
        return await new_claim_token(db, NOW)


async def test_the_token_founds_a_family_and_signs_in_whoever_set_it_up(site):
    await _empty(site.database)
    token = await _token(site.database)
    browser = await site.browser()
    assert (await browser.get("installation")).json()["claimed"] is False

    answer = await browser.post("claim", _claim(token))

    assert answer.status_code == 201, answer.text
    assert answer.json()["account"]["role"] == "relative"
    assert answer.json()["manages"] is True
    assert answer.json()["organisation"]["policy"] == "family"
    assert [unit["name"] for unit in answer.json()["units"]] == ["Familjen Ek"]
    assert (await browser.get("session")).status_code == 200
    assert (await browser.get("installation")).json()["claimed"] is True
    await site.signed_in("maja@example.test")


async def test_a_care_provider_begins_without_units(site):
    await _empty(site.database)
    token = await _token(site.database)
    browser = await site.browser()
    organisation = {**_claim(token)["organisation"], "policy": "care_record"}

    answer = await browser.post("claim", _claim(token, organisation=organisation))

    assert answer.json()["units"] == []
    assert answer.json()["account"]["role"] == "admin"
    assert answer.json()["manages"] is True


async def _a_family(site):
    """The browser of whoever has just founded a family, its unit, and the session's body."""
    await _empty(site.database)
    browser = await site.browser()
    body = (await browser.post("claim", _claim(await _token(site.database)))).json()
    return browser, body["units"][0]["id"], body


async def test_who_sets_a_family_up_manages_it_and_sees_everybody_who_is_added(site):
    browser, unit, _ = await _a_family(site)

    elsa = await browser.post("residents", {"name": "Elsa", "unit": unit, "language": "sv"})
    assert elsa.status_code == 201, elsa.text
    [seen] = (await browser.get("session")).json()["residents"]

    assert seen["name"] == "Elsa"
    assert set(seen["permissions"]) == {
        "plan.view", "plan.edit", "outcome.record", "alert.take", "meals.view", "meals.edit",
        "medication.view", "medication.edit", "statistics.view", "care.manage", "log.view",
    }  # fmt: skip
    pulled = await browser.http.post(
        "/sync/v1/pull",
        headers={"x-mos": "1"},
        json={"proto": 1, "schema": 1, "device_id": DEVICE, "spaces": {seen["space"]: ""}},
    )
    assert pulled.json()["spaces"][0]["rows"][0][0] == "profile"
    for list_ in ("units", "accounts", "residents", "relations"):
        assert len((await browser.get(list_)).json()) >= 1, list_


async def _a_second_relative(browser, unit):
    body = {"role": "relative", "name": "Bo", "email": "bo@example.test", "language": "sv"}
    made = (await browser.post("accounts", {**body, "units": [unit]})).json()
    link = (await browser.post(f"accounts/{made['id']}/invitations", {"kind": "password"})).json()
    return made["id"], link["token"]


async def test_a_family_shares_the_managing_and_its_last_manager_stays(site):
    browser, unit, me = await _a_family(site)
    bo, token = await _a_second_relative(browser, unit)
    relations = (await browser.get("relations")).json()
    mine = next(each for each in relations if each["account"] == me["account"]["id"])
    his = next(each for each in relations if each["account"] == bo)
    assert set(his["permissions"]) == {"plan.view", "alert.take"}
    later = "2027-01-01T00:00:00Z"

    async def step_down():
        looks = {"permissions": ["plan.view"]}
        return [
            await browser.patch(f"relations/{mine['id']}", {"valid_to": later}),
            await browser.patch(f"accounts/{me['account']['id']}", {"role": "caregiver"}),
            await browser.patch(f"relations/{mine['id']}", looks),
            await browser.delete(f"relations/{mine['id']}"),
        ]

    for refused in await step_down():
        assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    shared = await browser.patch(
        f"relations/{his['id']}", {"permissions": ["plan.view", "alert.take", "care.manage"]}
    )
    assert shared.status_code == 200
    # Whoever has not chosen a password yet cannot manage anything.
    for refused in await step_down():
        assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    other = await site.browser()
    accepted = await other.post(
        "invitations/accept",
        {"token": token, "password": "a long enough password", "device_id": str(other.device)},
    )

    assert accepted.json()["manages"] is True
    assert (await browser.delete(f"relations/{mine['id']}")).is_success
    assert (await browser.get("session")).json()["manages"] is False
    assert (await browser.get("relations")).status_code == 403
    assert (await other.delete(f"relations/{his['id']}")).json()["code"] == "last_admin"


async def test_a_relative_who_manages_makes_no_administrators(site):
    browser, unit, me = await _a_family(site)
    body = {"name": "Bo", "email": "bo@example.test", "language": "sv"}

    for role in ("admin", "manager", "auditor"):
        answer = await browser.post("accounts", {**body, "role": role, "units": [unit]})
        assert answer.status_code == 403, role
        own = await browser.patch(f"accounts/{me['account']['id']}", {"role": role})
        assert own.status_code == 403, role
    other = {"name": "Annan", "zone": "Europe/Stockholm", "language": "sv"}
    assert (await browser.post("units", other)).status_code == 403


async def test_a_wrong_token_opens_nothing(site):
    await _empty(site.database)
    await _token(site.database)
    browser = await site.browser()

    answer = await browser.post("claim", _claim("x" * 43))

    assert (answer.status_code, answer.json()["code"]) == (403, "claim_token")
    assert await site.database.sql("SELECT 1 FROM organisation") == []


async def test_an_installation_is_claimed_once(site):
    await _empty(site.database)
    token = await _token(site.database)
    browser = await site.browser()
    await browser.post("claim", _claim(token))

    again = await browser.post("claim", _claim(token, email="other@example.test"))

    assert (again.status_code, again.json()["code"]) == (409, "claimed")
    with pytest.raises(Conflict):
        await _token(site.database)


async def test_a_newer_token_replaces_the_one_before(site):
    await _empty(site.database)
    old = await _token(site.database)
    new = await _token(site.database)
    browser = await site.browser()

    assert (await browser.post("claim", _claim(old))).status_code == 403
    assert (await browser.post("claim", _claim(new))).status_code == 201


async def test_an_unprepared_database_cannot_be_claimed(site):
    browser = await site.browser()

    assert (await browser.post("claim", _claim("x" * 43))).status_code == 409
    assert (await browser.get("installation")).json() == {
        "claimed": False, "demo": False, "version": "0.1.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "Lösenord123"}, "password"),
        ({"password": "maja@example.test"}, "password"),
        ({"name": "  "}, "name"),
        ({"email": "not an address"}, "email"),
        (
            {"organisation": {**_claim("")["organisation"], "zone": "Europe/Atlantis"}},
            "organisation.zone",
        ),
    ],
)
async def test_what_is_wrong_in_a_claim_is_named(site, changed, field):
    await _empty(site.database)
    token = await _token(site.database)
    browser = await site.browser()

    answer = await browser.post("claim", _claim(token, **changed))

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
    assert (await browser.post("claim", _claim(token))).status_code == 201


async def test_only_a_demo_tells_who_can_be_tried_out(site):
    from builders import a_home

    await a_home(site.database)
    browser = await site.browser()
    await _empty(site.database, demo=False)
    told = (await browser.get("installation")).json()
    assert {"demo_accounts", "demo_password"} & told.keys() == set()

    await site.database.sql("UPDATE installation SET demo = true, demo_password = 'try me'")

    told = (await browser.get("installation")).json()
    assert told["demo_password"] == "try me"
    noor = {"email": "caregiver@example.test", "name": "Noor", "role": "caregiver", "face": ""}
    assert noor in told["demo_accounts"]
    assert (await site.signed_in("caregiver@example.test")).body["demo"] is True

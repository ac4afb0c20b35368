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


async def test_the_token_founds_the_organisation_and_signs_its_administrator_in(site):
    await _empty(site.database)
    token = await _token(site.database)
    browser = await site.browser()
    assert (await browser.get("installation")).json()["claimed"] is False

    answer = await browser.post("claim", _claim(token))

    assert answer.status_code == 201, answer.text
    assert answer.json()["account"]["role"] == "admin"
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
    assert "demo_accounts" not in (await browser.get("installation")).json()

    await site.database.sql("UPDATE installation SET demo = true")

    offered = (await browser.get("installation")).json()["demo_accounts"]
    assert {"email": "caregiver@example.test", "name": "Noor", "role": "caregiver"} in offered
    assert (await site.signed_in("caregiver@example.test")).body["demo"] is True

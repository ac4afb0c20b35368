"""Everybody who works here needs a second step: after a time of grace, and nobody is shut out."""

from base64 import b32decode

import pytest
from browsers import Browser
from builders import PASSWORD, a_home, an_account
from test_second_factor import code_of, enrol, knock

ADMIN = "admin@example.test"


@pytest.fixture
async def home(site):
    return await a_home(site.database)


async def turn(admin: Browser, *, on: bool = True):
    return await admin.put("organisation/second-factor", {"required": on})


async def set_up(browser, email="caregiver@example.test", password=PASSWORD):
    body = {"email": email, "password": password, "device_id": str(browser.device)}
    return await browser.post("session/second-factor", body)


async def test_after_two_weeks_a_password_alone_lets_no_staff_in(site, home, clock):
    admin = await site.signed_in(ADMIN)

    rule = (await turn(admin)).json()

    assert (rule["since"], rule["missing"]) == ("2026-12-09T09:00:00Z", 2)
    clock.move(days=14, seconds=-1)
    assert (await knock(await site.browser())).status_code == 201
    clock.move(seconds=1)
    answer = await knock(await site.browser())
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_needed")


async def test_whoever_has_nothing_yet_sets_it_up_at_the_door(site, home, clock):
    await turn(await site.signed_in(ADMIN))
    clock.move(days=14)
    browser = await site.browser()

    begun = await set_up(browser)
    secret = b32decode(begun.json()["key"].replace(" ", ""))
    wrong = await knock(browser, "000000")
    entered = await knock(browser, code_of(secret, clock))
    clock.move(seconds=30)

    assert wrong.json()["code"] == "code_wrong"
    assert entered.status_code == 201
    # Signed in by both: the paper comes next, and nothing is asked once more.
    assert (await browser.post("account/recovery-codes")).status_code == 201
    assert (await knock(await site.browser())).json()["code"] == "code_needed"
    assert (await set_up(browser)).json()["code"] == "totp_off"


async def test_the_door_shows_a_secret_to_whoever_knows_the_password_alone(site, home, clock):
    await turn(await site.signed_in(ADMIN))
    browser = await site.browser()
    early = await set_up(browser)
    clock.move(days=14)

    wrong = await set_up(browser, password="not the right one")
    nobody = await set_up(browser, email="nobody@example.test")

    assert (early.status_code, early.json()["code"]) == (409, "totp_off")
    assert wrong.json() == nobody.json()
    assert wrong.json()["code"] == "sign_in_failed"


async def test_a_passkey_is_asked_for_where_it_is_the_second_step(site, home, clock):
    await turn(await site.signed_in(ADMIN))
    await site.database.sql(
        "INSERT INTO passkey (org_id, passkey_id, account_id, credential, public_key, sign_count, "
        "transports, synced, name, created_at) "
        "VALUES ($1, $2, $2, 'x', '', 0, '{}', false, 'Telefon', now())",
        home.org, home.caregiver,
    )  # fmt: skip
    clock.move(days=14)
    browser = await site.browser()

    # The password alone must not make another second step beside the one that is there.
    assert (await knock(browser)).json()["code"] == "passkey_needed"
    assert (await set_up(browser)).json()["code"] == "totp_off"


async def test_whoever_came_later_has_two_weeks_of_their_own(site, home, clock):
    await turn(await site.signed_in(ADMIN))
    clock.move(days=20)
    new = await an_account(
        site.database, home.org, "nurse", email="ny@example.test", password=PASSWORD
    )
    await site.database.sql(
        "UPDATE account SET created_at = $2 WHERE account_id = $1", new, clock.now
    )

    assert (await knock(await site.browser(), email="ny@example.test")).status_code == 201
    clock.move(days=14)
    late = await knock(await site.browser(), email="ny@example.test")
    assert late.json()["code"] == "second_factor_needed"


async def test_relatives_choose_for_themselves(site, home, clock):
    await an_account(
        site.database, home.org, "relative", email="far@example.test", password=PASSWORD
    )
    await turn(await site.signed_in(ADMIN))
    clock.move(days=15)

    assert (await knock(await site.browser(), email="far@example.test")).status_code == 201


async def test_a_link_lets_its_person_in_who_has_nothing_yet(site, home, clock):
    admin = await site.signed_in(ADMIN)
    await turn(admin)
    clock.move(days=13)
    await admin.post("session/step-up/password", {"password": PASSWORD})
    link = await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})
    clock.move(days=2)
    browser = await site.browser()
    body = {
        "token": link.json()["token"], "device_id": str(browser.device),
        "password": "another long enough one",
    }  # fmt: skip

    assert (await browser.post("invitations/accept", body)).status_code == 201
    assert (await browser.get("account/totp")).json()["due"] == "2026-12-09T09:00:00Z"


async def test_the_rule_is_turned_off_and_counts_who_has_something(site, home, clock):
    admin = await site.signed_in(ADMIN)
    await turn(admin)
    await enrol(await site.signed_in("caregiver@example.test"), clock)

    assert (await admin.get("organisation/second-factor")).json()["missing"] == 1
    assert (await turn(admin, on=False)).json()["since"] is None
    clock.move(days=20)
    assert (await knock(await site.browser(), email=ADMIN)).status_code == 201
    rows = await site.database.sql("SELECT event FROM audit ORDER BY n")
    events = [row["event"] for row in rows]
    assert {"second_factor_required", "second_factor_optional"} <= set(events)

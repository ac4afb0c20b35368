"""Codes from a phone and on paper: asked for after the password, once each, locking nobody out."""

from base64 import b32decode

import pytest
from builders import PASSWORD, a_home, a_relation, an_account
from mail_service import PASSWORD as MAIL_PASSWORD

from mos.care import rules
from mos.care.actions.operator import let_in
from mos.db import Scope

ADA = "ada@example.test"


def code_of(secret: bytes, clock, off: int = 0) -> str:
    return rules.code_of(secret, rules.step_at(clock.now) + off)


async def enrol(browser, clock) -> tuple[bytes, list[str]]:
    """Let whoever is signed in have codes; return their phone's secret and their paper."""
    begun = await browser.post("account/totp")
    assert begun.status_code == 201, begun.text
    secret = b32decode(begun.json()["key"].replace(" ", ""))
    done = await browser.post("account/totp/confirm", {"code": code_of(secret, clock)})
    assert done.status_code == 200, done.text
    # The code that proved it has been used: the next one is a step away.
    clock.move(seconds=30)
    return secret, done.json()["codes"]


async def knock(browser, code=None, *, email="caregiver@example.test", password=PASSWORD):
    body = {"email": email, "password": password, "device_id": str(browser.device)}
    if code is not None:
        body["code"] = code
    return await browser.post("session", body)


@pytest.fixture
async def home(site):
    return await a_home(site.database)


async def events(site):
    rows = await site.database.sql("SELECT event FROM audit ORDER BY org_id, n")
    return [row["event"] for row in rows]


async def test_a_code_is_asked_for_after_the_password_and_not_before(site, home, clock):
    secret, _ = await enrol(await site.signed_in("caregiver@example.test"), clock)
    browser = await site.browser()

    wrong = await knock(browser, password="not the right one")
    guessed = await knock(browser, code_of(secret, clock), password="not the right one")
    asked = await knock(browser)
    refused = await knock(browser, "000000")
    entered = await knock(browser, code_of(secret, clock))

    # Whoever does not know the password does not learn that there is more.
    assert wrong.json() == guessed.json()
    assert wrong.json()["code"] == "sign_in_failed"
    assert (asked.status_code, asked.json()["code"]) == (401, "code_needed")
    assert (refused.status_code, refused.json()["code"]) == (401, "code_wrong")
    assert entered.status_code == 201
    [row] = await site.database.sql(
        "SELECT methods FROM session WHERE session_id = $1", entered.json()["sid"]
    )
    assert row["methods"] == ["password", "totp"]


async def test_no_code_counts_twice_at_the_door_or_inside(site, home, clock):
    inside = await site.signed_in("caregiver@example.test")
    secret, _ = await enrol(inside, clock)
    code = code_of(secret, clock)

    first = await knock(await site.browser(), code)
    again = await knock(await site.browser(), code)
    stepped = await inside.post("session/step-up/code", {"code": code})

    assert first.status_code == 201
    assert again.json()["code"] == "code_wrong"
    assert stepped.json()["code"] == "code_wrong"


async def test_a_code_on_paper_opens_once_and_is_kept_as_a_hash(site, home, clock):
    _, paper = await enrol(await site.signed_in("caregiver@example.test"), clock)
    assert len(set(paper)) == 10

    entered = await knock(await site.browser(), paper[0].lower().replace("-", " "))
    again = await knock(await site.browser(), paper[0])
    browser = await site.browser()
    assert (await knock(browser, paper[1])).status_code == 201
    state = (await browser.get("account/totp")).json()

    assert entered.status_code == 201
    assert again.json()["code"] == "code_wrong"
    assert (state["on"], state["codes_left"]) == (True, 8)
    kept = str(await site.database.sql("SELECT * FROM recovery_code"))
    assert not any(code in kept or code.replace("-", "") in kept for code in paper)
    assert (await events(site)).count("recovery_code_used") == 2


async def test_new_paper_makes_the_old_one_worthless(site, home, clock):
    browser = await site.signed_in("caregiver@example.test")
    _, old = await enrol(browser, clock)

    fresh = (await browser.post("account/recovery-codes")).json()["codes"]

    assert (await knock(await site.browser(), old[3])).json()["code"] == "code_wrong"
    assert (await knock(await site.browser(), fresh[3])).status_code == 201


async def test_the_secret_lies_sealed_and_is_shown_once(site, home, clock):
    browser = await site.signed_in("caregiver@example.test")
    secret, _ = await enrol(browser, clock)

    [row] = await site.database.sql("SELECT secret, pending FROM totp")

    assert secret not in bytes(row["secret"])
    assert row["pending"] is None
    assert (await browser.get("account/totp")).json().keys() == {
        "on", "since", "codes_left", "due",
    }  # fmt: skip


async def test_a_password_alone_steps_up_to_nothing_once_there_are_codes(site, home, clock):
    browser = await site.signed_in("caregiver@example.test")
    secret, paper = await enrol(browser, clock)
    clock.move(minutes=6)

    asked = await browser.delete("account/totp")
    by_password = await browser.post("session/step-up/password", {"password": PASSWORD})
    wrong = await browser.post("session/step-up/code", {"code": "000000"})
    right = await browser.post("session/step-up/code", {"code": code_of(secret, clock)})

    assert (asked.json()["code"], asked.json()["methods"]) == (
        "step_up_needed", ["totp", "recovery"],
    )  # fmt: skip
    assert by_password.json()["code"] == "code_needed"
    assert (wrong.status_code, wrong.json()["code"]) == (403, "code_wrong")
    assert right.status_code == 204
    clock.move(minutes=6)
    assert (await browser.post("session/step-up/code", {"code": paper[0]})).status_code == 204
    assert (await browser.delete("account/totp")).status_code == 204
    assert (await knock(await site.browser())).status_code == 201


async def test_a_session_that_was_opened_with_a_code_has_stepped_up(site, home, clock):
    secret, _ = await enrol(await site.signed_in("admin@example.test"), clock)
    browser = await site.browser()
    await knock(browser, code_of(secret, clock), email="admin@example.test")

    assert (await browser.patch(f"units/{home.unit}", {"name": "Ny"})).status_code == 200


async def test_a_new_phone_counts_once_it_is_confirmed_and_the_old_one_no_more(site, home, clock):
    browser = await site.signed_in("caregiver@example.test")
    old, _ = await enrol(browser, clock)
    begun = (await browser.post("account/totp")).json()
    new = b32decode(begun["key"].replace(" ", ""))

    assert (await knock(await site.browser(), code_of(new, clock))).json()["code"] == "code_wrong"
    assert (await knock(await site.browser(), code_of(old, clock))).status_code == 201
    wrong = await browser.post("account/totp/confirm", {"code": "000000"})
    done = await browser.post("account/totp/confirm", {"code": code_of(new, clock)})
    clock.move(seconds=30)

    assert (wrong.status_code, wrong.json()["code"]) == (400, "code_wrong")
    assert done.status_code == 200
    assert (await knock(await site.browser(), code_of(old, clock))).json()["code"] == "code_wrong"
    assert (await knock(await site.browser(), code_of(new, clock))).status_code == 201
    assert {"totp_set", "totp_changed"} <= set(await events(site))


async def test_a_secret_that_nobody_confirmed_in_time_is_none(site, home, clock):
    browser = await site.signed_in("caregiver@example.test")
    begun = (await browser.post("account/totp")).json()
    clock.move(minutes=15)

    secret = b32decode(begun["key"].replace(" ", ""))
    late = await browser.post("account/totp/confirm", {"code": code_of(secret, clock)})

    assert (late.status_code, late.json()["code"]) == (409, "totp_off")
    assert (await knock(await site.browser())).status_code == 201


async def test_wrong_codes_wait_and_close_no_door_of_the_device_that_knows_its_person(
    site, home, clock
):
    own = await site.signed_in("caregiver@example.test")
    secret, _ = await enrol(own, clock)
    thief = await site.browser(client="203.0.113.9")

    answers = [await knock(thief, "000000") for _ in range(6)]

    assert [answer.json()["code"] for answer in answers] == ["code_wrong"] * 5 + ["too_many"]
    assert (await knock(thief, code_of(secret, clock))).json()["code"] == "too_many"
    assert (await knock(own, code_of(secret, clock))).status_code == 201


async def test_whoever_does_not_know_the_password_reaches_no_code(site, home, clock):
    secret, _ = await enrol(await site.signed_in("caregiver@example.test"), clock)
    for number in range(30):
        stranger = await site.browser(client=f"203.0.113.{number}")
        await knock(stranger, "000000", password="not the right one")
    clock.move(hours=2)

    assert (await knock(await site.browser(), code_of(secret, clock))).status_code == 201


async def test_a_link_for_a_new_password_does_not_pass_the_code_by(site, home, clock):
    secret, _ = await enrol(await site.signed_in("caregiver@example.test"), clock)
    admin = await site.signed_in("admin@example.test")
    link = await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})
    browser = await site.browser()
    body = {
        "token": link.json()["token"], "device_id": str(browser.device),
        "password": "another long enough one",
    }  # fmt: skip

    asked = await browser.post("invitations/accept", body)
    wrong = await browser.post("invitations/accept", body | {"code": "000000"})
    right = await browser.post("invitations/accept", body | {"code": code_of(secret, clock)})

    assert (asked.status_code, asked.json()["code"]) == (401, "code_needed")
    assert wrong.json()["code"] == "code_wrong"
    assert right.status_code == 201


async def test_a_resident_has_no_codes(site, home):
    tablet = await site.as_account(home.org, home.resident.account)

    assert (await tablet.post("account/totp")).status_code == 403


async def _colleague(site, home, mail=None):
    if mail is not None:
        from builders import a_channel

        await a_channel(site.database, home.org, "email", mail.settings, secret=MAIL_PASSWORD)
    account = await an_account(
        site.database, home.org, "nurse", name="Ada", email=ADA, password=PASSWORD
    )
    await a_relation(site.database, home.org, account, unit=home.unit)
    return account


async def test_a_manager_removes_a_colleagues_second_step_who_is_told(site, home, clock, mail):
    ada = await _colleague(site, home, mail)
    theirs = await site.signed_in(ADA)
    await enrol(theirs, clock)
    admin = await site.signed_in("admin@example.test")
    clock.move(minutes=6)

    asked = await admin.delete(f"accounts/{ada}/second-factor")
    await admin.post("session/step-up/password", {"password": PASSWORD})
    done = await admin.delete(f"accounts/{ada}/second-factor")

    assert asked.json()["code"] == "step_up_needed"
    assert (done.status_code, done.json()) == (200, {"told": True})
    assert (await theirs.get("session")).status_code == 401
    assert (await knock(await site.browser(), email=ADA)).status_code == 201
    [told] = mail.mails
    assert told["To"] == ADA
    assert "utloggad" in told.get_content()
    assert "Elsa" not in told.as_string()
    assert "second_factor_reset" in await events(site)


async def test_where_no_mail_is_set_up_the_manager_is_told_so(site, home):
    ada = await _colleague(site, home)
    admin = await site.signed_in("admin@example.test")

    assert (await admin.delete(f"accounts/{ada}/second-factor")).json() == {"told": False}
    own = await admin.delete(f"accounts/{home.admin}/second-factor")
    assert (own.status_code, own.json()["code"]) == (409, "own_account")


async def test_an_administrator_who_lost_all_is_let_in_by_whoever_runs_the_server(
    site, home, clock
):
    admin = await site.signed_in("admin@example.test")
    await enrol(admin, clock)
    async with site.database.app.transaction(Scope(org=home.org)) as db:
        made = await let_in(
            db, home.org, " Admin@Example.test ", clock.now, address="https://mos.example.org"
        )
        nobody = await let_in(db, home.org, ADA, clock.now, address="https://mos.example.org")

    assert nobody is None
    assert made is not None
    assert (made.account, made.totp, made.passkeys) == (home.admin, True, 0)
    assert made.link.startswith("https://mos.example.org/#/")
    assert (await admin.get("session")).status_code == 401
    browser = await site.browser()
    body = {
        "token": made.link.rsplit("/", 1)[1], "device_id": str(browser.device),
        "password": "another long enough one",
    }  # fmt: skip
    assert (await browser.post("invitations/accept", body)).status_code == 201
    assert "second_factor_reset" in await events(site)

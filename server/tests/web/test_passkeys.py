"""Passkeys: signing in without an address, stepping up, and what a liar at the door tries."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from authenticator import Authenticator, coded, decoded
from browsers import Browser, Site, started
from builders import PASSWORD, a_home, an_account
from msgspec import structs


@pytest.fixture
async def home_site(database, clock) -> AsyncIterator[Site]:
    """The application behind a public address with a name and TLS."""
    settings = structs.replace(database.settings, public_url="https://mos.test")
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(started(settings, clock))
        yield Site(app, clock, database, stack, base_url="https://mos.test")


async def made(browser: Browser, *, name: str = "Telefonen") -> Authenticator:
    """A passkey of whoever is signed in here."""
    key = Authenticator()
    options = (await browser.post("account/passkeys/options")).json()
    answer = await browser.post("account/passkeys", {"name": name, "credential": key.make(options)})
    assert answer.status_code == 201, answer.text
    return key


async def asked(browser: Browser) -> dict[str, Any]:
    """What a browser is asked at the door."""
    body = {"device_id": str(browser.device)}
    options: dict[str, Any] = (await browser.post("session/passkey/options", body)).json()
    return options


async def enter(browser: Browser, credential: dict[str, Any]) -> Any:
    """The answer to a credential at the door."""
    return await browser.post(
        "session/passkey", {"credential": credential, "device_id": str(browser.device)}
    )


async def test_a_passkey_signs_in_without_an_address_and_is_seen_to_be_used(home_site, clock):
    await a_home(home_site.database)
    phone = await home_site.signed_in("caregiver@example.test")
    key = await made(phone)
    clock.move(hours=1)
    tablet = await home_site.browser()

    answer = await enter(tablet, key.answer(await asked(tablet)))

    assert answer.status_code == 201
    assert answer.json()["account"]["name"] == "Noor"
    [entry] = (await tablet.get("account/passkeys")).json()
    assert (entry["name"], entry["synced"]) == ("Telefonen", False)
    assert entry["used_at"] == "2026-11-25T10:00:00Z"


async def test_what_is_asked_at_the_door_says_nothing_of_anybody(home_site):
    await a_home(home_site.database)
    await made(await home_site.signed_in("caregiver@example.test"))

    options = await asked(await home_site.browser())

    assert options["rpId"] == "mos.test"
    assert options["userVerification"] == "required"
    assert options["allowCredentials"] == []


async def test_an_answer_counts_once_and_on_its_own_device_alone(home_site):
    await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    tablet, other = await home_site.browser(), await home_site.browser()
    answer = key.answer(await asked(tablet))

    assert (await enter(other, answer)).json()["code"] == "sign_in_failed"
    assert (await enter(tablet, answer)).status_code == 201
    key.count = 0
    assert (await enter(tablet, answer)).json()["code"] == "sign_in_failed"


async def test_a_replayed_answer_is_refused_where_the_authenticator_does_not_count(home_site):
    await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    tablet = await home_site.browser()
    answer = key.answer(await asked(tablet), counts=False)

    assert (await enter(tablet, answer)).status_code == 201
    again = await enter(tablet, answer)

    assert (again.status_code, again.json()["code"]) == (401, "sign_in_failed")


async def test_a_challenge_ends_after_five_minutes(home_site, clock):
    await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    tablet = await home_site.browser()
    options = await asked(tablet)

    clock.move(minutes=5)

    assert (await enter(tablet, key.answer(options))).status_code == 401


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://mos.test.evil.example"},
        {"origin": "http://mos.test"},
        {"rp_id": "evil.example"},
        {"verified": False},
    ],
    ids=lambda lie: str(next(iter(lie.items()))),
)
async def test_a_wrong_origin_party_or_unverified_person_does_not_get_in(home_site, lie):
    await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    tablet = await home_site.browser()

    answer = await enter(tablet, key.answer(await asked(tablet), **lie))

    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")
    assert (await enter(tablet, key.answer(await asked(tablet)))).status_code == 201


async def test_a_challenge_of_ones_own_making_is_refused(home_site):
    await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    tablet = await home_site.browser()
    options = await asked(tablet)
    challenge = decoded(options["challenge"])
    later = challenge[:16] + (2**40).to_bytes(8) + challenge[24:]

    for forged in (b"", b"x" * 16, b"x" * 56, later):
        answer = key.answer({**options, "challenge": coded(forged)})
        assert (await enter(tablet, answer)).status_code == 401


async def test_a_changed_answer_is_refused_part_by_part(home_site):
    await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    tablet = await home_site.browser()

    for part in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        answer = key.answer(await asked(tablet))
        whole = decoded(answer["response"][part])
        for spoilt in (b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b"\xff" * 40):
            answer["response"][part] = coded(spoilt)
            refused = await enter(tablet, answer)
            assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_failed"), part
        # Twenty tries of one network are enough; these are not about that.
        await home_site.database.sql("DELETE FROM sign_in_limit")
    assert (await enter(tablet, key.answer(await asked(tablet)))).status_code == 201


async def test_a_counter_that_goes_back_tells_of_a_copied_key(home_site):
    await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    tablet = await home_site.browser()
    key.count = 7
    assert (await enter(tablet, key.answer(await asked(tablet)))).status_code == 201

    key.count = 3
    copied = await enter(tablet, key.answer(await asked(tablet)))

    assert copied.status_code == 401


async def test_no_key_opens_somebody_elses_account(home_site):
    home = await a_home(home_site.database)
    other = await a_home(home_site.database, name="Annat", email_domain="other.test")
    phone = await home_site.signed_in("caregiver@example.test", organisation=home.org)
    key = await made(phone)
    tablet = await home_site.browser()

    for org, account in ((home.org, home.admin), (other.org, other.admin), (uuid4(), uuid4())):
        key.handle = org.bytes + account.bytes
        assert (await enter(tablet, key.answer(await asked(tablet)))).status_code == 401


async def test_a_disabled_account_does_not_get_in(home_site):
    home = await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    await home_site.database.sql(
        "UPDATE account SET disabled_at = now() WHERE account_id = $1", home.caregiver
    )
    tablet = await home_site.browser()

    assert (await enter(tablet, key.answer(await asked(tablet)))).status_code == 401


async def test_a_passkey_passes_a_lock_that_strangers_caused(home_site):
    await a_home(home_site.database)
    key = await made(await home_site.signed_in("caregiver@example.test"))
    stranger = await home_site.browser(client="203.0.113.9")
    for _ in range(6):
        locked = await stranger.sign_in("caregiver@example.test", "a wrong password")
    assert locked.status_code == 429
    tablet = await home_site.browser()

    assert (await enter(tablet, key.answer(await asked(tablet)))).status_code == 201


async def test_a_passkey_is_made_for_whoever_asked_and_kept_once(home_site):
    await a_home(home_site.database)
    phone = await home_site.signed_in("caregiver@example.test")
    admin = await home_site.signed_in("admin@example.test")
    key = Authenticator()
    options = (await phone.post("account/passkeys/options")).json()
    body = {"name": "Nyckel", "credential": key.make(options)}

    stolen = await admin.post("account/passkeys", body)
    first = await phone.post("account/passkeys", body)
    again = await phone.post("account/passkeys", body)
    wrong = Authenticator()
    options = (await phone.post("account/passkeys/options")).json()
    elsewhere = await phone.post(
        "account/passkeys",
        {"name": "Nyckel", "credential": wrong.make(options, origin="https://evil.example")},
    )

    assert (stolen.status_code, stolen.json()["code"]) == (400, "passkey_wrong")
    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (400, "passkey_wrong")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "passkey_wrong")


async def test_a_key_that_is_there_is_not_offered_and_not_kept_twice(home_site):
    await a_home(home_site.database)
    phone = await home_site.signed_in("caregiver@example.test")
    key = await made(phone)
    # From now on the key is asked for.
    options = (await phone.post("account/passkeys/options")).json()

    assert [each["id"] for each in options["excludeCredentials"]] == [coded(key.credential)]
    twice = await phone.post("account/passkeys", {"name": "Igen", "credential": key.make(options)})
    assert (twice.status_code, twice.json()["code"]) == (409, "passkey_there")


async def test_passkeys_are_named_and_removed_by_their_person_alone(home_site):
    await a_home(home_site.database)
    phone = await home_site.signed_in("caregiver@example.test")
    admin = await home_site.signed_in("admin@example.test")
    await made(phone)
    [entry] = (await phone.get("account/passkeys")).json()
    path = f"account/passkeys/{entry['id']}"

    assert (await admin.patch(path, {"name": "Min"})).status_code == 404
    assert (await admin.delete(path)).status_code == 404
    assert (await phone.patch(path, {"name": " Köket "})).json()["name"] == "Köket"
    assert (await phone.delete(path)).status_code == 204
    assert (await phone.get("account/passkeys")).json() == []


async def test_the_only_way_in_is_never_removed(home_site):
    home = await a_home(home_site.database)
    phone = await home_site.signed_in("caregiver@example.test")
    await made(phone)
    [entry] = (await phone.get("account/passkeys")).json()
    await home_site.database.sql("DELETE FROM credential WHERE account_id = $1", home.caregiver)

    answer = await phone.delete(f"account/passkeys/{entry['id']}")

    assert (answer.status_code, answer.json()["code"]) == (409, "last_way_in")


async def test_an_address_that_browsers_make_no_passkeys_for_says_so(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    options = await browser.post("account/passkeys/options")

    assert (options.status_code, options.json()["code"]) == (409, "passkeys_off")
    assert "passkeys" not in (await browser.get("installation")).json()


async def test_the_installation_tells_whose_passkeys_it_asks_for(home_site):
    browser = await home_site.browser()

    assert (await browser.get("installation")).json()["passkeys"] == "mos.test"


# ────────────────────────────────────────────────────────────── step-up


def _person(number: int = 1) -> dict[str, Any]:
    return {"role": "caregiver", "name": "Ny", "email": f"ny{number}@example.test",
            "language": "sv"}  # fmt: skip


async def test_changing_people_needs_a_proof_of_the_last_five_minutes(site, clock):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    assert (await admin.post("accounts", _person())).status_code == 201
    clock.move(minutes=5)

    refused = await admin.post("accounts", _person(2))
    wrong = await admin.post("session/step-up/password", {"password": "not mine"})
    right = await admin.post("session/step-up/password", {"password": PASSWORD})

    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_needed")
    assert refused.json()["methods"] == ["password"]
    assert (wrong.status_code, wrong.json()["code"]) == (403, "password_wrong")
    assert right.status_code == 204
    assert (await admin.post("accounts", _person(2))).status_code == 201


async def test_whoever_may_not_is_not_asked_to_step_up(site, clock):
    await a_home(site.database)
    caregiver = await site.signed_in("caregiver@example.test")
    clock.move(minutes=5)

    refused = await caregiver.post("accounts", _person())

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_a_step_up_changes_the_cookie_and_the_old_one_proves_nothing(site, clock):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    before = admin.http.cookies["mos"]
    thief = await site.browser()
    clock.move(minutes=5)

    await admin.post("session/step-up/password", {"password": PASSWORD})

    assert admin.http.cookies["mos"] != before
    thief.http.cookies.set("mos", before)
    # What was on its way is answered, and is not stepped up.
    assert (await thief.get("session")).status_code == 200
    assert (await thief.post("accounts", _person())).json()["code"] == "step_up_needed"
    clock.move(seconds=30)
    assert (await thief.get("session")).status_code == 401
    assert (await admin.get("session")).status_code == 200


async def test_a_session_is_no_way_to_guess_a_password_and_no_stranger_closes_it(site, clock):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    stranger = await site.browser(client="203.0.113.9")
    for _ in range(6):
        await stranger.sign_in("admin@example.test", "a wrong password")

    assert (await admin.post("session/step-up/password", {"password": PASSWORD})).status_code == 204
    for _ in range(5):
        await admin.post("session/step-up/password", {"password": "a guess"})
    locked = await admin.post("session/step-up/password", {"password": PASSWORD})

    assert locked.status_code == 429
    clock.move(minutes=1)
    assert (await admin.post("session/step-up/password", {"password": PASSWORD})).status_code == 204


async def test_whoever_has_a_passkey_steps_up_by_it_alone(home_site, clock):
    await a_home(home_site.database)
    admin = await home_site.signed_in("admin@example.test")
    key = await made(admin)
    clock.move(minutes=5)

    ways = (await admin.get("session/step-up")).json()
    by_password = await admin.post("session/step-up/password", {"password": PASSWORD})
    still = await admin.post("accounts", _person())
    by_key = await admin.post(
        "session/step-up/passkey", {"credential": key.answer(ways["passkey"])}
    )

    assert ways["methods"] == ["passkey"]
    assert [each["id"] for each in ways["passkey"]["allowCredentials"]] == [coded(key.credential)]
    assert (by_password.status_code, by_password.json()["code"]) == (403, "passkey_needed")
    assert still.json()["methods"] == ["passkey"]
    assert by_key.status_code == 204
    assert (await admin.post("accounts", _person())).status_code == 201


async def test_a_password_alone_is_not_stepped_up_where_there_is_a_passkey(home_site):
    await a_home(home_site.database)
    await made(await home_site.signed_in("admin@example.test"))
    tablet = await home_site.signed_in("admin@example.test")

    refused = await tablet.post("accounts", _person())

    assert refused.json()["code"] == "step_up_needed"


async def test_nobody_steps_up_by_anothers_passkey_or_by_an_answer_for_the_door(home_site, clock):
    home = await a_home(home_site.database)
    await an_account(
        home_site.database, home.org, "admin", email="other@example.test", password=PASSWORD
    )
    admin = await home_site.signed_in("admin@example.test")
    other = await home_site.signed_in("other@example.test")
    key, others = await made(admin), await made(other)
    clock.move(minutes=5)
    asked_of_admin = (await admin.get("session/step-up")).json()["passkey"]
    asked_of_other = (await other.get("session/step-up")).json()["passkey"]

    for answer in (
        others.answer(asked_of_admin),
        key.answer(asked_of_other),
        key.answer(await asked(admin)),
    ):
        refused = await admin.post("session/step-up/passkey", {"credential": answer})
        assert (refused.status_code, refused.json()["code"]) == (403, "passkey_wrong")

"""Signing in and out over HTTP."""

from base64 import urlsafe_b64decode
from uuid import uuid4

from builders import PASSWORD, a_home, a_resident, an_account

from mos.care.actions.tokens import new_token, token_hash


async def test_whoever_signs_in_learns_whom_they_help_and_what_they_may_do(site):
    home = await a_home(site.database, residents=2)
    browser = await site.browser()

    answer = await browser.sign_in("caregiver@example.test")

    assert answer.status_code == 201
    body = answer.json()
    assert body["account"] == {
        "id": str(home.caregiver), "name": "Noor", "role": "caregiver", "language": "sv",
    }  # fmt: skip
    assert body["organisation"]["name"] == "Solgläntan"
    assert body["units"] == [{"id": str(home.unit), "name": "Eken"}]
    assert [resident["space"] for resident in body["residents"]] == [
        str(resident.space) for resident in home.residents
    ]
    assert "plan.edit" in body["residents"][0]["permissions"]
    assert {person["name"] for person in body["people"]} == {"Noor", "Elsa 1", "Elsa 2"}
    assert (await browser.get("session")).json() == body


async def test_an_administrator_sees_no_resident_in_the_session(site):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")

    assert admin.body["residents"] == []
    assert [person["name"] for person in admin.body["people"]] == ["Alva"]


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    await a_home(site.database)
    browser = await site.browser()

    answer = await browser.sign_in("caregiver@example.test")

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("mos=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_only_a_hash_of_the_cookie_is_stored(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    [row] = await site.database.sql("SELECT token_hash FROM session")

    token = browser.http.cookies["mos"]
    assert row["token_hash"] == token_hash(token)
    assert token.encode() not in row["token_hash"]


async def test_a_wrong_password_an_unknown_address_and_a_disabled_account_look_alike(site):
    home = await a_home(site.database)
    gone = await an_account(
        site.database, home.org, "caregiver", email="gone@example.test", password=PASSWORD
    )
    await site.database.sql("UPDATE account SET disabled_at = now() WHERE account_id = $1", gone)
    browser = await site.browser()

    answers = [
        await browser.sign_in("caregiver@example.test", "not the password"),
        await browser.sign_in("nobody@example.test", "not the password"),
        await browser.sign_in("gone@example.test"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["code"] == "sign_in_failed"
    assert all("set-cookie" not in answer.headers for answer in answers)


async def test_one_address_signs_in_to_the_organisation_that_is_named(site):
    here = await a_home(site.database)
    there = await a_home(site.database, name="Annat")
    await site.database.sql("DELETE FROM credential WHERE account_id = $1", there.admin)

    first = await site.signed_in("caregiver@example.test", organisation=here.org)
    second = await site.signed_in("caregiver@example.test", organisation=there.org)
    browser = await site.browser()
    wrong = await browser.sign_in("admin@example.test", organisation=there.org)
    unknown = await browser.sign_in("admin@example.test", organisation=uuid4())
    unnamed = await browser.sign_in("admin@example.test")

    assert first.body["account"]["id"] == str(here.caregiver)
    assert second.body["account"]["id"] == str(there.caregiver)
    assert wrong.json() == unknown.json()
    assert (unknown.status_code, unknown.json()["code"]) == (401, "sign_in_failed")
    assert (unnamed.status_code, unnamed.json()["field"]) == (400, "organisation")


async def test_the_only_organisation_need_not_be_named_and_no_other_word_hides_it(site):
    await a_home(site.database)

    await site.signed_in("caregiver@example.test")
    # A device may still know an installation that was here before.
    await site.signed_in("caregiver@example.test", organisation=uuid4())


async def test_the_address_is_known_in_any_case(site):
    await a_home(site.database)
    browser = await site.browser()

    assert (await browser.sign_in(" Caregiver@Example.TEST ")).status_code == 201


async def test_nobody_is_signed_in_without_a_cookie_or_with_a_wrong_one(site):
    browser = await site.browser()
    assert (await browser.get("session")).json()["code"] == "signed_out"

    browser.http.cookies.set("mos", "x" * 43)
    answer = await browser.get("session")

    assert answer.status_code == 401
    assert answer.json()["code"] == "session_expired"


async def test_signing_out_ends_the_session_and_forgets_the_cookie(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    token = browser.http.cookies["mos"]

    answer = await browser.delete("session")

    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    browser.http.cookies.set("mos", token)
    assert (await browser.get("session")).status_code == 401


async def test_signing_out_everywhere_ends_every_session(site):
    await a_home(site.database)
    phone = await site.signed_in("caregiver@example.test")
    tablet = await site.signed_in("caregiver@example.test")

    assert (await phone.delete("sessions")).status_code == 204

    assert (await tablet.get("session")).status_code == 401


async def test_people_see_their_own_sessions_and_end_one(site):
    await a_home(site.database)
    phone = await site.signed_in("caregiver@example.test")
    tablet = await site.signed_in("caregiver@example.test")
    await site.signed_in("admin@example.test")

    listed = (await phone.get("sessions")).json()
    assert [entry["current"] for entry in listed].count(True) == 1
    assert {entry["device"] for entry in listed} == {str(phone.device), str(tablet.device)}
    other = next(entry for entry in listed if not entry["current"])

    assert (await phone.delete(f"sessions/{other['id']}")).status_code == 204
    assert (await tablet.get("session")).status_code == 401
    assert (await phone.get("session")).status_code == 200


async def test_nobody_ends_a_session_of_somebody_else(site):
    await a_home(site.database)
    caregiver = await site.signed_in("caregiver@example.test")
    admin = await site.signed_in("admin@example.test")
    [entry] = (await caregiver.get("sessions")).json()

    answer = await admin.delete(f"sessions/{entry['id']}")

    assert answer.status_code == 404
    assert (await caregiver.get("session")).status_code == 200


async def test_a_supporters_session_ends_after_two_idle_weeks(site, clock):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    clock.move(days=13)
    assert (await browser.get("session")).status_code == 200
    clock.move(days=14, seconds=1)
    assert (await browser.get("session")).status_code == 401


async def test_a_supporters_session_ends_after_a_month_however_busy(site, clock):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    for _ in range(6):
        clock.move(days=4, hours=23)
        assert (await browser.get("session")).status_code == 200
    clock.move(days=1)

    assert (await browser.get("session")).status_code == 401


async def test_a_residents_tablet_stays_signed_in_while_it_is_used(site, clock):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    link = (
        await admin.post(f"accounts/{home.resident.account}/invitations", {"kind": "device"})
    ).json()
    tablet = await site.browser()
    await tablet.post(
        "invitations/accept", {"token": link["token"], "device_id": str(tablet.device)}
    )

    for _ in range(10):
        clock.move(days=59)
        assert (await tablet.get("session")).status_code == 200
    clock.move(days=60, seconds=1)
    assert (await tablet.get("session")).status_code == 401


async def test_last_seen_is_written_at_most_once_a_minute(site, clock):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    opened = clock.now

    clock.move(seconds=59)
    await browser.get("session")
    [row] = await site.database.sql("SELECT seen_at FROM session")
    assert row["seen_at"] == opened

    clock.move(seconds=1)
    await browser.get("session")
    [row] = await site.database.sql("SELECT seen_at FROM session")
    assert row["seen_at"] == clock.now


async def test_a_disabled_account_is_out_at_once(site):
    home = await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    await site.database.sql(
        "UPDATE account SET disabled_at = now() WHERE account_id = $1", home.caregiver
    )

    assert (await browser.get("session")).status_code == 401


async def test_signing_in_again_on_a_device_ends_its_earlier_session(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    before = browser.http.cookies["mos"]

    await browser.sign_in("caregiver@example.test")

    assert len((await browser.get("sessions")).json()) == 1
    browser.http.cookies.set("mos", before)
    assert (await browser.get("session")).status_code == 401


async def test_a_shared_tablet_changes_hands(site):
    await a_home(site.database)
    tablet = await site.signed_in("caregiver@example.test")
    await site.database.sql(
        "UPDATE device SET push_endpoint = 'https://push.example/1', push_since = now()"
    )

    answer = await tablet.sign_in("admin@example.test")

    assert answer.status_code == 201
    [device] = await site.database.sql("SELECT account_id, push_endpoint FROM device")
    assert str(device["account_id"]) == tablet.body["account"]["id"]
    assert device["push_endpoint"] is None


async def test_knowing_a_devices_id_is_not_enough_to_take_it(site):
    home = await a_home(site.database)
    tablet = await site.signed_in("caregiver@example.test")
    stranger = await site.browser()
    stranger.device = tablet.device

    answer = await stranger.sign_in("admin@example.test")

    assert answer.status_code == 409
    assert answer.json()["code"] == "device_taken"
    assert (await tablet.get("session")).status_code == 200
    [device] = await site.database.sql("SELECT account_id FROM device")
    assert device["account_id"] == home.caregiver


async def test_people_change_their_own_name_and_language(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    answer = await browser.patch("account", {"name": " Noor A. ", "language": "fi"})

    assert answer.status_code == 200
    assert answer.json()["account"]["name"] == "Noor A."
    assert (await browser.get("session")).json()["account"]["language"] == "fi"


async def test_a_residents_language_reaches_their_profile_and_their_name_stays(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{home.resident.account}/invitations"
    link = (await admin.post(path, {"kind": "device"})).json()
    tablet = await site.browser()
    await tablet.post(
        "invitations/accept", {"token": link["token"], "device_id": str(tablet.device)}
    )

    assert (await tablet.patch("account", {"language": "en"})).status_code == 200
    assert (await tablet.patch("account", {"name": "Somebody"})).status_code == 403

    [record] = await site.database.sql("SELECT doc FROM rec WHERE coll = 'profile'")
    assert record["doc"]["language"] == "en"


async def test_changing_the_password_ends_the_other_sessions(site):
    await a_home(site.database)
    phone = await site.signed_in("caregiver@example.test")
    tablet = await site.signed_in("caregiver@example.test")

    answer = await phone.post(
        "account/password", {"current": PASSWORD, "new": "quite another long one"}
    )

    assert answer.status_code == 204
    assert (await phone.get("session")).status_code == 200
    assert (await tablet.get("session")).status_code == 401
    assert (await tablet.sign_in("caregiver@example.test")).status_code == 401
    await site.signed_in("caregiver@example.test", "quite another long one")


async def test_a_new_password_must_be_good_and_the_old_one_right(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    short = await browser.post("account/password", {"current": PASSWORD, "new": "short"})
    wrong = await browser.post(
        "account/password", {"current": "not this one", "new": "quite another long one"}
    )

    assert (short.status_code, short.json()["field"]) == (400, "new")
    assert short.json()["code"] == "password_short"
    assert (wrong.status_code, wrong.json()["field"]) == (400, "current")


async def test_names_of_former_supporters_still_appear_beside_what_they_did(site):
    home = await a_home(site.database)
    former = await an_account(site.database, home.org, "caregiver", name="Former")
    await site.database.sql(
        "INSERT INTO relation (org_id, relation_id, account_id, unit_id, permissions, "
        "valid_from, valid_to) "
        "VALUES ($1, gen_random_uuid(), $2, $3, '{plan.view}', '2026-01-01', '2026-02-01')",
        home.org, former, home.unit,
    )  # fmt: skip
    stranger = await a_home(site.database, name="Annat", email_domain="other.test")
    await a_resident(site.database, stranger.org, stranger.unit, name="Not here")

    browser = await site.signed_in("caregiver@example.test", organisation=home.org)

    names = {person["name"] for person in browser.body["people"]}
    assert names == {"Noor", "Elsa 1", "Former"}


async def test_a_browser_that_lost_its_data_goes_on_as_a_new_device(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    before = str(browser.device)
    keys = {"p256dh": "A" * 87, "auth": "A" * 22}
    push = {"endpoint": "https://push.example/1", **keys}
    assert (await browser.put(f"devices/{before}/push", push)).is_success
    anew = "01940000-0000-7000-8000-0000000000aa"

    answer = await browser.put("session/device", {"device_id": anew, "device_name": "Köket"})

    assert answer.json()["device"] == anew
    assert (await browser.get("session")).json()["device"] == anew
    hello = {"proto": [1, 1], "schema": 1, "app": "t", "client_now": "2026-11-25T09:00:00Z"}
    for device, status in ((anew, 200), (before, 401)):
        met = await browser.http.post(
            "/sync/v1/hello",
            headers={"x-mos": "1"},
            json={**hello, "device_id": device, "sent": {}},
        )
        assert met.status_code == status
    pushed = {each["id"]: each["push"] for each in (await browser.get("devices")).json()}
    assert pushed == {before: False, anew: False}


async def test_a_session_cannot_move_to_a_device_on_which_somebody_else_is_signed_in(site):
    await a_home(site.database)
    caregiver = await site.signed_in("caregiver@example.test")
    admin = await site.signed_in("admin@example.test")

    answer = await caregiver.put("session/device", {"device_id": str(admin.device)})

    assert (answer.status_code, answer.json()["code"]) == (409, "device_taken")
    assert (await admin.get("session")).status_code == 200


def test_a_sessions_token_is_256_random_bits():
    made = [new_token() for _ in range(500)]
    drawn = [urlsafe_b64decode(f"{token}=") for token in made]

    assert len(set(made)) == len(made)
    assert {len(bytes_) for bytes_ in drawn} == {32}
    # Each bit is a coin: none of the 256 stands still, and none leans (six deviations of 500).
    for bit in range(256):
        heads = sum(each[bit // 8] >> bit % 8 & 1 for each in drawn)
        assert 180 < heads < 320, bit

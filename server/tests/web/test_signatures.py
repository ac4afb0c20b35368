"""A PIN for one act, on a tablet that somebody else is signed in on: it signs, opens nothing."""

from uuid import uuid4

import pytest
from browsers import Browser
from builders import PASSWORD, a_home, a_relation, an_account
from test_matrix import MATRIX, OK, World, _claimed, _world

from mos.care.actions.tokens import new_token, token_hash


async def _shared(site):
    """A tablet on which Ada has a PIN and the caregiver, Noor, is signed in."""
    home = await a_home(site.database)
    ada = await an_account(
        site.database, home.org, "nurse", name="Ada", email="ada@example.test", password=PASSWORD
    )
    await a_relation(site.database, home.org, ada, unit=home.unit)
    tablet = await site.signed_in("ada@example.test")
    assert (await tablet.put("account/pin", {"secret": "4937"})).status_code == 204
    await tablet.delete("session")
    assert (await tablet.sign_in("caregiver@example.test")).status_code == 201
    return home, ada, tablet


async def _sign(tablet: Browser, home, account, pin="4937", space=None):
    body = {"account": str(account), "secret": pin, "space": str(space or home.space)}
    return await tablet.post("session/signature", body)


async def test_a_right_pin_gives_a_key_and_leaves_whoever_is_signed_in(site):
    home, ada, tablet = await _shared(site)
    before = (await tablet.get("session")).json()

    answer = await _sign(tablet, home, ada)
    signed = answer.json()
    after = (await tablet.get("session")).json()

    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
    assert (signed["account"], signed["name"]) == (str(ada), "Ada")
    assert signed["until"] == "2026-11-25T09:05:00Z"
    assert "outcome.record" in signed["permissions"]
    assert {signed["sid"], signed["sync_key"]}.isdisjoint({before["sid"], before["sync_key"]})
    assert after == before
    assert after["account"]["name"] == "Noor"
    assert [(each["name"], each["kind"]) for each in after["signers"]] == [("Ada", "pin")]


async def test_what_they_may_in_the_space_is_told_and_nothing_of_any_other(site):
    home, ada, tablet = await _shared(site)
    medication = home.resident.medication
    await site.database.sql(
        "UPDATE relation SET permissions = '{plan.view,medication.view,alert.take}' "
        "WHERE account_id = $1",
        ada,
    )

    day = (await _sign(tablet, home, ada)).json()["permissions"]
    medicine = (await _sign(tablet, home, ada, space=medication)).json()["permissions"]
    unknown = await _sign(tablet, home, ada, space=uuid4())

    assert (day, medicine) == (
        ["alert.take", "medication.view", "plan.view"], ["alert.take", "medication.view"],
    )  # fmt: skip
    assert unknown.status_code == 404


async def test_staff_sign_for_doses_only_where_they_may(site):
    home, ada, tablet = await _shared(site)
    medication = home.resident.medication
    given = "'{plan.view,medication.view,outcome.record%s}'"
    may = []
    for more in ("", ",medication.sign"):
        await site.database.sql(
            f"UPDATE relation SET permissions = {given % more} WHERE account_id = $1", ada
        )
        day = (await _sign(tablet, home, ada)).json()["permissions"]
        medicine = (await _sign(tablet, home, ada, space=medication)).json()["permissions"]
        may.append(("outcome.record" in day, "outcome.record" in medicine))

    assert may == [(True, False), (True, True)]


async def test_wrong_pins_are_counted_with_those_at_the_door(site, clock):
    home, ada, tablet = await _shared(site)

    codes = [(await _sign(tablet, home, ada, "9998")).json()["code"] for _ in range(5)]
    right = await _sign(tablet, home, ada)
    door = {"account": str(ada), "secret": "4937", "device_id": str(tablet.device)}
    at_the_door = await tablet.post("session/pin", door)

    assert codes == ["pin_wrong"] * 3 + ["too_many"] * 2
    assert (right.status_code, at_the_door.status_code) == (429, 429)
    # The tries were Ada's: whoever is signed in stays so, and nobody else waits.
    assert (await tablet.get("session")).status_code == 200
    clock.move(minutes=1)
    assert (await _sign(tablet, home, ada)).status_code == 201


async def test_after_twenty_wrong_ones_the_pin_is_no_more(site, clock):
    home, ada, tablet = await _shared(site)
    signed = (await _sign(tablet, home, ada)).json()
    for _ in range(20):
        await _sign(tablet, home, ada, "9998")
        clock.move(hours=1)

    assert (await tablet.get("session/pins")).json() == []
    assert (await _sign(tablet, home, ada)).json()["code"] == "pin_wrong"
    assert signed["sid"]


@pytest.mark.parametrize("whose", ["nobody", "no_pin", "other_organisation", "disabled"])
async def test_whoever_has_no_pin_here_is_answered_like_a_wrong_one(site, whose):
    home, ada, tablet = await _shared(site)
    account = ada
    match whose:
        case "nobody":
            account = uuid4()
        case "no_pin":
            account = home.caregiver
        case "other_organisation":
            account = (await a_home(site.database, name="B", email_domain="b.test")).caregiver
        case _:
            await site.database.sql(
                "UPDATE account SET disabled_at = now() WHERE account_id = $1", ada
            )
    wrong = await _sign(tablet, home, ada, "9998")
    answer = await _sign(tablet, home, account)

    assert (answer.status_code, answer.json()) == (403, wrong.json())


async def test_a_pin_of_another_device_signs_nothing_here(site):
    home, ada, tablet = await _shared(site)
    elsewhere = await site.signed_in("caregiver@example.test")
    stolen = await site.browser()
    # Their session's cookie, without the device's own.
    stolen.http.cookies.set("mos", tablet.http.cookies["mos"])
    swapped = await site.browser()
    swapped.http.cookies.set("mos", elsewhere.http.cookies["mos"])
    swapped.http.cookies.set("mos-device", tablet.http.cookies["mos-device"])

    assert (await _sign(elsewhere, home, ada)).json()["code"] == "pin_wrong"
    for browser in (stolen, swapped):
        answer = await _sign(browser, home, ada)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_bound")


async def test_it_is_no_session_of_the_device_nor_one_to_be_listed(site, database):
    home, ada, tablet = await _shared(site)
    await tablet.post("device/heartbeat", {})
    [before] = await database.sql("SELECT * FROM device WHERE device_id = $1", tablet.device)
    site.clock.move(minutes=1)
    signed = (await _sign(tablet, home, ada)).json()
    [after] = await database.sql("SELECT * FROM device WHERE device_id = $1", tablet.device)
    own = await site.signed_in("ada@example.test")
    listed = [each["id"] for each in (await own.get("sessions")).json()]
    await tablet.delete("session")
    # Nobody is signed in there: the device is anybody's, with or without a cookie.
    fresh = await site.browser()
    fresh.device = tablet.device
    entered = await fresh.sign_in("caregiver@example.test")

    assert dict(before) == dict(after)
    assert signed["sid"] not in listed
    assert entered.status_code == 201


async def test_pushes_fall_silent_when_nobody_but_a_signature_is_left(site, database):
    home, ada, tablet = await _shared(site)
    await tablet.delete("session")
    await tablet.sign_in("ada@example.test")
    await _sign(tablet, home, ada)
    await database.sql("UPDATE device SET push_endpoint = 'https://push.example/1'")

    await tablet.delete("session")

    [device] = await database.sql(
        "SELECT push_endpoint FROM device WHERE device_id = $1", tablet.device
    )
    assert device["push_endpoint"] is None


@pytest.mark.parametrize(
    "how", ["changed", "removed", "everywhere", "password", "closed", "device"]
)
async def test_it_ends_with_what_it_rests_on(site, database, how):
    home, ada, tablet = await _shared(site)
    signed = (await _sign(tablet, home, ada)).json()
    admin = await site.signed_in("admin@example.test")
    own = await site.signed_in("ada@example.test")

    match how:
        case "changed" | "removed":
            await tablet.delete("session")
            await tablet.sign_in("ada@example.test")
            # Another turn ends what was before it: begin anew.
            signed = (await _sign(tablet, home, ada)).json()
            if how == "changed":
                await tablet.put("account/pin", {"secret": "8361"})
            else:
                await tablet.delete("account/pin")
        case "everywhere":
            await own.delete("sessions")
        case "password":
            change = {"current": PASSWORD, "new": "another long enough one"}
            await own.post("account/password", change)
        case "closed":
            await admin.patch(f"accounts/{ada}", {"disabled": True})
        case _:
            await tablet.delete(f"devices/{tablet.device}")

    [row] = await database.sql(
        "SELECT revoked_at FROM session WHERE session_id = $1::text::uuid", signed["sid"]
    )
    assert row["revoked_at"] is not None


async def test_it_opens_no_route_at_all_even_to_whoever_had_its_cookie(site, database):
    world: World = await _world(site)
    await _claimed(site)
    home = world.home
    tablet = await site.as_account(home.org, home.caregiver)
    token, sid = new_token(), uuid4()
    await database.sql(
        "INSERT INTO session (org_id, session_id, account_id, device_id, token_hash, created_at, "
        "seen_at, expires_at, methods, signs_only) "
        "VALUES ($1, $2, $3, $4, $5, $6, $6, $7, '{pin}', true)",
        home.org, sid, home.admin, tablet.device, token_hash(token), site.clock.now,
        site.clock.now.replace(year=2027),
    )  # fmt: skip
    opened = []
    for route, (expected, make) in sorted(MATRIX.items()):
        method = route.partition(" ")[0]
        browser = await site.browser()
        browser.device = tablet.device
        ask = await make(world, browser)
        browser.http.cookies.set("mos", token)
        answer = await browser.ask(method, ask.path, ask.body)
        status = OK if answer.is_success else answer.status_code
        if status != expected["nobody"]:
            opened.append((route, status))
    for name in ("hello", "push", "pull"):
        answer = await browser.http.post(
            f"/sync/v1/{name}", headers={"x-mos": "1", "content-type": "application/json"}, json={}
        )
        if answer.status_code != 401:
            opened.append((name, answer.status_code))
    for path in ("poke", f"snapshot/{home.space}"):
        answer = await browser.http.get(f"/sync/v1/{path}")
        if answer.status_code != 401:
            opened.append((path, answer.status_code))

    assert opened == []
    # The same cookie of a session that somebody opened does open them.
    await database.sql("UPDATE session SET signs_only = false WHERE session_id = $1", sid)
    browser = await site.browser()
    browser.http.cookies.set("mos", token)
    assert (await browser.get("session")).status_code == 200


async def test_each_one_is_noted_with_who_was_signed_in_beside_them(site, database):
    home, ada, tablet = await _shared(site)
    signed = (await _sign(tablet, home, ada)).json()
    rows = await database.sql("SELECT content::text AS said FROM audit ORDER BY n DESC LIMIT 1")

    said = rows[0]["said"]
    for each in ("signature_made", str(ada), signed["sid"], str(tablet.device), "beside"):
        assert each in said
    assert str(home.caregiver) in said
    assert "4937" not in said


async def test_a_tablet_asks_who_signs_where_whoever_manages_says_so(site):
    _, _, tablet = await _shared(site)
    refused = await tablet.put("device/signer-question", {"asks": True})
    await tablet.delete("session")
    await tablet.sign_in("admin@example.test")
    allowed = await tablet.put("device/signer-question", {"asks": True})
    await tablet.delete("session")
    await tablet.sign_in("caregiver@example.test")

    assert (refused.status_code, allowed.status_code) == (403, 204)
    assert tablet.body["asks_signer"] is True
    elsewhere = await site.signed_in("caregiver@example.test")
    assert elsewhere.body["asks_signer"] is False

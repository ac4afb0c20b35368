"""PINs: on one device alone, with waits that grow, and never a way to lock somebody else out."""

import pytest
from browsers import Browser
from builders import PASSWORD, a_home, an_account


async def _with_pin(site, email="caregiver@example.test", pin="4937"):
    browser = await site.signed_in(email)
    answer = await browser.put("account/pin", {"secret": pin})
    assert answer.status_code == 204, answer.text
    return browser


async def _enter(browser: Browser, account, pin="4937"):
    body = {"account": str(account), "secret": pin, "device_id": str(browser.device)}
    return await browser.post("session/pin", body)


async def _a_tablet(site, home):
    """A tablet that has become the resident's."""
    staff = await site.signed_in("admin@example.test")
    path = f"accounts/{home.resident.account}/invitations"
    link = (await staff.post(path, {"kind": "device"})).json()
    tablet = await site.browser()
    body = {"token": link["token"], "device_id": str(tablet.device)}
    assert (await tablet.post("invitations/accept", body)).status_code == 201
    return staff, tablet


async def test_whoever_set_a_pin_signs_in_with_it_on_that_device_and_no_other(site):
    home = await a_home(site.database)
    tablet = await _with_pin(site)
    await tablet.delete("session")
    elsewhere = await site.browser()

    assert (await tablet.get("session/pins")).json() == [
        {"account": str(home.caregiver), "name": "Noor", "role": "caregiver", "kind": "pin"}
    ]
    assert (await elsewhere.get("session/pins")).json() == []
    # Knowing the device's own id helps nobody.
    elsewhere.device = tablet.device
    assert (await _enter(elsewhere, home.caregiver)).json()["code"] == "sign_in_failed"
    assert (await _enter(tablet, home.caregiver)).json()["account"]["name"] == "Noor"


async def test_a_pin_proves_too_little_for_what_matters(site):
    home = await a_home(site.database)
    tablet = await _with_pin(site, "admin@example.test")
    await tablet.delete("session")
    await _enter(tablet, home.admin)

    asked = await tablet.patch(f"units/{home.unit}", {"name": "Ny"})
    changed = await tablet.put("account/pin", {"secret": "8361"})

    assert asked.json()["code"] == "step_up_needed"
    assert changed.json()["code"] == "step_up_needed"


async def test_a_session_by_pin_lasts_a_shift(site, clock):
    home = await a_home(site.database)
    tablet = await _with_pin(site)
    await _enter(tablet, home.caregiver)

    clock.move(hours=11, minutes=59)
    assert (await tablet.get("session")).status_code == 200
    clock.move(minutes=1)
    assert (await tablet.get("session")).status_code == 401


async def test_people_take_turns_on_a_tablet_that_they_share(site):
    home = await a_home(site.database)
    await an_account(
        site.database, home.org, "nurse", name="Ada", email="ada@example.test", password=PASSWORD
    )
    tablet = await _with_pin(site)
    await tablet.sign_in("ada@example.test")
    await tablet.put("account/pin", {"secret": "cat-bus-moon-key"})

    names = [(each["name"], each["kind"]) for each in (await tablet.get("session/pins")).json()]
    entered = await _enter(tablet, home.caregiver)

    assert names == [("Ada", "picture"), ("Noor", "pin")]
    assert entered.json()["account"]["name"] == "Noor"


async def test_wrong_pins_wait_longer_and_longer_and_then_the_pin_is_no_more(site, clock):
    home = await a_home(site.database)
    tablet = await _with_pin(site)
    await tablet.delete("session")

    waits = []
    while True:
        answer = await _enter(tablet, home.caregiver, "9998")
        if answer.status_code == 429:
            waits.append(int(answer.headers["retry-after"]))
            clock.move(seconds=waits[-1])
        if not (await tablet.get("session/pins")).json():
            break

    assert waits[:7] == [60, 120, 240, 480, 960, 1920, 3600]
    assert len(waits) == 17
    clock.move(hours=1)
    assert (await _enter(tablet, home.caregiver)).json()["code"] == "sign_in_failed"


async def test_nobody_is_locked_out_by_tries_elsewhere_or_of_others(site):
    home = await a_home(site.database)
    other = await an_account(
        site.database, home.org, "nurse", name="Ada", email="ada@example.test", password=PASSWORD
    )
    tablet = await _with_pin(site)
    await tablet.sign_in("ada@example.test")
    await tablet.put("account/pin", {"secret": "8361"})
    await tablet.delete("session")
    stranger = await site.browser(client="203.0.113.9")
    stranger.device = tablet.device

    for _ in range(6):
        await _enter(tablet, other, "9998")
        await _enter(stranger, home.caregiver, "9998")

    assert (await _enter(tablet, other, "8361")).status_code == 429
    assert (await _enter(tablet, home.caregiver)).status_code == 201


async def test_a_resident_gets_a_pin_from_those_who_manage_them_and_changes_it_alone(site):
    home = await a_home(site.database)
    staff, tablet = await _a_tablet(site, home)
    path = f"residents/{home.space}/devices/{tablet.device}/pin"

    assert (await staff.put(path, {"secret": "cat-bus-moon-key"})).status_code == 204
    [device] = (await staff.get(f"residents/{home.space}/devices")).json()
    refused = await tablet.put("account/pin", {"secret": "8361"})
    changed = await tablet.put("account/pin", {"secret": "8361", "current": "cat-bus-moon-key"})
    await tablet.delete("session")

    assert device["pin"] == "picture"
    assert refused.json()["code"] == "pin_wrong"
    assert changed.status_code == 204
    assert (await _enter(tablet, home.resident.account, "8361")).status_code == 201


async def test_a_pin_that_was_forgotten_is_replaced_and_opens_at_once(site):
    home = await a_home(site.database)
    staff, tablet = await _a_tablet(site, home)
    path = f"residents/{home.space}/devices/{tablet.device}/pin"
    await staff.put(path, {"secret": "4937"})
    await tablet.delete("session")
    for _ in range(4):
        await _enter(tablet, home.resident.account, "9998")

    await staff.put(path, {"secret": "8361"})

    assert (await _enter(tablet, home.resident.account, "8361")).status_code == 201
    assert (await staff.delete(path)).status_code == 204
    assert (await tablet.get("session/pins")).json() == []


@pytest.mark.parametrize("how", ["password", "everywhere", "by staff", "device"])
async def test_pins_end_with_what_they_rest_on(site, how):
    home = await a_home(site.database)
    tablet = await _with_pin(site)
    other = await site.signed_in("caregiver@example.test")
    admin = await site.signed_in("admin@example.test")

    match how:
        case "password":
            change = {"current": PASSWORD, "new": "another long enough one"}
            await other.post("account/password", change)
        case "everywhere":
            await other.delete("sessions")
        case "by staff":
            await admin.delete(f"accounts/{home.caregiver}/sessions")
        case _:
            await other.delete(f"devices/{tablet.device}")

    assert (await tablet.get("session/pins")).json() == []
    assert (await _enter(tablet, home.caregiver)).status_code == 401

"""A resident's tablet: shown a code, taken at once, and taken back."""

from datetime import timedelta

import pytest
from browsers import NOW
from builders import a_home


async def _shown(site, *, who="admin@example.test"):
    home = await a_home(site.database)
    staff = await site.signed_in(who)
    path = f"accounts/{home.resident.account}/invitations"
    link = (await staff.post(path, {"kind": "device"})).json()
    return home, staff, link


async def _take(tablet, token):
    body = {"token": token, "device_id": str(tablet.device), "device_name": "Köket"}
    return await tablet.post("invitations/accept", body)


async def test_whoever_shows_a_code_sees_which_device_took_it(site):
    home, staff, link = await _shown(site)
    state = f"accounts/{home.resident.account}/invitations/{link['id']}"
    before = (await staff.get(state)).json()
    tablet = await site.browser()

    assert (await _take(tablet, link["token"])).status_code == 201

    after = (await staff.get(state)).json()
    assert (before["used_at"], before["device"]) == (None, None)
    assert (after["device"], after["device_name"]) == (str(tablet.device), "Köket")
    assert after["used_at"] == "2026-11-25T09:00:00Z"


async def test_a_device_that_was_taken_back_is_signed_out_and_named_no_more(site):
    home, staff, link = await _shown(site)
    tablet = await site.browser()
    await _take(tablet, link["token"])

    await staff.post(f"residents/{home.space}/devices/{tablet.device}/wipe")

    assert (await tablet.get("session")).json()["code"] == "device_revoked"
    state = await staff.get(f"accounts/{home.resident.account}/invitations/{link['id']}")
    assert state.json()["device"] is None


@pytest.mark.parametrize(
    "as_typed", [str.lower, lambda code: code.replace("-", " "), lambda code: code.replace("-", "")]
)
async def test_a_code_works_however_it_is_typed(site, as_typed):
    _, _, link = await _shown(site)
    tablet = await site.browser()

    answer = await tablet.post("invitations/open", {"token": as_typed(link["code"]).strip()})

    assert answer.json()["kind"] == "device"


async def test_letters_that_look_like_digits_are_read_as_meant(site):
    _, _, link = await _shown(site)
    tablet = await site.browser()
    misread = link["token"].replace("0", "o").replace("1", "l")

    assert (await _take(tablet, misread)).status_code == 201


async def test_a_code_ends_after_ten_minutes_and_after_its_first_use(site, clock):
    home, staff, link = await _shown(site)
    assert link["expires_at"] == (NOW + timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await _take(await site.browser(), link["token"])
    again = await _take(await site.browser(), link["token"])
    path = f"accounts/{home.resident.account}/invitations"
    late = (await staff.post(path, {"kind": "device"})).json()
    clock.move(minutes=10)

    assert again.json()["code"] == "link_gone"
    assert (await _take(await site.browser(), late["token"])).json()["code"] == "link_gone"


async def test_a_code_that_was_withdrawn_opens_nothing(site):
    home, staff, link = await _shown(site)

    await staff.delete(f"accounts/{home.resident.account}/invitations")

    assert (await _take(await site.browser(), link["token"])).json()["code"] == "link_gone"


async def test_a_tablet_stays_signed_in_for_sixty_days_of_silence_and_no_longer(site, clock):
    _, _, link = await _shown(site)
    tablet = await site.browser()
    await _take(tablet, link["token"])

    for _ in range(3):
        clock.move(days=59)
        assert (await tablet.get("session")).status_code == 200
    clock.move(days=60)

    assert (await tablet.get("session")).status_code == 401

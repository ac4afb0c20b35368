"""What security rests on is noted, in the words of ids, and never with names or addresses."""

import msgspec
import pytest
from builders import PASSWORD, a_home

from mos.audit import roots


@pytest.fixture
async def home(database):
    return await a_home(database)


async def events(database):
    rows = await database.sql("SELECT org_id, content FROM audit ORDER BY org_id, n")
    return [(row["org_id"], msgspec.json.decode(row["content"])) for row in rows]


async def names(database):
    return [said["event"] for _, said in await events(database)]


async def test_signing_in_and_failing_to_are_noted_without_the_address(site, home, database):
    browser = await site.signed_in("caregiver@example.test")
    await browser.sign_in("caregiver@example.test", "wrong")
    await browser.sign_in("nobody@example.test", "wrong")

    first, wrong, nobody = [said for _, said in await events(database)]
    assert first | {"session": ...} == {
        "at": "2026-11-25T09:00:00.000Z", "event": "signed_in", "by": str(home.caregiver),
        "device": str(browser.device), "session": ..., "says": {"ways": ["password"]},
    }  # fmt: skip
    assert (wrong["event"], wrong["of"]) == ("sign_in_failed", str(home.caregiver))
    assert (nobody["event"], "of" in nobody) == ("sign_in_failed", False)
    assert "example" not in str(await events(database))


async def test_being_locked_out_is_noted(site, home, database):
    browser = await site.browser()
    for _ in range(12):
        await browser.sign_in("caregiver@example.test", "wrong")

    assert "locked_out" in await names(database)


async def test_what_changes_rights_is_noted_with_who_did_it(site, home, database):
    admin = await site.signed_in("admin@example.test")
    added = await admin.post("accounts", {
        "role": "nurse", "name": "Vera", "email": "vera@example.test", "language": "sv",
        "units": [str(home.unit)],
    })  # fmt: skip
    account = added.json()["id"]
    await admin.post(f"accounts/{account}/invitations", {"kind": "password"})
    relation = await admin.post("relations", {
        "account": account, "space": str(home.space), "permissions": ["plan.view"],
    })  # fmt: skip
    await admin.patch(
        f"relations/{relation.json()['id']}", {"permissions": ["plan.view", "alert.take"]}
    )
    await admin.delete(f"relations/{relation.json()['id']}")
    await admin.patch(f"accounts/{account}", {"role": "caregiver"})
    await admin.delete(f"accounts/{account}/sessions")
    await admin.delete("sessions")

    said = [each for _, each in await events(database)]
    assert [each["event"] for each in said] == [
        "signed_in", "account_added", "invited", "relation_added", "relation_changed",
        "relation_ended", "account_changed", "signed_out_everywhere", "signed_out_everywhere",
    ]  # fmt: skip
    assert all(each["by"] == str(home.admin) for each in said)
    changed = said[4]
    assert (changed["of"], changed["says"]["was"], changed["says"]["permissions"]) == (
        account, ["plan.view"], ["alert.take", "plan.view"],
    )  # fmt: skip
    assert (said[6]["says"]["was"], said[6]["says"]["role"]) == ("nurse", "caregiver")
    assert not any(word in str(said) for word in ("Vera", "vera", "Elsa", PASSWORD))


async def test_what_was_refused_is_not_noted_as_done(site, home, database):
    caregiver = await site.signed_in("caregiver@example.test")
    await caregiver.post("relations", {
        "account": str(home.caregiver), "space": str(home.space), "permissions": ["care.manage"],
    })  # fmt: skip

    assert await names(database) == ["signed_in"]


async def test_a_changed_password_a_wrong_one_and_ended_devices_are_noted(site, home, database):
    browser = await site.signed_in("caregiver@example.test")
    await browser.post("account/password", {"current": "wrong", "new": "another long enough one"})
    await browser.post("account/password", {"current": PASSWORD, "new": "another long enough one"})
    await browser.delete(f"devices/{browser.device}")

    assert await names(database) == [
        "signed_in", "step_up_failed", "password_changed", "device_ended",
    ]  # fmt: skip
    verdict = await roots.verify(
        database.engine, database.settings.secrets, seen=lambda _n, _of: None
    )
    assert verdict.broken == []


async def test_a_pin_that_is_set_changed_and_removed_is_noted_with_its_device(site, home, database):
    tablet = await site.signed_in("caregiver@example.test")
    await tablet.put("account/pin", {"secret": "4937"})
    await tablet.put("account/pin", {"secret": "cat-bus-moon-key"})
    await tablet.delete("account/pin")

    pins = [each for _, each in await events(database) if each["event"].startswith("pin")]
    assert [(each["event"], each["says"].get("kind")) for each in pins] == [
        ("pin_set", "pin"), ("pin_changed", "picture"), ("pin_removed", None),
    ]  # fmt: skip
    for each in pins:
        assert each["by"] == each["of"] == str(home.caregiver)
        assert each["says"]["on"] == str(tablet.device)
    said = str(await events(database))
    assert not any(secret in said for secret in ("4937", "cat-bus"))


async def test_a_pin_that_ends_with_something_else_is_noted_too(site, home, database, clock):
    tablet = await site.signed_in("caregiver@example.test")
    phone = await site.signed_in("caregiver@example.test")
    for ends in ("password", "signed_out", "device", "tries"):
        await tablet.put("account/pin", {"secret": "4937"})
        match ends:
            case "password":
                change = {"current": PASSWORD, "new": "another long enough one"}
                assert (await phone.post("account/password", change)).status_code == 204
                await tablet.sign_in("caregiver@example.test", change["new"])
            case "signed_out":
                await tablet.delete("sessions")
                await tablet.sign_in("caregiver@example.test", "another long enough one")
            case "device":
                await tablet.delete(f"devices/{tablet.device}")
                tablet = await site.signed_in("caregiver@example.test", "another long enough one")
            case "tries":
                wrong = {
                    "account": str(home.caregiver), "secret": "9998",
                    "device_id": str(tablet.device),
                }  # fmt: skip
                for _ in range(20):
                    await tablet.post("session/pin", wrong)
                    clock.move(hours=1)

    removed = [each for _, each in await events(database) if each["event"] == "pin_removed"]
    assert [each["says"]["why"] for each in removed] == [
        "password", "signed_out", "device", "tries",
    ]  # fmt: skip
    assert all(each["of"] == str(home.caregiver) for each in removed)
    assert "by" not in removed[-1]

"""Accounts, and the links that let their people in."""

import asyncio
from contextlib import AsyncExitStack

from browsers import Site, started
from builders import PASSWORD, a_home, a_relation, a_unit, an_account
from msgspec import structs


def _person(**changed):
    return {
        "role": "caregiver", "name": "Sam", "email": "Sam@example.test", "language": "en",
        **changed,
    }  # fmt: skip


async def _a_manager(site, home, *, unit=None):
    account = await an_account(
        site.database, home.org, "manager", name="Mira", email="manager@example.test",
        password=PASSWORD,
    )  # fmt: skip
    await a_relation(
        site.database, home.org, account, unit=unit or home.unit,
        permissions=("plan.view", "care.manage"),
    )  # fmt: skip
    return await site.signed_in("manager@example.test")


async def test_a_new_caregiver_is_invited_chooses_a_password_and_helps_the_unit(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")

    made = (await admin.post("accounts", _person(units=[str(home.unit)]))).json()
    link = (await admin.post(f"accounts/{made['id']}/invitations", {"kind": "password"})).json()
    phone = await site.browser()
    opened = await phone.post("invitations/open", {"token": link["token"]})
    accepted = await phone.post(
        "invitations/accept",
        {
            "token": link["token"],
            "device_id": str(phone.device),
            "device_name": "Sams telefon",
            "password": "quite another long one",
        },
    )

    assert made["email"] == "sam@example.test"
    assert made["units"] == [str(home.unit)]
    assert made["has_password"] is False
    assert opened.json() == {
        "name": "Sam", "role": "caregiver", "kind": "password", "email": "sam@example.test",
        "provider": None,
    }  # fmt: skip
    assert accepted.status_code == 201
    assert [resident["name"] for resident in accepted.json()["residents"]] == ["Elsa 1"]
    assert "medication.sign" in accepted.json()["residents"][0]["permissions"]
    await site.signed_in("sam@example.test", "quite another long one")
    listed = (await admin.get("accounts")).json()
    assert next(entry for entry in listed if entry["id"] == made["id"])["has_password"] is True


async def test_a_link_opens_once(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{home.resident.account}/invitations"
    link = (await admin.post(path, {"kind": "device"})).json()
    tablets = [await site.browser() for _ in range(4)]

    answers = await asyncio.gather(
        *(
            tablet.post(
                "invitations/accept", {"token": link["token"], "device_id": str(tablet.device)}
            )
            for tablet in tablets
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]
    assert (await tablets[0].post("invitations/open", {"token": link["token"]})).status_code == 404


async def test_a_device_link_lives_ten_minutes_and_a_password_link_a_week(site, clock):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    device = (
        await admin.post(f"accounts/{home.resident.account}/invitations", {"kind": "device"})
    ).json()
    password = (
        await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})
    ).json()
    browser = await site.browser()

    clock.move(minutes=9)
    assert (await browser.post("invitations/open", {"token": device["token"]})).status_code == 200
    clock.move(minutes=1)
    ended = await browser.post("invitations/open", {"token": device["token"]})
    assert (ended.status_code, ended.json()["code"]) == (404, "link_gone")
    clock.move(days=6)
    assert (await browser.post("invitations/open", {"token": password["token"]})).status_code == 200
    clock.move(days=1)
    assert (await browser.post("invitations/open", {"token": password["token"]})).status_code == 404


async def test_a_newer_link_replaces_the_one_before(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{home.caregiver}/invitations"
    old = (await admin.post(path, {"kind": "password"})).json()
    new = (await admin.post(path, {"kind": "password"})).json()
    browser = await site.browser()

    assert (await browser.post("invitations/open", {"token": old["token"]})).status_code == 404
    assert (await browser.post("invitations/open", {"token": new["token"]})).status_code == 200


async def test_a_link_is_kept_as_a_hash(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{home.caregiver}/invitations"
    link = (await admin.post(path, {"kind": "password"})).json()

    [row] = await site.database.sql("SELECT token_hash FROM invitation")

    assert len(row["token_hash"]) == 32
    assert link["token"].encode() not in row["token_hash"]


async def test_a_weak_password_leaves_the_link_unused(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    link = (await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})).json()
    phone = await site.browser()
    body = {"token": link["token"], "device_id": str(phone.device)}

    none = await phone.post("invitations/accept", body)
    weak = await phone.post("invitations/accept", {**body, "password": "password123"})
    good = await phone.post("invitations/accept", {**body, "password": "quite another long one"})

    assert (none.status_code, none.json()["field"]) == (400, "password")
    assert (weak.status_code, weak.json()["code"]) == (400, "password_common")
    assert good.status_code == 201


async def test_a_password_chosen_by_link_ends_other_sessions_and_unlocks_the_account(site):
    home = await a_home(site.database)
    thief = await site.signed_in("caregiver@example.test")
    for _ in range(5):
        await (await site.browser()).sign_in("caregiver@example.test", "a wrong password")
    admin = await site.signed_in("admin@example.test")
    link = (await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})).json()
    phone = await site.browser()

    await phone.post(
        "invitations/accept",
        {
            "token": link["token"],
            "device_id": str(phone.device),
            "password": "quite another long one",
        },
    )

    assert (await thief.get("session")).status_code == 401
    await site.signed_in("caregiver@example.test", "quite another long one")


async def test_links_fit_the_person(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")

    caregiver = await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "device"})
    resident = await admin.post(
        f"accounts/{home.resident.account}/invitations", {"kind": "password"}
    )

    assert (caregiver.status_code, caregiver.json()["field"]) == (400, "kind")
    assert (resident.status_code, resident.json()["field"]) == (400, "kind")


async def test_an_address_belongs_to_one_person_of_an_organisation(site):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")

    added = await admin.post("accounts", _person(email="CAREGIVER@example.test"))
    made = (await admin.post("accounts", _person())).json()
    changed = await admin.patch(f"accounts/{made['id']}", {"email": "Caregiver@example.test"})

    assert (added.status_code, added.json()["code"]) == (409, "email_taken")
    assert (changed.status_code, changed.json()["code"]) == (409, "email_taken")


async def test_nobody_learns_who_belongs_to_another_organisation(site):
    home = await a_home(site.database)
    other = await a_home(site.database, name="Annat", email_domain="other.test")
    admin = await site.as_account(home.org, home.admin)
    answers = []

    for email in ("caregiver@other.test", "nobody@other.test"):
        made = await admin.post("accounts", _person(email=email))
        moved = await admin.patch(f"accounts/{made.json()['id']}", {"email": f"x{email}"})
        back = await admin.patch(f"accounts/{made.json()['id']}", {"email": email})
        path = f"accounts/{made.json()['id']}/invitations"
        link = await admin.post(path, {"kind": "password"})
        browser = await site.browser()
        opened = await browser.post("invitations/open", {"token": link.json()["token"]})
        accepted = await browser.post(
            "invitations/accept",
            {
                "token": link.json()["token"],
                "device_id": str(browser.device),
                "password": "quite another long one",
            },
        )
        steps = (made, moved, back, link, opened, accepted)
        answers.append([(step.status_code, sorted(step.json())) for step in steps])

    assert answers[0] == answers[1]
    # And whoever was there before signs in as before, with the password that they had.
    at_home = await site.signed_in("caregiver@other.test", organisation=other.org)
    assert at_home.body["account"]["id"] == str(other.caregiver)


async def test_disabling_a_person_ends_their_sessions_and_links(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    caregiver = await site.signed_in("caregiver@example.test")
    link = (await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})).json()

    answer = await admin.patch(f"accounts/{home.caregiver}", {"disabled": True})

    assert answer.json()["disabled"] is True
    assert (await caregiver.get("session")).status_code == 401
    assert (await caregiver.post("invitations/open", {"token": link["token"]})).status_code == 404
    invited = await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})
    assert (invited.status_code, invited.json()["code"]) == (409, "account_disabled")
    assert (await admin.patch(f"accounts/{home.caregiver}", {"disabled": False})).status_code == 200
    await site.signed_in("caregiver@example.test")


async def test_an_organisation_keeps_an_administrator(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")

    role = await admin.patch(f"accounts/{home.admin}", {"role": "caregiver"})
    own = await admin.patch(f"accounts/{home.admin}", {"disabled": True})

    assert (role.status_code, role.json()["code"]) == (409, "last_admin")
    assert (own.status_code, own.json()["code"]) == (409, "own_account")
    assert (await admin.get("accounts")).status_code == 200


async def test_two_administrators_cannot_step_down_at_once(site):
    home = await a_home(site.database)
    second = await an_account(
        site.database, home.org, "admin", email="second@example.test", password=PASSWORD
    )
    first = await site.signed_in("admin@example.test")
    other = await site.signed_in("second@example.test")

    answers = await asyncio.gather(
        first.patch(f"accounts/{home.admin}", {"role": "caregiver"}),
        other.patch(f"accounts/{second}", {"role": "caregiver"}),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_new_role_keeps_what_it_can_have_and_is_no_contact_person_without_alerts(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    await a_relation(
        site.database, home.org, home.caregiver, space=home.space, is_primary=True,
        permissions=("alert.take", "medication.sign"),
    )  # fmt: skip

    await admin.patch(f"accounts/{home.caregiver}", {"role": "relative"})
    as_relative = await admin.get("relations")
    await admin.patch(f"accounts/{home.caregiver}", {"role": "auditor"})
    as_auditor = await admin.get("relations")

    own = next(each for each in as_relative.json() if each["space"])
    assert (own["permissions"], own["is_primary"]) == (["alert.take"], True)
    assert as_auditor.json() == []


async def test_a_link_from_before_does_not_open_a_new_role(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{home.caregiver}"
    link = (await admin.post(f"{path}/invitations", {"kind": "password"})).json()

    await admin.patch(path, {"role": "admin"})

    opened = await admin.post("invitations/open", {"token": link["token"]})
    assert (opened.status_code, opened.json()["code"]) == (404, "link_gone")


async def test_a_manager_ends_no_other_managers_relation(site):
    home = await a_home(site.database)
    accounts = [await an_account(site.database, home.org, "manager") for _ in range(2)]
    relations = [
        await a_relation(
            site.database, home.org, account, unit=home.unit, permissions=("care.manage",)
        )
        for account in accounts
    ]
    manager = await site.as_account(home.org, accounts[0])

    theirs = await manager.delete(f"relations/{relations[1]}")
    changed = await manager.patch(f"relations/{relations[1]}", {"consent": "x"})

    assert (theirs.status_code, changed.status_code) == (403, 403)
    assert len((await manager.get("relations")).json()) == 3


async def test_a_role_change_holds_from_the_next_request(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    caregiver = await site.signed_in("caregiver@example.test")

    await admin.patch(f"accounts/{home.caregiver}", {"role": "relative"})

    body = (await caregiver.get("session")).json()
    assert body["account"]["role"] == "relative"
    assert "medication.sign" not in body["residents"][0]["permissions"]


async def test_a_resident_stays_a_resident(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")

    promoted = await admin.patch(f"accounts/{home.resident.account}", {"role": "admin"})
    demoted = await admin.patch(f"accounts/{home.caregiver}", {"role": "resident"})
    made = await admin.post("accounts", _person(role="resident"))

    assert (promoted.status_code, promoted.json()["field"]) == (400, "role")
    assert (demoted.status_code, demoted.json()["field"]) == (400, "role")
    assert (made.status_code, made.json()["field"]) == (400, "role")


async def test_a_residents_name_is_changed_where_their_profile_follows(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{home.resident.account}"

    for change in ({"name": "Elsa Ek"}, {"language": "fi"}, {"disabled": True}):
        answer = await admin.patch(path, change)
        assert (answer.status_code, answer.json()["code"]) == (409, "resident_entry")
    assert (await admin.patch(path, {"email": "elsa@example.test"})).status_code == 200


async def test_a_manager_sees_the_people_of_their_units_only(site):
    home = await a_home(site.database)
    other_unit = await a_unit(site.database, home.org, name="Linden")
    other = await an_account(site.database, home.org, "caregiver", name="Elsewhere")
    await a_relation(site.database, home.org, other, unit=other_unit)
    manager = await _a_manager(site, home)

    names = {entry["name"] for entry in (await manager.get("accounts")).json()}

    assert names == {"Noor", "Elsa 1", "Mira"}
    assert (await manager.patch(f"accounts/{other}", {"name": "X"})).status_code == 404


async def test_a_manager_cannot_become_somebody_who_also_works_elsewhere(site):
    home = await a_home(site.database)
    other_unit = await a_unit(site.database, home.org, name="Linden")
    await a_relation(site.database, home.org, home.caregiver, unit=other_unit)
    manager = await _a_manager(site, home)

    listed = (await manager.get("accounts")).json()
    noor = next(entry for entry in listed if entry["name"] == "Noor")
    answer = await manager.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})

    assert noor["within"] is False
    assert answer.status_code == 403
    assert (await manager.delete(f"accounts/{home.caregiver}/sessions")).status_code == 403


async def test_a_manager_makes_no_managers_and_no_administrators(site):
    home = await a_home(site.database)
    manager = await _a_manager(site, home)

    for role in ("manager", "admin", "auditor"):
        assert (await manager.post("accounts", _person(role=role))).status_code == 403
    made = await manager.post("accounts", _person(units=[str(home.unit)]))
    assert made.status_code == 201
    raised = await manager.patch(f"accounts/{made.json()['id']}", {"role": "admin"})
    assert raised.status_code == 403
    assert (await manager.patch(f"accounts/{home.admin}", {"name": "X"})).status_code == 404


async def test_a_manager_adds_people_to_their_own_units_only(site):
    home = await a_home(site.database)
    other_unit = await a_unit(site.database, home.org, name="Linden")
    manager = await _a_manager(site, home)

    answer = await manager.post("accounts", _person(units=[str(other_unit)]))

    assert (answer.status_code, answer.json()["field"]) == (400, "units")
    assert await site.database.sql("SELECT 1 FROM account WHERE name = 'Sam'") == []


async def test_signing_somebody_out_everywhere_silences_their_devices(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    caregiver = await site.signed_in("caregiver@example.test")
    await site.database.sql("UPDATE device SET push_endpoint = 'https://push.example/' || name")

    assert (await admin.delete(f"accounts/{home.caregiver}/sessions")).status_code == 204

    assert (await caregiver.get("session")).status_code == 401
    rows = await site.database.sql("SELECT account_id, push_endpoint FROM device")
    kept = {row["account_id"] for row in rows if row["push_endpoint"]}
    assert kept == {home.admin}


async def test_a_link_leads_where_other_devices_reach_this_mos(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")

    link = (
        await admin.post(f"accounts/{home.resident.account}/invitations", {"kind": "device"})
    ).json()

    assert link["url"] == f"{site.database.settings.public_url}/#/inbjudan/{link['token']}"
    assert link["qr"].startswith("data:image/svg+xml")
    assert link["trust"] is None


async def test_where_a_device_must_learn_to_trust_mos_a_link_says_where(database, clock):
    home = await a_home(database)
    settings = structs.replace(
        database.settings, public_url="https://192.168.1.20:8080",
        trust_url="http://192.168.1.20:8081",
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(started(settings, clock))
        site = Site(app, clock, database, stack, settings.public_url)
        admin = await site.signed_in("admin@example.test")
        link = (
            await admin.post(f"accounts/{home.resident.account}/invitations", {"kind": "device"})
        ).json()

    assert link["url"].startswith("https://192.168.1.20:8080/#/")
    assert link["trust"]["url"] == "http://192.168.1.20:8081"
    assert link["trust"]["qr"].startswith("data:image/svg+xml")
    # The way to the page is not private; what lets somebody in must not be on it.
    assert link["token"] not in link["trust"]["url"]

"""A device that its owner has ended is told to forget everything, and says when it has."""

import asyncio
import json
from contextlib import suppress

import pytest
from builders import a_home, a_relation, an_account
from structlog.testing import capture_logs
from tablets import a_tablet


@pytest.fixture
async def home(database):
    return await a_home(database)


@pytest.fixture
async def tablet(site, home):
    return await a_tablet(site, home, home.resident.account)


@pytest.fixture
async def elsewhere(site, home):
    """The same person, signed in on another device."""
    return await site.as_account(home.org, home.resident.account)


async def wiped(browser, **body):
    return await browser.http.post("/sync/v1/wiped", json=body, headers={"x-mos": "1"})


async def test_an_ended_device_is_told_to_forget_everything(tablet, elsewhere, site, home):
    assert (await elsewhere.delete(f"devices/{tablet.device.id}")).status_code == 204
    told = [
        await tablet.hello(), await tablet.push(tablet.op()), await tablet.pull(),
        await tablet.browser.get("session"), await tablet.snapshot(home.space),
    ]  # fmt: skip
    nonces = {answer.json()["nonce"] for answer in told}

    assert {(answer.status_code, answer.json()["code"], answer.json()["wipe"]) for answer in told} \
        == {(401, "device_revoked", True)}  # fmt: skip
    assert len(nonces) == 1
    # The other device goes on.
    assert (await elsewhere.get("session")).status_code == 200


async def test_an_ended_device_says_when_it_is_empty(tablet, elsewhere, site, home, database):
    await elsewhere.delete(f"devices/{tablet.device.id}")
    caregiver = await site.as_account(home.org, home.caregiver)
    nonce = (await tablet.hello()).json()["nonce"]
    before = (await caregiver.get(f"residents/{home.space}/devices/ended")).json()
    site.clock.move(minutes=3)
    stranger = await site.browser()
    with capture_logs() as logs:
        answer = await wiped(stranger, device_id=str(tablet.device.id), nonce=nonce)
    site.clock.move(minutes=3)
    again = await wiped(stranger, device_id=str(tablet.device.id), nonce=nonce)
    after = (await caregiver.get(f"residents/{home.space}/devices/ended")).json()
    own = (await elsewhere.get("devices/ended")).json()
    live = (await caregiver.get(f"residents/{home.space}/devices")).json()

    assert (answer.status_code, again.status_code) == (204, 204)
    assert [(device["ended_at"], device["wiped_at"]) for device in before] == [
        ("2026-11-25T09:00:00Z", None)
    ]
    assert [device["wiped_at"] for device in after] == ["2026-11-25T09:03:00Z"]
    assert own == after
    assert len(live) == 1
    assert nonce not in json.dumps(logs, default=str)


async def test_nobody_else_can_say_so(tablet, elsewhere, site, home, database):
    await elsewhere.delete(f"devices/{tablet.device.id}")
    right = (await tablet.hello()).json()["nonce"]
    stranger = await site.browser()
    for device, nonce in (
        (tablet.device.id, right[:-1] + "-"), (tablet.device.id, right[:32]),
        (elsewhere.device, right), (tablet.device.id, ""), (tablet.device.id, "å" * 40),
        (elsewhere.device, ""), (tablet.device.id, home.space.hex + right[32:]),
    ):  # fmt: skip
        answer = await wiped(stranger, device_id=str(device), nonce=nonce)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), nonce
    for body in ({}, {"device_id": "x", "nonce": right}, {"device_id": 1}):
        assert (await wiped(stranger, **body)).status_code == 400
    assert await database.sql("SELECT 1 FROM device WHERE wiped_at IS NOT NULL") == []


async def a_manager(database, home, *words):
    account = await an_account(database, home.org, "manager", name="Maj")
    await a_relation(database, home.org, account, unit=home.unit, permissions=words)
    return account


async def test_whoever_manages_a_resident_ends_a_lost_tablet(tablet, site, home, database):
    manager = await site.as_account(
        home.org, await a_manager(database, home, "plan.view", "care.manage")
    )
    [seen] = (await manager.get(f"residents/{home.space}/devices")).json()
    answer = await manager.post(f"residents/{home.space}/devices/{seen['id']}/wipe")
    told = await tablet.hello()
    await wiped(await site.browser(), device_id=seen["id"], nonce=told.json()["nonce"])
    again = await manager.post(f"residents/{home.space}/devices/{seen['id']}/wipe")
    [ended] = (await manager.get(f"residents/{home.space}/devices/ended")).json()

    assert answer.status_code == 204
    assert (told.status_code, told.json()["code"]) == (401, "device_revoked")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert (await manager.get(f"residents/{home.space}/devices")).json() == []
    assert ended["wiped_at"] == "2026-11-25T09:00:00Z"


async def test_only_who_may_end_a_tablet_learns_its_id(tablet, site, home):
    caregiver = await site.as_account(home.org, home.caregiver)
    admin = await site.as_account(home.org, home.admin)
    path = f"residents/{home.space}/devices"

    assert [device["id"] for device in (await caregiver.get(path)).json()] == [None]
    assert [device["id"] for device in (await admin.get(path)).json()] == [str(tablet.device.id)]
    assert (await caregiver.post(f"{path}/{tablet.device.id}/wipe")).status_code == 403
    assert (await tablet.hello()).status_code == 200


async def test_a_manager_ends_no_device_of_a_supporter(site, home, database):
    manager = await site.as_account(
        home.org, await a_manager(database, home, "plan.view", "care.manage")
    )
    caregiver = await site.as_account(home.org, home.caregiver)
    answer = await manager.post(f"residents/{home.space}/devices/{caregiver.device}/wipe")

    assert answer.status_code == 404
    assert (await caregiver.get("session")).status_code == 200


async def test_a_device_says_which_resident_it_has_forgotten(tablet, site, home):
    caregiver = await site.as_account(home.org, home.caregiver)
    path = f"residents/{home.space}/devices"
    before = (await caregiver.get(path)).json()
    await tablet.hello(purged=[str(home.space)])
    after = (await caregiver.get(path)).json()

    assert [device["purged_at"] for device in before] == [None]
    assert [device["purged_at"] for device in after] == ["2026-11-25T09:00:00Z"]


async def test_an_open_page_hears_of_it_at_once(tablet, elsewhere, site):
    told = bytearray()
    heard = asyncio.Event()

    async def send(message):
        told.extend(message.get("body", b""))
        heard.set()

    async def receive():
        if told:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/sync/v1/poke", "query_string": b"",
        "headers": [(b"cookie", f"mos={tablet.browser.http.cookies['mos']}".encode())],
        "client": ("127.0.0.1", 1),
    }  # fmt: skip
    stream = asyncio.create_task(site.app(scope, receive, send))
    while b"heads" not in told:
        await asyncio.wait_for(heard.wait(), 5)
        heard.clear()
    await elsewhere.delete(f"devices/{tablet.device.id}")
    with suppress(TimeoutError):
        await asyncio.wait_for(stream, 5)
    nonce = (await tablet.hello()).json()["nonce"]

    assert f'event: wipe\ndata: {{"nonce":"{nonce}"}}\n\n' in told.decode()
    assert stream.done()


async def test_who_signs_in_on_it_again_begins_anew(site, home, database):
    browser = await site.signed_in("caregiver@example.test")
    other = await site.as_account(home.org, home.caregiver)
    await other.delete(f"devices/{browser.device}")
    browser.http.cookies.clear()
    await a_relation(database, home.org, home.caregiver, space=home.space)
    assert (await browser.sign_in("caregiver@example.test")).status_code == 201
    assert (await browser.get("session")).status_code == 200
    assert (await browser.get("devices/ended")).json() == []

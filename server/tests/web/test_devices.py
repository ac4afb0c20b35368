"""Devices: heartbeats, push, ring test."""

import json
from base64 import urlsafe_b64encode
from types import SimpleNamespace

import pytest
from builders import a_home
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mos.dispatch import webpush


def _keys():
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"p256dh": _base64url(point), "auth": _base64url(b"a" * 16)}


def _base64url(raw):
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _subscription(**changed):
    return {"endpoint": "https://push.example.com/abc", **_keys(), **changed}


async def _a_tablet(site, home, *, name="Surfplattan"):
    admin = await site.signed_in("admin@example.test")
    link = await admin.post(f"accounts/{home.resident.account}/invitations", {"kind": "device"})
    tablet = await site.browser()
    await tablet.post(
        "invitations/accept",
        {"token": link.json()["token"], "device_id": str(tablet.device), "device_name": name},
    )
    return tablet, admin


async def test_a_device_tells_what_it_is(site, clock):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    clock.move(minutes=5)

    told = {"name": "Köket", "app": "0.1.0", "zone_release": "2026b"}
    assert (await browser.put(f"devices/{browser.device}", told)).status_code == 204

    [device] = (await browser.get("devices")).json()
    assert device["name"] == "Köket"
    assert device["seen_at"] == "2026-11-25T09:05:00Z"
    assert (device["push"], device["ring_test"]) == (False, None)


async def test_supporters_see_whether_a_residents_tablet_can_ring(site):
    home = await a_home(site.database)
    tablet, admin = await _a_tablet(site, home)
    await tablet.put(f"devices/{tablet.device}/push", _subscription())
    caregiver = await site.signed_in("caregiver@example.test")

    [seen] = (await caregiver.get(f"residents/{home.space}/devices")).json()

    unknown = dict.fromkeys(
        ["beat_at", "permission", "sound", "battery", "charging", "storage_mb", "persisted", "pin"]
    )
    assert seen == {
        "space": str(home.space), "id": None, "name": "Surfplattan", "app": "", "kiosk": False,
        "seen_at": "2026-11-25T09:00:00Z", "push": True, "ring_test": None, "purged_at": None,
    } | unknown  # fmt: skip
    assert (await admin.get(f"residents/{home.space}/devices")).json() == [
        seen | {"id": str(tablet.device)}
    ]


_BEAT = {
    "permission": "granted", "sound": "locked", "battery": 12, "charging": False, "storage": 900,
    "persisted": True, "kiosk": True, "version": "0.1.0",
}  # fmt: skip


async def test_a_heartbeat_shows_supporters_how_the_tablet_is(site, clock):
    home = await a_home(site.database)
    tablet, _ = await _a_tablet(site, home)
    clock.move(minutes=5)

    assert (await tablet.post("device/heartbeat", _BEAT)).status_code == 204

    caregiver = await site.signed_in("caregiver@example.test")
    [seen] = (await caregiver.get(f"residents/{home.space}/devices")).json()
    told = {
        "permission": "granted", "sound": "locked", "battery": 12, "charging": False,
        "storage_mb": 900, "persisted": True, "kiosk": True, "app": "0.1.0",
        "beat_at": "2026-11-25T09:05:00Z", "seen_at": "2026-11-25T09:05:00Z",
    }  # fmt: skip
    assert seen | told == seen
    assert (await caregiver.get("residents/devices")).json() == [seen]


async def test_what_a_device_cannot_tell_stays_unknown(site):
    home = await a_home(site.database)
    tablet, admin = await _a_tablet(site, home)
    await tablet.post("device/heartbeat", _BEAT)

    assert (await tablet.post("device/heartbeat", {})).status_code == 204

    [seen] = (await admin.get(f"residents/{home.space}/devices")).json()
    assert (seen["battery"], seen["sound"], seen["kiosk"]) == (None, None, False)


@pytest.mark.parametrize(
    "wrong",
    [{"battery": 101}, {"sound": "loud"}, {"permission": True}, {"storage": -1}, {"mood": "good"}],
)
async def test_a_heartbeat_that_makes_no_sense_is_refused(site, wrong):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    answer = await browser.post("device/heartbeat", wrong)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.text


async def test_a_subscription_is_stored_and_forgotten(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    path = f"devices/{browser.device}/push"

    assert (await browser.put(path, _subscription())).status_code == 204
    [row] = await site.database.sql("SELECT push_endpoint, push_p256dh, push_auth FROM device")
    assert row["push_endpoint"] == "https://push.example.com/abc"
    assert (len(row["push_p256dh"]), len(row["push_auth"])) == (65, 16)
    assert (await browser.get("devices")).json()[0]["push"] is True

    assert (await browser.delete(path)).status_code == 204
    assert (await browser.get("devices")).json()[0]["push"] is False


async def test_one_browsers_endpoint_rings_once(site):
    await a_home(site.database)
    before = await site.signed_in("caregiver@example.test")
    after = await site.signed_in("caregiver@example.test")
    await before.put(f"devices/{before.device}/push", _subscription())

    await after.put(f"devices/{after.device}/push", _subscription())

    rows = await site.database.sql("SELECT device_id FROM device WHERE push_endpoint IS NOT NULL")
    assert [row["device_id"] for row in rows] == [after.device]


async def test_signing_out_silences_the_device(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    await browser.put(f"devices/{browser.device}/push", _subscription())

    await browser.delete("session")

    [row] = await site.database.sql("SELECT push_endpoint FROM device")
    assert row["push_endpoint"] is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"endpoint": "http://push.example.com/abc"}, "endpoint"),
        ({"endpoint": "https://"}, "endpoint"),
        ({"endpoint": "https://user@push.example.com/"}, "endpoint"),
        ({"endpoint": "https://push.example.com/å"}, "endpoint"),
        ({"endpoint": "https://push.example.com:99999/"}, "endpoint"),
        ({"endpoint": "javascript:alert(1)"}, "endpoint"),
        ({"p256dh": _base64url(b"k" * 64)}, "p256dh"),
        ({"auth": _base64url(b"k" * 15)}, "auth"),
        ({"auth": "not base64url!"}, "auth"),
    ],
)
async def test_a_subscription_that_cannot_be_is_refused(site, changed, field):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    answer = await browser.put(f"devices/{browser.device}/push", _subscription(**changed))

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://10.1.2.3/x",
        "https://192.168.1.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/x",
        "https://db.internal/x",
        "https://printer.local/x",
        "https://intranet/x",
        "https://0x7f.1/x",
        "https://2130706433/x",
        "https://push.example.com:8443/x",
    ],
)
async def test_pushes_never_go_into_our_own_network(endpoint):
    from mos.care.actions.devices import _check_endpoint
    from mos.kernel.errors import Invalid

    with pytest.raises(Invalid):
        _check_endpoint(endpoint, private_hosts=False)


async def test_real_push_services_are_let_through():
    from mos.care.actions.devices import _check_endpoint

    for endpoint in (
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://wns2-par02p.notify.windows.com/w/?token=abc%2b",
    ):
        _check_endpoint(endpoint, private_hosts=False)


@pytest.fixture
def sent(monkeypatch):
    """The messages that would have left, and what the push service answers."""

    service = SimpleNamespace(messages=[], answer=webpush.Result("sent", "http_201"))

    async def send(_post, subscription, message):
        service.messages.append((subscription, message))
        return service.answer

    monkeypatch.setattr(webpush, "send", send)
    return service


async def test_a_ring_test_sends_a_push_whose_word_proves_that_it_came(site, sent):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    await browser.put(f"devices/{browser.device}/push", _subscription())
    path = f"devices/{browser.device}/ring-test"

    begun = await browser.post(path)
    [(subscription, message)] = sent.messages
    told = {"sound": True, "permission": "granted", "push": True, "nonce": begun.json()["nonce"]}
    finished = await browser.put(path, told)

    assert begun.status_code == 201
    assert begun.json()["sent"] is True
    assert subscription.endpoint == "https://push.example.com/abc"
    assert json.loads(message.payload) == {"kind": "test", "nonce": begun.json()["nonce"]}
    assert finished.status_code == 204
    [device] = (await browser.get("devices")).json()
    assert device["ring_test"] == {
        "at": "2026-11-25T09:00:00.000Z", "sound": True, "permission": "granted", "push": True,
    }  # fmt: skip


async def test_a_push_that_nobody_saw_does_not_count(site, sent):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    await browser.put(f"devices/{browser.device}/push", _subscription())
    path = f"devices/{browser.device}/ring-test"
    await browser.post(path)

    told = {"sound": True, "permission": "granted", "push": True, "nonce": "made up"}
    await browser.put(path, told)

    [device] = (await browser.get("devices")).json()
    assert device["ring_test"]["push"] is False


async def test_a_ring_test_without_push_says_so(site, sent):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    path = f"devices/{browser.device}/ring-test"

    answer = await browser.post(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_push")

    sent.answer = webpush.Result("gone", "http_410")
    await browser.put(f"devices/{browser.device}/push", _subscription())
    answer = await browser.post(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "push_gone")
    assert (await browser.get("devices")).json()[0]["push"] is False


async def test_ring_tests_wait_for_each_other(site, sent, clock):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    await browser.put(f"devices/{browser.device}/push", _subscription())
    path = f"devices/{browser.device}/ring-test"
    await browser.post(path)

    assert (await browser.post(path)).status_code == 429
    clock.move(seconds=5)
    assert (await browser.post(path)).status_code == 201


async def test_revoking_a_device_signs_it_out(site):
    await a_home(site.database)
    lost = await site.signed_in("caregiver@example.test")
    phone = await site.signed_in("caregiver@example.test")

    assert (await phone.delete(f"devices/{lost.device}")).status_code == 204

    assert (await lost.get("session")).status_code == 401
    assert [device["id"] for device in (await phone.get("devices")).json()] == [str(phone.device)]


async def test_nobody_touches_a_device_of_somebody_else(site):
    await a_home(site.database)
    caregiver = await site.signed_in("caregiver@example.test")
    admin = await site.signed_in("admin@example.test")
    path = f"devices/{caregiver.device}"

    answers = [
        await admin.put(path, {"name": "mine"}),
        await admin.put(f"{path}/push", _subscription()),
        await admin.delete(f"{path}/push"),
        await admin.post(f"{path}/ring-test"),
        await admin.put(
            f"{path}/ring-test", {"sound": True, "permission": "granted", "push": False}
        ),
        await admin.delete(path),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6


async def test_the_push_key_is_the_servers_own(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    key = (await browser.get("push-key")).json()["key"]

    assert len(key) == 87
    assert key.startswith("B")

"""Whoever manages the organisation sets up channels and webhooks, and sees what services say."""

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from browsers import started
from builders import a_channel, a_home, a_relation, an_account
from http_service import http_service
from mail_service import PASSWORD
from msgspec.structs import replace

GATEWAY = {"provider": "gateway", "sender": "MOS", "url": "https://sms.example.org/send"}


@pytest.fixture
async def admin(site):
    await a_home(site.database)
    return await site.signed_in("admin@example.test")


@pytest.fixture
async def service():
    async with http_service() as service:
        yield service


def email(mail, **more):
    return {"settings": mail.settings | more}


async def test_a_channel_is_set_up_tried_and_forgotten(admin, mail):
    before = (await admin.get("channels")).json()
    assert [(one["channel"], one["state"]) for one in before] == [("email", "off"), ("sms", "off")]

    answer = await admin.put("channels/email", email(mail) | {"secret": PASSWORD})
    assert answer.status_code == 200
    entry = answer.json()
    assert (entry["state"], entry["has_secret"]) == ("own", True)
    assert entry["settings"]["sender"] == "mos@example.test"
    assert PASSWORD not in answer.text

    tried = (await admin.post("channels/email/test", {"to": "alva@example.org"})).json()
    assert (tried["outcome"], tried["words"]) == ("sent", "OK: taken")
    assert mail.mails[-1]["subject"] == "Ett prov från MOS"

    assert (await admin.delete("channels/email")).status_code == 204
    assert (await admin.get("channels")).json()[0]["state"] == "off"


async def test_a_test_shows_what_the_service_said_and_no_more_of_it_than_a_screen_bears(
    admin, mail
):
    await admin.put("channels/email", email(mail) | {"secret": PASSWORD})
    mail.answers = ["554 5.7.1 " + "x" * 400]

    tried = (await admin.post("channels/email/test", {"to": "alva@example.org"})).json()

    assert (tried["outcome"], tried["code"]) == ("refused", "smtp_554")
    assert tried["words"].startswith("5.7.1 xxx")
    assert len(tried["words"]) <= 300
    assert tried["took_ms"] >= 0


async def test_a_wrong_password_is_named(admin, mail):
    await admin.put("channels/email", email(mail) | {"secret": "wrong"})

    tried = (await admin.post("channels/email/test", {"to": "alva@example.org"})).json()

    assert (tried["outcome"], tried["code"]) == ("refused", "sign_in")


async def test_settings_change_and_the_password_stays(admin, mail, clock):
    await admin.put("channels/email", email(mail) | {"secret": PASSWORD})

    changed = (await admin.put("channels/email", email(mail, name="Solgläntan"))).json()

    assert changed["has_secret"] is True
    await admin.post("channels/email/test", {"to": "alva@example.org"})
    assert mail.mails[-1]["from"].addresses[0].display_name == "Solgläntan"


async def test_no_password_stands_readable_in_the_database(admin, mail, site):
    await admin.put("channels/email", email(mail) | {"secret": PASSWORD})

    [row] = await site.database.sql(
        "SELECT channel_settings::text AS text, secret FROM channel_settings"
    )

    assert PASSWORD not in row["text"]
    assert PASSWORD.encode() not in row["secret"]


async def test_a_secret_that_no_longer_opens_is_shown_as_broken(admin, mail, site):
    await admin.put("channels/email", email(mail) | {"secret": PASSWORD})
    await site.database.sql("UPDATE channel_settings SET secret = '\\x0102'")

    assert (await admin.get("channels")).json()[0]["state"] == "broken"


@pytest.mark.parametrize(
    ("channel", "settings", "field"),
    [
        ("email", {"host": "mail.example.org"}, "settings.sender"),
        ("email", {"host": "mail.example.org", "sender": "no address"}, "settings.sender"),
        ("email", {"host": "mail.example.org", "sender": "a@b.se", "port": 0}, "settings.port"),
        (
            "email",
            {"host": "mail.example.org", "sender": "a@b.se", "name": "MOS\r\nBcc: eve@b.se"},
            "settings.name",
        ),
        ("email", {"host": "a.se\r\nX: y", "sender": "a@b.se"}, "settings.host"),
        ("email", {"host": "mail.a.se", "sender": "a@b.se", "more": 1}, "settings.more"),
        ("sms", {"provider": "pigeon", "sender": "MOS"}, "settings.provider"),
        ("sms", {"provider": "46elks", "sender": "MOS"}, "settings.login"),
        ("sms", {"provider": "gateway", "sender": "MOS"}, "settings.url"),
        ("sms", GATEWAY | {"url": "ftp://sms.example.org"}, "settings.url"),
        ("sms", GATEWAY | {"url": "https://user@sms.example.org"}, "settings.url"),
        ("sms", GATEWAY | {"sender": "MOS\r\nX: y"}, "settings.sender"),
        ("sms", GATEWAY | {"price": -1}, "settings.price"),
    ],
)
async def test_settings_that_cannot_be_are_named(admin, channel, settings, field):
    answer = await admin.put(f"channels/{channel}", {"settings": settings})

    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize(
    ("channel", "settings", "field"),
    [
        ("email", {"host": "10.0.0.25", "sender": "a@b.se"}, "settings.host"),
        ("email", {"host": "localhost", "sender": "a@b.se"}, "settings.host"),
        ("email", {"host": "::1", "sender": "a@b.se"}, "settings.host"),
        ("sms", GATEWAY | {"url": "https://169.254.169.254/latest"}, "settings.url"),
        ("sms", GATEWAY | {"url": "http://sms.example.org/"}, "settings.url"),
        ("sms", GATEWAY | {"url": "https://[::ffff:127.0.0.1]/"}, "settings.url"),
    ],
)
async def test_an_address_inside_is_refused_with_what_to_do(
    database, clock, channel, settings, field
):
    from contextlib import AsyncExitStack

    from browsers import Site

    await a_home(database)
    outside = replace(database.settings, channel_networks=())
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(started(outside, clock))
        admin = await Site(app, clock, database, stack).signed_in("admin@example.test")

        answer = await admin.put(f"channels/{channel}", {"settings": settings})

        assert (answer.status_code, answer.json()["field"]) == (400, field)
        hook = await admin.post("webhooks", {"address": "https://192.168.1.1/hook"})
        assert (hook.status_code, hook.json()["field"]) == (400, "address")


async def test_a_webhook_is_added_with_a_secret_that_is_shown_once(admin, service, clock):
    added = (
        await admin.post("webhooks", {"address": f"{service.url}/hook", "label": "Vakt"})
    ).json()
    secret = b64decode(added["secret"].removeprefix("whsec_"))
    [listed] = (await admin.get("webhooks")).json()
    assert (listed["address"], listed["label"]) == (f"{service.url}/hook", "Vakt")
    assert "secret" not in listed
    service.answer = (202, {}, b"thank you")

    tried = (await admin.post(f"webhooks/{added['webhook']['id']}/test")).json()

    assert (tried["outcome"], tried["words"]) == ("sent", "thank you")
    [heard] = service.heard
    signed = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode()
    digest = hmac.digest(secret, signed + heard.body, sha256)
    assert heard.headers["webhook-signature"] == "v1," + b64encode(digest).decode()
    assert (await admin.delete(f"webhooks/{added['webhook']['id']}")).status_code == 204
    assert (await admin.get("webhooks")).json() == []


async def test_for_a_day_the_old_secret_signs_beside_the_new_one(admin, service, clock):
    added = (await admin.post("webhooks", {"address": f"{service.url}/hook"})).json()
    path = f"webhooks/{added['webhook']['id']}"

    changed = (await admin.post(f"{path}/secret")).json()
    await admin.post(f"{path}/test")
    clock.move(hours=25)
    await admin.post("session/step-up/password", {"password": "a long enough password"})
    await admin.post(f"{path}/test")

    assert changed["secret"] != added["secret"]
    assert changed["webhook"]["old_secret_until"] is not None
    new, old = (_signs(each["secret"]) for each in (changed, added))
    within, after = service.heard
    assert within.headers["webhook-signature"].split() == [new(within), old(within)]
    assert after.headers["webhook-signature"] == new(after)


def _signs(secret):
    key = b64decode(secret.removeprefix("whsec_"))

    def signature(heard):
        signed = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode()
        digest = hmac.digest(key, signed + heard.body, sha256)
        return "v1," + b64encode(digest).decode()

    return signature


async def test_a_redirect_is_an_answer_and_not_followed(admin, service):
    added = (await admin.post("webhooks", {"address": f"{service.url}/hook"})).json()
    service.answer = (302, {"location": f"{service.url}/elsewhere"}, b"")

    tried = (await admin.post(f"webhooks/{added['webhook']['id']}/test")).json()

    assert (tried["outcome"], tried["code"]) == ("refused", "http_302")
    assert [one.path for one in service.heard] == ["/hook"]


async def test_a_test_by_sms_counts_and_stops_at_the_cap(admin, service, clock):
    service.answer = (202, {}, b'{"id": "1"}')
    settings = GATEWAY | {"url": f"{service.url}/sms", "price": 60}
    await admin.put("channels/sms", {"settings": settings, "secret": "token", "cap": 100})
    to = {"to": "070-123 45 67"}
    assert (await admin.post("channels/sms/test", to)).json()["field"] == "to"

    first = (await admin.post("channels/sms/test", {"to": "+46 (0)70-123 45 67"})).json()
    clock.move(minutes=1)
    second = (await admin.post("channels/sms/test", {"to": "+46701234567"})).json()

    assert (first["outcome"], second["code"]) == ("sent", "cap")
    assert len(service.heard) == 1
    entry = (await admin.get("channels")).json()[1]
    assert (entry["spent"], entry["messages"], entry["cap"]) == (60, 1, 100)
    assert entry["capped_at"] is not None


async def test_in_a_family_whoever_manages_all_of_it_sets_up_channels(site, mail):
    home = await a_home(site.database)
    head = await an_account(
        site.database, home.org, "relative", email="eva@example.test", password=PASSWORD
    )
    await a_relation(site.database, home.org, head, unit=home.unit, permissions=("care.manage",))
    eva = await site.signed_in("eva@example.test", PASSWORD)

    assert (await eva.put("channels/email", email(mail))).status_code == 200


async def test_the_installations_mail_server_serves_whoever_has_none(database, clock, mail):
    from contextlib import AsyncExitStack

    from browsers import Site

    from mos.kernel.settings import Smtp

    home = await a_home(database)
    (database.settings.secrets / "smtp.password").write_text(PASSWORD + "\n")
    ours = Smtp(
        host="127.0.0.1", port=mail.port, security="starttls", login="mos",
        sender="mos@example.test",
    )  # fmt: skip
    # Its operator answers for where it stands: also inside.
    settings = replace(database.settings, channel_networks=(), smtp=ours)
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(started(settings, clock))
        admin = await Site(app, clock, database, stack).signed_in("admin@example.test")
        assert (await admin.get("channels")).json()[0]["state"] == "installation"

        tried = (await admin.post("channels/email/test", {"to": "alva@example.org"})).json()
        assert tried["outcome"] == "sent"

        clock.move(minutes=1)
        await a_channel(database, home.org, "email", mail.settings, secret=PASSWORD)
        blocked = (await admin.post("channels/email/test", {"to": "alva@example.org"})).json()
        assert (blocked["outcome"], blocked["code"]) == ("refused", "blocked")

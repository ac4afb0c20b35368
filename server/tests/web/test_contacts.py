"""One's own contacts: added, proved by a code, changed, tried, removed."""

import json
import re
from base64 import b64decode

import pytest
from builders import a_channel, a_home
from http_service import http_service
from mail_service import PASSWORD

from mos.dispatch.channels.webhook import signature

NEW = {"channel": "email", "address": "noor@example.org", "label": "Hemma", "when": "important"}


@pytest.fixture
async def caregiver(site, mail):
    home = await a_home(site.database)
    await a_channel(site.database, home.org, "email", mail.settings, secret=PASSWORD)
    return await site.signed_in("caregiver@example.test")


def code_of(mail):
    return re.search(r"\b\d{6}\b", mail.mails[-1].get_content())[0]


async def test_a_contact_counts_once_the_code_that_was_sent_there_comes_back(caregiver, mail):
    answer = await caregiver.post("me/contacts", NEW)

    assert answer.status_code == 201
    added = answer.json()
    contact = added["contact"]["id"]
    assert (added["sent"], added["contact"]["verified"]) == (True, False)
    assert mail.envelopes[-1][1] == ["noor@example.org"]
    # As people copy it.
    code = code_of(mail)
    proved = await caregiver.post(
        f"me/contacts/{contact}/verify", {"code": f" {code[:3]} {code[3:]} "}
    )
    assert proved.json()["verified"] is True
    [mine] = (await caregiver.get("me/contacts")).json()
    assert (mine["address"], mine["label"], mine["when"]) == (
        "noor@example.org", "Hemma", "important",
    )  # fmt: skip
    assert mine["verified"] is True


async def test_a_wrong_code_proves_nothing_and_after_five_the_right_one_neither(
    caregiver, mail, clock
):
    contact = (await caregiver.post("me/contacts", NEW)).json()["contact"]["id"]
    right = code_of(mail)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for _ in range(5):
        answer = await caregiver.post(f"me/contacts/{contact}/verify", {"code": wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "code_wrong")

    answer = await caregiver.post(f"me/contacts/{contact}/verify", {"code": right})
    assert (answer.status_code, answer.json()["code"]) == (409, "code_ended")

    clock.move(minutes=1)
    assert (await caregiver.post(f"me/contacts/{contact}/code")).json() == {
        "sent": True, "code": "",
    }  # fmt: skip
    answer = await caregiver.post(f"me/contacts/{contact}/verify", {"code": code_of(mail)})
    assert answer.status_code == 200


async def test_a_code_ends_after_ten_minutes(caregiver, mail, clock):
    contact = (await caregiver.post("me/contacts", NEW)).json()["contact"]["id"]
    clock.move(minutes=10)

    answer = await caregiver.post(f"me/contacts/{contact}/verify", {"code": code_of(mail)})

    assert answer.json()["code"] == "code_ended"


@pytest.mark.parametrize(
    "address",
    [
        "noor",
        "noor@",
        "noor@localhost",
        "noor@example.org, eve@example.org",
        "noor@example.org\r\nBcc: eve@example.org",
        "noor@example.org\nSubject: hej",
        "Noor <noor@example.org>",
        '"noor\r\nBcc: eve"@example.org',
        "nöör@example.org",
        "noor@[127.0.0.1]",
        "a" * 250 + "@example.org",
    ],
)
async def test_what_is_no_address_is_refused_before_anything_is_sent(caregiver, mail, address):
    answer = await caregiver.post("me/contacts", NEW | {"address": address})

    assert (answer.status_code, answer.json()["field"]) == (400, "address")
    assert mail.envelopes == []
    assert (await caregiver.get("me/contacts")).json() == []


async def test_a_contact_is_changed_tried_and_removed(caregiver, mail, clock):
    contact = (await caregiver.post("me/contacts", NEW)).json()["contact"]["id"]
    early = await caregiver.post(f"me/contacts/{contact}/test")
    assert (early.status_code, early.json()["code"]) == (409, "unverified")
    await caregiver.post(f"me/contacts/{contact}/verify", {"code": code_of(mail)})

    clock.move(minutes=1)
    assert (await caregiver.post(f"me/contacts/{contact}/test")).json()["sent"] is True
    assert mail.mails[-1]["subject"] == "Ett prov från MOS"
    changed = await caregiver.patch(f"me/contacts/{contact}", {"when": "last"})
    assert (changed.json()["when"], changed.json()["label"]) == ("last", "Hemma")

    assert (await caregiver.delete(f"me/contacts/{contact}")).status_code == 204
    assert (await caregiver.get("me/contacts")).json() == []
    assert (await caregiver.delete(f"me/contacts/{contact}")).status_code == 404


async def test_messages_to_strangers_are_few_whatever_is_removed_between(caregiver, mail, clock):
    taken = 0
    for number in range(30):
        answer = await caregiver.post("me/contacts", NEW | {"address": f"s{number}@example.org"})
        clock.move(minutes=1)
        if answer.status_code != 201:
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
            break
        taken += 1
        await caregiver.delete(f"me/contacts/{answer.json()['contact']['id']}")

    assert taken == len(mail.mails) == 20
    assert (await caregiver.get("me/contacts")).json() == []


async def test_codes_do_not_follow_each_other_at_once(caregiver, mail):
    contact = (await caregiver.post("me/contacts", NEW)).json()["contact"]["id"]

    answer = await caregiver.post(f"me/contacts/{contact}/code")

    assert answer.status_code == 429
    assert len(mail.mails) == 1


async def test_the_same_address_twice_is_a_conflict(caregiver, clock):
    await caregiver.post("me/contacts", NEW)
    clock.move(minutes=1)

    assert (await caregiver.post("me/contacts", NEW)).status_code == 409


async def test_an_address_that_an_earlier_release_wrote_is_there_already(
    caregiver, clock, site, mail
):
    await caregiver.post("me/contacts", NEW)
    await site.database.sql(
        "UPDATE contact SET address = $1, address_digest = NULL", NEW["address"]
    )
    clock.move(minutes=1)

    assert (await caregiver.post("me/contacts", NEW)).status_code == 409
    assert len(mail.mails) == 1


async def test_in_the_database_no_address_and_no_label_can_be_read(caregiver, site):
    await caregiver.post("me/contacts", NEW)

    [row] = await site.database.owner.fetch("SELECT contact::text AS whole FROM contact")

    assert [word for word in (NEW["address"], "noor", NEW["label"]) if word in row["whole"]] == []


async def test_without_the_key_store_it_is_said_and_nothing_is_kept(caregiver, clock, monkeypatch):
    async def away(*_args, **_more):
        raise ConnectionRefusedError

    await caregiver.post("me/contacts", NEW)
    clock.move(minutes=2)
    with monkeypatch.context() as patch:
        patch.setattr("mos.privacy.keyring.Keyring.opened", away)
        answer = await caregiver.get("me/contacts")
        added = await caregiver.post("me/contacts", NEW | {"address": "noor@example.net"})

    assert (answer.status_code, answer.json()["code"]) == (503, "keys_away")
    assert answer.json()["detail"] == "The keys to this do not answer just now. Try again soon."
    assert added.status_code == 503
    assert len((await caregiver.get("me/contacts")).json()) == 1


async def test_a_channel_that_nobody_has_set_up_says_so_and_keeps_nothing(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    answer = await browser.post("me/contacts", NEW)

    assert (answer.status_code, answer.json()["code"]) == (409, "channel_off")
    assert await site.database.sql("SELECT FROM contact") == []
    assert await site.database.sql("SELECT FROM contact_try") == []


async def test_a_code_that_could_not_be_sent_is_said_and_can_be_asked_for_again(
    caregiver, mail, clock
):
    mail.answers = ["550 5.1.1 Nobody here"]

    added = (await caregiver.post("me/contacts", NEW)).json()

    assert (added["sent"], added["code"]) == (False, "smtp_550")
    clock.move(minutes=1)
    again = await caregiver.post(f"me/contacts/{added['contact']['id']}/code")
    assert again.json()["sent"] is True


async def test_the_database_alone_does_not_tell_the_code(caregiver, site):
    await caregiver.post("me/contacts", NEW)

    [row] = await site.database.sql("SELECT code_hash FROM contact")

    assert len(row["code_hash"]) == 32


async def test_a_webhook_of_ones_own_is_proved_by_the_code_that_was_posted_there(
    caregiver, clock, site
):
    async with http_service() as service:
        service.answer = (204, {}, b"")
        new = {"channel": "webhook", "address": f"{service.url}/hem", "when": "critical"}
        added = (await caregiver.post("me/contacts", new)).json()
        key = b64decode(added["secret"].removeprefix("whsec_"))
        [posted] = service.heard
        body = json.loads(posted.body)
        assert (added["sent"], body["type"]) == (True, "code")
        name, seconds = posted.headers["webhook-id"], posted.headers["webhook-timestamp"]
        assert posted.headers["webhook-signature"] == signature(key, name, seconds, posted.body)

        path = f"me/contacts/{added['contact']['id']}"
        proved = await caregiver.post(f"{path}/verify", {"code": body["data"]["code"]})

        assert proved.json()["verified"] is True
        clock.move(minutes=1)
        assert (await caregiver.post(f"{path}/test")).json()["sent"] is True
        assert json.loads(service.heard[-1].body)["type"] == "test"
        assert "secret" not in (await caregiver.get("me/contacts")).json()[0]


@pytest.mark.parametrize(
    "address",
    ["https://exam ple.org/", "https://example.org/å", "https://user@example.org/",
     "https://example.org/#x", "http://example.org/", "https://", "https://example.org:99999/",
     "https://example.org/\r\nX: y", "javascript:alert(1)"],
)  # fmt: skip
async def test_a_webhook_that_cannot_be_is_refused(caregiver, address):
    answer = await caregiver.post("me/contacts", {"channel": "webhook", "address": address})

    assert (answer.status_code, answer.json()["field"]) == (400, "address")

"""Forgotten passwords: one link by mail, and nothing that tells a stranger who has an account."""

import re
from uuid import uuid4

import pytest
from builders import PASSWORD, a_channel, a_home, an_account
from mail_service import PASSWORD as MAIL_PASSWORD
from test_second_factor import code_of, enrol

CAREGIVER = "caregiver@example.test"
NEW = "another long enough one"


@pytest.fixture
async def home(site, mail):
    home = await a_home(site.database)
    await a_channel(site.database, home.org, "email", mail.settings, secret=MAIL_PASSWORD)
    return home


async def ask(browser, email=CAREGIVER):
    return await browser.post("password-resets", {"email": email})


def token_of(told) -> str:
    """The token in a mail: behind the `#`, so that no server's log and no Referer ever holds it."""
    found = re.search(r"https?://[^\s/]+/#/inbjudan/(\S+)", told.get_content())
    assert found, told.get_content()
    return found[1]


async def accept(browser, token, **more):
    body = {"token": token, "device_id": str(browser.device), "password": NEW}
    return await browser.post("invitations/accept", body | more)


async def events(site):
    rows = await site.database.sql("SELECT event FROM audit ORDER BY org_id, n")
    return [row["event"] for row in rows]


async def test_the_link_opens_once_and_signs_out_everywhere_else(site, home, mail):
    before = await site.signed_in(CAREGIVER)
    browser = await site.browser()

    asked = await ask(browser, " Caregiver@Example.test ")
    [told] = mail.mails
    opened = await browser.post("invitations/open", {"token": token_of(told)})
    done = await accept(browser, token_of(told))
    again = await accept(await site.browser(), token_of(told))

    assert (asked.status_code, asked.json()) == (202, {"by_mail": True})
    assert told["To"] == CAREGIVER
    assert opened.json()["kind"] == "reset"
    assert done.status_code == 201
    assert (again.status_code, again.json()["code"]) == (404, "link_gone")
    assert (await before.get("session")).status_code == 401
    assert (await (await site.browser()).sign_in(CAREGIVER, PASSWORD)).status_code == 401
    assert (await (await site.browser()).sign_in(CAREGIVER, NEW)).status_code == 201
    assert [each["Subject"] for each in mail.mails][1:] == ["Ditt lösenord till MOS är bytt"]
    assert {"reset_sent", "password_changed"} <= set(await events(site))


async def test_whether_mail_goes_out_is_told_before_anybody_is_named(site, home):
    browser = await site.browser()

    assert (await browser.get("password-resets")).json() == {"by_mail": True}
    await site.database.sql("DELETE FROM channel_settings")
    assert (await browser.get("password-resets")).json() == {"by_mail": False}
    assert (await browser.get(f"password-resets?organisation={uuid4()}")).status_code == 200


async def test_half_an_hour_is_all(site, home, mail, clock):
    await ask(await site.browser())
    clock.move(minutes=30)

    assert (await accept(await site.browser(), token_of(mail.mails[0]))).status_code == 404


async def test_only_a_hash_of_the_token_is_kept(site, home, mail):
    await ask(await site.browser())

    kept = str(await site.database.sql("SELECT * FROM invitation"))
    assert token_of(mail.mails[0]) not in kept


async def test_an_unknown_address_gets_the_same_answer_and_no_mail(site, home, mail):
    await an_account(site.database, home.org, "nurse", email="invited@example.test")
    off = await an_account(
        site.database, home.org, "nurse", email="off@example.test", password=PASSWORD
    )
    await site.database.sql("UPDATE account SET disabled_at = now() WHERE account_id = $1", off)
    known = await ask(await site.browser())

    for email in ("nobody@example.test", "invited@example.test", "off@example.test"):
        answer = await ask(await site.browser(client="203.0.113.9"), email)
        assert (answer.status_code, answer.content) == (known.status_code, known.content)
    assert len(mail.mails) == 1


async def test_what_is_asked_before_the_answer_is_the_same_for_every_address(
    site, home, mail, monkeypatch
):
    """The address is looked up when the answer has gone: a stopwatch finds nothing."""
    from mos.care import store

    order = []
    looked = store.known_by_email

    async def watched(*given, **more):
        order.append("looked up")
        return await looked(*given, **more)

    monkeypatch.setattr(store, "known_by_email", watched)
    browser = await site.browser()
    transport = browser.http._transport
    heard = transport.app

    async def hearing(scope, receive, send):
        async def sending(message):
            if message["type"] == "http.response.body":
                order.append("answered")
            await send(message)

        await heard(scope, receive, sending)

    transport.app = hearing
    await ask(browser)

    assert order == ["answered", "looked up"]


async def test_a_stranger_who_keeps_asking_ends_no_link_and_floods_no_mailbox(
    site, home, mail, clock
):
    admin = await site.signed_in("admin@example.test")
    link = await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})
    for number in range(60):
        await ask(await site.browser(client=f"203.0.113.{number}"))
        clock.move(minutes=1)

    # However they ask, one that still opens lies in the mailbox.
    assert 4 <= len(mail.mails) <= 8
    opened = [
        await (await site.browser()).post("invitations/open", {"token": token_of(told)})
        for told in mail.mails
    ]
    assert [answer.status_code for answer in opened][-1] == 200
    theirs = {"token": link.json()["token"]}
    assert (await admin.post("invitations/open", theirs)).status_code == 200


async def test_a_device_that_knows_its_person_is_sent_one_whatever_strangers_did(
    site, home, mail, clock
):
    own = await site.signed_in(CAREGIVER)
    await own.delete("session")
    for number in range(8):
        await ask(await site.browser(client=f"203.0.113.{number}"))
    before = len(mail.mails)

    await ask(own)

    assert len(mail.mails) == before + 1


async def test_one_network_waits_and_no_other(site, home, mail):
    browser = await site.browser(client="203.0.113.9")

    answers = [await ask(browser, f"person{number}@example.test") for number in range(21)]

    assert [answer.status_code for answer in answers] == [202] * 20 + [429]
    assert answers[-1].json()["code"] == "too_many"
    assert (await ask(await site.browser(client="203.0.113.10"))).status_code == 202
    assert len(mail.mails) == 1


async def test_one_used_link_ends_the_others(site, home, mail, clock):
    await ask(await site.browser())
    clock.move(minutes=2)
    await ask(await site.browser())
    first, second = (token_of(told) for told in mail.mails)

    await accept(await site.browser(), second)

    assert (await accept(await site.browser(), first)).status_code == 404


async def test_a_changed_password_ends_what_was_sent_and_is_told(site, home, mail):
    browser = await site.signed_in(CAREGIVER)
    await ask(await site.browser())
    await browser.post("account/password", {"current": PASSWORD, "new": NEW})

    assert (await accept(await site.browser(), token_of(mail.mails[0]))).status_code == 404
    assert mail.mails[-1]["Subject"] == "Ditt lösenord till MOS är bytt"


async def test_whoever_reads_the_mail_still_needs_the_code_from_the_phone(site, home, mail, clock):
    secret, _ = await enrol(await site.signed_in(CAREGIVER), clock)
    await ask(await site.browser())
    browser = await site.browser()

    asked = await accept(browser, token_of(mail.mails[0]))
    entered = await accept(browser, token_of(mail.mails[0]), code=code_of(secret, clock))

    assert asked.json()["code"] == "code_needed"
    assert entered.status_code == 201


async def test_where_no_mail_is_set_up_everybody_is_told_so(site):
    await a_home(site.database)

    for email in (CAREGIVER, "nobody@example.test"):
        assert (await ask(await site.browser(), email)).json() == {"by_mail": False}
    assert await site.database.sql("SELECT * FROM invitation") == []


async def test_a_mail_server_that_is_away_keeps_nobody_waiting(site, home, mail):
    mail.answers = ["450 4.2.1 Mailbox busy"]

    assert (await ask(await site.browser())).status_code == 202
    assert mail.mails == []


async def test_a_first_password_is_no_change_to_tell_of(site, home, mail):
    account = await an_account(site.database, home.org, "nurse", email="ny@example.test")
    admin = await site.signed_in("admin@example.test")
    link = await admin.post(f"accounts/{account}/invitations", {"kind": "password"})

    assert (await accept(await site.browser(), link.json()["token"])).status_code == 201
    assert mail.mails == []

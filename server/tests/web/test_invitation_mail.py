"""Invitations by mail: to whom they are for, in their language, and nothing about a resident."""

import re

import pytest
from builders import PASSWORD, a_channel, a_home, a_relation, an_account
from mail_service import PASSWORD as MAIL_PASSWORD

VERA = "vera@example.test"


@pytest.fixture
async def home(site, mail):
    home = await a_home(site.database)
    await a_channel(site.database, home.org, "email", mail.settings, secret=MAIL_PASSWORD)
    return home


async def invited(site, home, language="sv"):
    """An administrator, somebody new, and the link that was made for them."""
    account = await an_account(site.database, home.org, "relative", name="Vera", email=VERA)
    await a_relation(site.database, home.org, account, space=home.space, permissions=("plan.view",))
    await site.database.sql(
        "UPDATE account SET language = $2 WHERE account_id = $1", account, language
    )
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{account}/invitations"
    link = (await admin.post(path, {"kind": "password"})).json()
    return admin, path, link


async def send(admin, path, link, **more):
    return await admin.post(f"{path}/{link['id']}/mail", {"token": link["token"]} | more)


@pytest.mark.parametrize(
    ("language", "wanted"),
    [("sv", ("Du är inbjuden till MOS", "2026-12-02")),
     ("en", ("You are invited", "2 December 2026")), ("fi", ("Sinut on kutsuttu", "2.12.2026"))],
)  # fmt: skip
async def test_the_mail_opens_what_the_link_opens_in_the_persons_language(
    site, home, mail, language, wanted
):
    subject, until = wanted
    admin, path, link = await invited(site, home, language)

    sent = await send(admin, path, link)

    assert sent.json() == {"sent": True, "code": ""}
    [told] = mail.mails
    text = told.get_content()
    assert told["To"] == VERA
    assert told["Subject"].startswith(subject)
    assert until in text
    assert link["code"] in text
    # Who invites is a colleague or a relative; whom they look after stands nowhere.
    assert "Alva" in text
    assert not any(word in told.as_string() for word in ("Elsa", "Solgläntan", "Eken"))
    token = re.search(r"#/inbjudan/(\w+)", text)
    browser = await site.browser()
    body = {"token": token[1], "device_id": str(browser.device), "password": PASSWORD}
    assert (await browser.post("invitations/accept", body)).status_code == 201


async def test_a_link_says_whether_mail_goes_out(site, home):
    account = await an_account(site.database, home.org, "relative", name="Vera", email=VERA)
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{account}/invitations"

    assert (await admin.post(path, {"kind": "password"})).json()["by_mail"] is True
    await site.database.sql("DELETE FROM channel_settings")
    assert (await admin.post(path, {"kind": "password"})).json()["by_mail"] is False


async def test_only_whoever_holds_the_token_has_it_mailed(site, home, mail):
    admin, path, link = await invited(site, home)
    other = await an_account(site.database, home.org, "nurse", email="x@example.test")
    theirs = (await admin.post(f"accounts/{other}/invitations", {"kind": "password"})).json()

    guessed = await send(admin, path, link, token="K7QM2XHP9DTR4WZC")
    swapped = await send(admin, path, link, token=theirs["token"])
    elsewhere = await admin.post(
        f"accounts/{other}/invitations/{link['id']}/mail", {"token": link["token"]}
    )

    assert {guessed.status_code, swapped.status_code, elsewhere.status_code} == {404}
    assert mail.mails == []


async def test_a_link_that_was_withdrawn_or_has_ended_is_not_mailed(site, home, mail, clock):
    admin, path, link = await invited(site, home)

    withdrawn = await admin.delete(path)
    answer = await send(admin, path, link)

    assert withdrawn.status_code == 204
    assert answer.json()["code"] == "link_gone"
    browser = await site.browser()
    opened = await browser.post("invitations/open", {"token": link["token"]})
    assert opened.json()["code"] == "link_gone"
    rows = await site.database.sql("SELECT event FROM audit ORDER BY n")
    assert [row["event"] for row in rows][-1] == "invitation_withdrawn"


async def test_one_link_is_not_mailed_again_and_again(site, home, mail):
    admin, path, link = await invited(site, home)

    codes = [(await send(admin, path, link)).status_code for _ in range(4)]

    assert codes == [200, 200, 200, 429]
    assert len(mail.mails) == 3


async def test_mailing_asks_once_more_who_one_is(site, home, mail, clock):
    admin, path, link = await invited(site, home)
    clock.move(minutes=6)

    assert (await send(admin, path, link)).json()["code"] == "step_up_needed"
    assert mail.mails == []


async def test_a_tablets_link_is_never_mailed(site, home, mail):
    admin = await site.signed_in("admin@example.test")
    path = f"accounts/{home.resident.account}/invitations"
    link = (await admin.post(path, {"kind": "device"})).json()

    assert (await send(admin, path, link)).status_code == 400


async def test_where_no_mail_is_set_up_it_is_said(site):
    home = await a_home(site.database)
    admin, path, link = await invited(site, home)

    assert (await send(admin, path, link)).json() == {"sent": False, "code": "channel_off"}

"""Mail and paper by which people come in: a forgotten password, through a real mail server."""

import asyncio
import os
import re
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mail_service import MailService, mail_service
from people import DESKTOP, SOON_MS, People, wait_until
from playwright.sync_api import expect
from test_phone_codes import look

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

MORNING = "2026-11-28T07:57:00"
SARA = "sara@bjorkbacken.example"


@pytest.fixture
def post(server_tls: ssl.SSLContext) -> Iterator[MailService]:
    """A mail server that runs beside the browser."""
    loop = asyncio.new_event_loop()
    ready, done = threading.Event(), asyncio.Event()
    found: list[MailService] = []

    async def serve() -> None:
        async with mail_service(server_tls, asks_login=False) as service:
            found.append(service)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield found[0]
    loop.call_soon_threadsafe(done.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def home(tmp_path: Path, post: MailService) -> Iterator[Rehearsal]:
    """A demo home whose operator has set up mail."""
    smtp = f"smtp://127.0.0.1:{post.port}?from=mos@example.test"
    with Rehearsal(tmp_path / "mos", MORNING, environ={"MOS_SMTP": smtp}) as rehearsal:
        yield rehearsal
    # What opens something stands in no log.
    said = rehearsal.served_log
    assert [
        token for mail in post.mails for token in tokens(mail.get_content()) if token in said
    ] == []


def tokens(text: str) -> list[str]:
    return re.findall(r"#/inbjudan/(\w+)", text)


def test_a_forgotten_password_is_chosen_anew_by_a_mail(
    people: People, home: Rehearsal, post: MailService
):
    page = people.visit(size=DESKTOP)
    page.get_by_role("button", name="Glömt lösenordet?").click()
    page.get_by_label("E-post").fill(SARA)
    look(page, "forgotten")
    page.get_by_role("button", name="Skicka länken").click()
    expect(page.get_by_text("är ett mejl på väg")).to_be_visible(timeout=SOON_MS)
    look(page, "forgotten-sent")

    wait_until(page, lambda: post.mails)
    [token] = tokens(post.mails[0].get_content())
    page.goto(f"{home.url}/#/inbjudan/{token}")
    expect(page.get_by_text("Välj ett nytt lösenord.")).to_be_visible(timeout=SOON_MS)
    look(page, "forgotten-link")
    page.get_by_label("Lösenord för").fill("en helt annan lång fras")
    page.get_by_role("button", name="Spara och logga in").click()
    expect(page.get_by_role("link", name="Just nu")).to_be_visible(timeout=SOON_MS)
    wait_until(page, lambda: len(post.mails) > 1)
    assert post.mails[1]["Subject"] == "Ditt lösenord till MOS är bytt"


def test_somebody_is_invited_by_mail_and_by_a_letter_and_the_link_is_withdrawn(
    people: People, home: Rehearsal, post: MailService
):
    page = people.open("admin", size=DESKTOP)
    page.get_by_role("link", name="Personer").click()
    page.get_by_role("button", name="Ny person").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Namn").fill("Vera Virtanen")
    form.get_by_label("E-post").fill("vera@example.test")
    form.get_by_role("button", name="Lägg till och bjud in").click()
    dialog = page.get_by_role("dialog", name="Länk till Vera Virtanen")
    expect(dialog).to_be_visible(timeout=SOON_MS)

    dialog.get_by_role("button", name="Skicka med e-post").click()
    expect(dialog.get_by_text("Skickat till vera@example.test.")).to_be_visible(timeout=SOON_MS)
    look(page, "invited")
    [told] = post.mails
    [token] = tokens(told.get_content())

    page.evaluate("window.print = () => { window.printed = true }")
    dialog.get_by_role("button", name="Skriv ut ett brev").click()
    page.wait_for_function("window.printed")
    page.emulate_media(media="print")
    paper = page.locator(".paper")
    expect(paper.get_by_role("heading", name="Hej Vera Virtanen!")).to_be_visible()
    code = "-".join(token[at : at + 4] for at in range(0, 16, 4))
    expect(paper).to_contain_text(code)
    assert not dialog.is_visible()
    if folder := os.environ.get("MOS_LOOK"):
        page.set_viewport_size({"width": 794, "height": 1123})
        page.screenshot(path=f"{folder}/letter.png")
        page.set_viewport_size(DESKTOP)
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")

    dialog.get_by_role("button", name="Dra tillbaka länken").click()
    expect(dialog).to_be_hidden(timeout=SOON_MS)
    vera = people.visit(size=DESKTOP)
    vera.goto(f"{home.url}/#/inbjudan/{token}")
    expect(vera.get_by_text("Länken gäller inte längre.")).to_be_visible(timeout=SOON_MS)

"""A code from the phone from its making to the door, and the paper for the day when it is gone."""

import os
from base64 import b32decode

import pytest
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import Page, expect
from test_pins import sign_out

from mos.care import rules
from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey


def look(page: Page, name: str) -> None:
    """Keep pictures of the page where somebody asks for them: phone and desktop, light and dark."""
    folder = os.environ.get("MOS_LOOK")
    if not folder:
        return
    size = page.viewport_size
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(200)
            page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size or DESKTOP)


def enrol(page: Page, home: Rehearsal) -> tuple[bytes, str, list[str]]:
    """Let whoever is signed in have codes.

    Return their phone's secret, the code that was used up by it, and what is on the paper.
    """
    page.goto(f"{home.url}/#/installningar")
    page.get_by_role("button", name="Kom igång").click()
    dialog = page.get_by_role("dialog")
    key = dialog.locator(".key")
    expect(key).to_be_visible(timeout=SOON_MS)
    secret = b32decode(key.inner_text().replace(" ", ""))
    look(page, "totp-begin")
    dialog.get_by_label("Koden i appen").fill("000000")
    dialog.get_by_role("button", name="Slå på").click()
    expect(dialog.get_by_text("Koden stämmer inte")).to_be_visible(timeout=SOON_MS)
    used = code(secret, home)
    dialog.get_by_label("Koden i appen").fill(used)
    dialog.get_by_role("button", name="Slå på").click()
    codes = dialog.get_by_role("listitem")
    expect(codes).to_have_count(10, timeout=SOON_MS)
    look(page, "totp-codes")
    return secret, used, codes.all_inner_texts()


def code(secret: bytes, home: Rehearsal, off: int = 0) -> str:
    return rules.code_of(secret, rules.step_at(home.now()) + off)


def see_the_paper(page: Page, paper: list[str]) -> None:
    """Print: the codes are on the sheet, and nothing else of the page."""
    page.evaluate("window.print = () => { window.printed = true }")
    page.get_by_role("dialog").get_by_role("button", name="Skriv ut").click()
    page.wait_for_function("window.printed")
    page.emulate_media(media="print")
    expect(page.locator(".paper li").first).to_have_text(paper[0])
    assert not page.locator("dialog").first.is_visible()
    if folder := os.environ.get("MOS_LOOK"):
        page.pdf(path=f"{folder}/totp-sheet.pdf")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".paper")).to_have_count(0)


def knock(page: Page) -> None:
    """Sign out, and in again as far as the code."""
    sign_out(page)
    page.get_by_role("radio", name="Personal").check()
    page.get_by_role("button", name="Sara Nyström").click()
    expect(page.get_by_role("heading", name="Koden också")).to_be_visible(timeout=SOON_MS)


def enter(page: Page, field: str, typed: str) -> None:
    page.get_by_label(field).fill(typed)
    page.get_by_role("button", name="Logga in", exact=True).click()


def test_a_code_from_the_phone_is_asked_for_and_the_paper_opens_once(
    people: People, home: Rehearsal
):
    page = people.open("sara", size=DESKTOP)
    secret, used, paper = enrol(page, home)
    see_the_paper(page, paper)
    page.get_by_role("dialog").get_by_role("button", name="Jag har dem på papper").click()
    expect(page.get_by_text("10 reservkoder kvar.")).to_be_visible(timeout=SOON_MS)
    look(page, "totp-on")

    knock(page)
    look(page, "totp-door")
    # The one that turned it on has been used.
    enter(page, "Koden i telefonen", used)
    expect(page.get_by_text("Koden stämmer inte")).to_be_visible(timeout=SOON_MS)
    look(page, "totp-wrong")
    enter(page, "Koden i telefonen", code(secret, home, 1))
    expect(page.get_by_role("link", name="Just nu")).to_be_visible(timeout=SOON_MS)

    page.goto(f"{home.url}/#/installningar")
    knock(page)
    page.get_by_role("button", name="Jag har inte telefonen").click()
    look(page, "totp-paper")
    enter(page, "Reservkod", paper[0].lower())
    expect(page.get_by_role("link", name="Just nu")).to_be_visible(timeout=SOON_MS)
    page.goto(f"{home.url}/#/installningar")
    expect(page.get_by_text("9 reservkoder kvar.")).to_be_visible(timeout=SOON_MS)


def test_where_everybody_needs_a_second_step_it_is_set_up_at_the_door(
    people: People, home: Rehearsal
):
    admin = people.open("admin", size=DESKTOP)
    admin.get_by_role("link", name="Personer").click()
    admin.get_by_role("button", name="Kräv ett andra steg").click()
    asked = admin.get_by_role("dialog", name="Ett andra steg för alla som arbetar här")
    look(admin, "rule-asked")
    asked.get_by_role("button", name="Kräv ett andra steg").click()
    expect(admin.get_by_text("Från och med 12 december 2026")).to_be_visible(timeout=SOON_MS)
    admin.get_by_text("Från och med 12 december 2026").scroll_into_view_if_needed()
    look(admin, "rule-on")
    people.close(admin)

    home.move_to("2026-12-13T09:00:00")
    page = people.visit(size=DESKTOP)
    page.get_by_role("radio", name="Personal").check()
    page.get_by_role("button", name="Sara Nyström").click()
    key = page.locator(".key")
    expect(key).to_be_visible(timeout=SOON_MS)
    secret = b32decode(key.inner_text().replace(" ", ""))
    look(page, "rule-door")
    enter(page, "Koden i appen", code(secret, home))
    expect(page.get_by_text("0 reservkoder kvar.")).to_be_visible(timeout=SOON_MS)
    page.get_by_role("button", name="Nya reservkoder").click()
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(10, timeout=SOON_MS)

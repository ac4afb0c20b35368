"""A PIN on a shared tablet, and pictures in its stead: chosen, wrong once, right."""

import os

import pytest
from people import SOON_MS, People
from playwright.sync_api import Page, expect

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey


def look(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody asks for it."""
    if folder := os.environ.get("MOS_LOOK"):
        page.screenshot(path=f"{folder}/{name}.png")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Logga ut här").click()
    page.get_by_role("dialog").get_by_role("button", name="Logga ut").click()
    expect(page.get_by_role("heading", name="Hej!")).to_be_visible(timeout=SOON_MS)


def choose(page: Page, home: Rehearsal) -> None:
    page.goto(f"{home.url}/#/installningar")
    page.get_by_role("button", name="Välj en kod").click()


def test_staff_take_turns_on_a_tablet_by_pin_and_pictures(people: People, home: Rehearsal):
    tablet = people.open("sara")
    choose(tablet, home)
    dialog = tablet.get_by_role("dialog")
    dialog.get_by_label("Ny PIN-kod").fill("1234")
    look(tablet, "pin-dialog")
    dialog.get_by_role("button", name="Spara").click()
    expect(dialog.get_by_text("Den koden gissar andra först")).to_be_visible()
    dialog.get_by_label("Ny PIN-kod").fill("4937")
    dialog.get_by_role("button", name="Spara").click()
    expect(tablet.get_by_text("Du har en PIN-kod här.")).to_be_visible(timeout=SOON_MS)
    sign_out(tablet)

    expect(tablet.get_by_role("button", name="Sara Nyström")).to_be_visible(timeout=SOON_MS)
    tablet.get_by_role("button", name="Logga in på ett annat sätt").click()
    tablet.get_by_role("radio", name="Personal").check()
    tablet.get_by_role("button", name="Ingrid").click()
    expect(tablet.get_by_role("link", name="Just nu")).to_be_visible(timeout=SOON_MS)
    choose(tablet, home)
    dialog.get_by_role("radio", name="Bildkod").check()
    for picture in ("Katt", "Buss", "Nyckel", "Gitarr"):
        dialog.get_by_role("button", name=picture).click()
    look(tablet, "picture-dialog")
    dialog.get_by_role("button", name="Spara").click()
    expect(tablet.get_by_text("Du har en bildkod här.")).to_be_visible(timeout=SOON_MS)
    sign_out(tablet)
    look(tablet, "pin-people")

    tablet.get_by_role("button", name="Sara Nyström").click()
    field = tablet.get_by_label("PIN-kod").first
    field.fill("9998")
    tablet.get_by_role("button", name="Logga in", exact=True).click()
    expect(tablet.get_by_text("Det är inte rätt kod")).to_be_visible(timeout=SOON_MS)
    look(tablet, "pin-wrong")
    tablet.get_by_role("button", name="Det är inte jag").click()
    tablet.get_by_role("button", name="Ingrid").click()
    for picture in ("Katt", "Buss", "Nyckel", "Gitarr"):
        tablet.get_by_role("button", name=picture).click()
    look(tablet, "pictures")
    tablet.set_viewport_size({"width": 390, "height": 844})
    look(tablet, "pictures-phone")
    tablet.get_by_role("button", name="Logga in", exact=True).click()
    expect(tablet.get_by_role("link", name="Just nu")).to_be_visible(timeout=SOON_MS)

"""A resident's plan in an ordinary calendar: a secret address is made, copied, read and ended."""

import pytest
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import Page, expect

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey


def test_a_calendar_address_is_made_copied_read_and_ended(people: People, home: Rehearsal):
    page = people.open("sara", size=DESKTOP)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=home.url)
    page.get_by_role("link", name="Elsa").first.click()
    page.get_by_role("link", name="Profil").first.click()

    page.get_by_role("button", name="Ny kalenderadress").click()
    page.get_by_role("radio", name="Bara tider").check()
    page.get_by_role("button", name="Skapa adress").click()
    dialog = page.get_by_role("dialog", name="Kalenderns adress")
    address = dialog.get_by_role("textbox", name="Kalenderns adress").input_value()
    dialog.get_by_role("button", name="Kopiera adressen").click()
    expect(dialog.get_by_role("button", name="Kopierad")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == address
    dialog.get_by_role("button", name="Stäng").last.click()

    read = page.context.request.get(address)
    assert read.ok
    assert "BEGIN:VEVENT" in read.text()
    # Who it is and what is planned stay at home.
    assert "Elsa" not in read.text()
    assert "Frukost" not in read.text()
    expect(_feed(page)).to_contain_text("Inte läst än")
    page.reload()
    expect(_feed(page)).to_contain_text("Läst", timeout=SOON_MS)

    _feed(page).get_by_role("button", name="Avsluta").click()
    asked = page.get_by_role("dialog", name="Avsluta kalenderadressen?")
    asked.get_by_role("button", name="Avsluta adressen").click()
    expect(_feed(page)).to_have_count(0)
    assert page.context.request.get(address).status == 404


def _feed(page: Page):
    return page.get_by_role("listitem").filter(has_text="Bara tider")

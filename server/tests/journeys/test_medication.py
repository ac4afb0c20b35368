"""One dose is changed twice, once without a network: a person decides what holds."""

import re

import pytest
from people import DESKTOP
from playwright.sync_api import Page, expect
from test_first_day import through_welcome

pytestmark = pytest.mark.journey

SOON_MS = 20_000


def space_of(page: Page, name: str) -> str:
    """Return the space of the resident called so."""
    session = page.request.get(f"{page.url.split('#')[0]}api/v1/session").json()
    return next(each["space"] for each in session["residents"] if each["name"] == name)


def come_to(page: Page, path: str) -> None:
    page.evaluate("path => { location.hash = path }", path)


def set_dose(page: Page, dose: str) -> None:
    page.get_by_role("link", name="Waran").first.click()
    page.get_by_role("textbox", name="Hur mycket").fill(dose)
    page.get_by_role("button", name="Spara").click()


def test_a_dose_changed_twice_is_decided_by_a_person_and_the_tablet_shows_what_holds(people):
    nurse, other = people.open("ingrid", size=DESKTOP), people.open("ingrid", size=DESKTOP)
    tablet = people.open("amir")
    through_welcome(tablet)
    medicines = f"/boende/{space_of(nurse, 'Amir Haddad')}/mediciner"

    come_to(nurse, f"{medicines}/ny")
    nurse.get_by_role("textbox", name="Läkemedel").fill("Waran")
    nurse.get_by_role("textbox", name="Hur mycket").fill("1,5")
    nurse.get_by_role("textbox", name="Enhet").fill("tablett")
    nurse.get_by_role("textbox", name="Tid").fill("08:10")
    nurse.get_by_role("switch", name="Tiden är viktig").check()
    nurse.get_by_role("button", name="Spara").click()
    expect(nurse.get_by_text("1,5 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    expect(nurse.get_by_text("Väntar på bekräftelse")).to_have_count(0, timeout=SOON_MS)

    come_to(other, medicines)
    expect(other.get_by_text("1,5 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    other.context.set_offline(True)
    set_dose(other, "1")
    expect(other.get_by_text("Väntar på bekräftelse")).to_be_visible()
    # What is confirmed is what is shown; the change stands beside it.
    expect(other.get_by_text("1,5 tablett · Varje dag 08:10")).to_be_visible()
    expect(other.get_by_text("Din ändring, inte bekräftad än")).to_be_visible()

    set_dose(nurse, "2")
    expect(nurse.get_by_text("2 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    other.context.set_offline(False)
    expect(nurse.get_by_text("2 olika versioner")).to_be_visible(timeout=60_000)

    people.move_to("2026-11-28T08:10:20", nurse, other, tablet)
    alarm = tablet.get_by_role("dialog")
    expect(alarm.get_by_text(re.compile("^2 tablett"))).to_be_visible(timeout=SOON_MS)

    nurse.get_by_role("link", name="Se versionerna").first.click()
    nurse.get_by_role("button", name="Bekräfta valet").click()
    expect(nurse.get_by_text("Skriv varför.")).to_be_visible()
    nurse.get_by_role("radio", name="Välj ditt eget förslag").check()
    nurse.get_by_role("textbox", name="Varför").fill("Enligt provsvar i går")
    nurse.get_by_role("button", name="Bekräfta valet").click()
    expect(nurse.get_by_text("Det är bestämt")).to_be_visible(timeout=SOON_MS)
    expect(nurse.get_by_text("Enligt provsvar i går")).to_be_visible()
    come_to(other, medicines)
    expect(other.get_by_text("1 tablett · Varje dag 08:10")).to_be_visible(timeout=60_000)
    expect(alarm.get_by_text(re.compile("^1 tablett"))).to_be_visible(timeout=60_000)

"""A dose on a tablet that somebody else is signed in on: signed by a PIN, in the giver's name."""

import re

import pytest
from people import DESKTOP, SOON_MS, TABLET, People, go_offline, wait_until
from playwright.sync_api import Locator, Page, expect
from test_first_day import look_at_day
from test_medication import come_to, space_of
from test_pins import choose, look, sign_out

from mos.ops.album import sign_in
from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

LONG_MS = 60_000
PIN = "4937"


def choose_pin(page: Page, home: Rehearsal) -> None:
    choose(page, home)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Ny PIN-kod").fill(PIN)
    dialog.get_by_role("button", name="Spara").click()
    expect(page.get_by_text("Du har en PIN-kod här.")).to_be_visible(timeout=SOON_MS)


def shared_tablet(people: People, home: Rehearsal) -> Page:
    """Return a tablet on which Sara has a PIN and Jonas is signed in."""
    tablet = people.open("sara", size=TABLET)
    choose_pin(tablet, home)
    sign_out(tablet)
    tablet.get_by_role("button", name="Logga in på ett annat sätt").click()
    sign_in(tablet, "jonas")
    return tablet


def thing(page: Page, title: str, time: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=title).filter(has_text=time)


def enter_pin(page: Page, name: str, pin: str) -> None:
    asked = page.get_by_role("dialog", name="Vem signerar?")
    expect(asked).to_be_visible(timeout=SOON_MS)
    if asked.get_by_role("button", name=name).is_visible():
        asked.get_by_role("button", name=name).click()
    # Pasted, as from a password manager.
    asked.get_by_label("PIN-kod").first.fill(pin)
    asked.get_by_role("button", name="Signera", exact=True).click()


def test_whoever_gives_the_dose_signs_it_while_somebody_else_stays_signed_in(
    people: People, home: Rehearsal
):
    tablet = shared_tablet(people, home)
    phone = people.open("fatima", size=DESKTOP)
    look_at_day(phone, "Gunnar")
    people.move_to("2026-11-28T08:03:00", tablet, phone)
    look_at_day(tablet, "Gunnar")
    dose = thing(tablet, "Metoprolol", "08:00")
    expect(dose).to_be_visible(timeout=SOON_MS)

    dose.get_by_role("button", name="Vad hände?").click()
    outcome = tablet.get_by_role("dialog", name="Vad hände?")
    outcome.get_by_role("radio", name="Klar").check()
    look(tablet, "signing-outcome")
    outcome.get_by_role("button", name="Signera som någon annan").click()
    asked = tablet.get_by_role("dialog", name="Vem signerar?")
    expect(asked.get_by_role("button", name="Sara Nyström")).to_be_visible(timeout=SOON_MS)
    # Whoever is signed in needs no code to sign as themselves, and is not among the others.
    expect(asked.get_by_role("button", name="Jonas Berg")).to_have_count(0)
    look(tablet, "signing-who")
    enter_pin(tablet, "Sara Nyström", "9998")
    expect(asked.get_by_text("Det är inte rätt kod")).to_be_visible(timeout=SOON_MS)
    look(tablet, "signing-wrong")
    enter_pin(tablet, "Sara Nyström", PIN)
    expect(asked).to_have_count(0, timeout=SOON_MS)
    expect(dose).to_contain_text("Sara Nyström", timeout=SOON_MS)
    expect(tablet.get_by_text("· Sara Nyström").first).to_be_visible()
    look(tablet, "signing-done")
    theirs = thing(phone, "Metoprolol", "08:00")
    expect(theirs).to_contain_text("Sara Nyström", timeout=LONG_MS)
    expect(theirs).not_to_contain_text("Jonas")

    # Undone in her name, within the moment, and signed again.
    tablet.get_by_role("status").get_by_role("button", name="Ångra").click()
    expect(theirs).not_to_contain_text("Sara Nyström", timeout=LONG_MS)

    # Jonas is still signed in, and his next act is his.
    dose.get_by_role("button", name="Klar").click()
    expect(dose).to_contain_text("Jonas Berg", timeout=SOON_MS)
    expect(theirs).to_contain_text("Jonas Berg", timeout=LONG_MS)


def test_an_alert_is_taken_by_whoever_says_so_and_not_by_whoever_is_signed_in(
    people: People, home: Rehearsal
):
    tablet = shared_tablet(people, home)
    look_at_day(tablet, "Gunnar")
    tablet.get_by_role("button", name="Som någon annan").click()
    enter_pin(tablet, "Sara Nyström", PIN)
    expect(tablet.get_by_text(re.compile("Sara tog det"))).to_be_visible(timeout=SOON_MS)
    phone = people.open("fatima", size=DESKTOP)
    look_at_day(phone, "Gunnar")
    expect(phone.get_by_text(re.compile("Sara tog det"))).to_be_visible(timeout=LONG_MS)


def test_a_nurse_decides_between_versions_while_a_colleague_is_signed_in(
    people: People, home: Rehearsal
):
    tablet = people.open("ingrid", size=TABLET)
    choose_pin(tablet, home)
    sign_out(tablet)
    tablet.get_by_role("button", name="Logga in på ett annat sätt").click()
    sign_in(tablet, "henrik")
    come_to(tablet, f"/boende/{space_of(tablet, 'Gunnar Öberg')}/mediciner")
    tablet.get_by_role("link", name="Se versionerna").first.click()
    tablet.get_by_role("radio", name="Behåll det som gäller").check()
    tablet.get_by_role("textbox", name="Varför").fill("Enligt provsvar i går")
    look(tablet, "signing-decision")
    tablet.get_by_role("button", name="Signera som någon annan").click()
    enter_pin(tablet, "Ingrid Sandberg", PIN)
    expect(tablet.get_by_text(re.compile("Ingrid Sandberg.* valde"))).to_be_visible(timeout=LONG_MS)


def test_without_contact_nobody_else_signs_and_the_record_says_so(people: People, home: Rehearsal):
    tablet = shared_tablet(people, home)
    people.move_to("2026-11-28T08:03:00", tablet)
    look_at_day(tablet, "Gunnar")
    dose = thing(tablet, "Metoprolol", "08:00")
    expect(dose).to_be_visible(timeout=SOON_MS)
    go_offline(tablet)
    dose.get_by_role("button", name="Vad hände?").click()
    outcome = tablet.get_by_role("dialog", name="Vad hände?")
    outcome.get_by_role("radio", name="Klar").check()
    outcome.get_by_role("button", name="Signera som någon annan").click()
    asked = tablet.get_by_role("dialog", name="Vem signerar?")
    wait_until(tablet, lambda: asked.get_by_text("Utan kontakt").is_visible() or _try(tablet))
    expect(asked.get_by_text("skrivs i namnet Jonas Berg")).to_be_visible(timeout=LONG_MS)
    asked.get_by_role("textbox", name="Gavs av, om det var någon annan").fill("Sara Nyström")
    look(tablet, "signing-away")
    asked.get_by_role("button", name="Signera som Jonas Berg").click()
    expect(dose).to_contain_text("Jonas Berg", timeout=SOON_MS)
    expect(dose).to_contain_text("Skrev: gavs av Sara Nyström")

    tablet.context.set_offline(False)
    phone = people.open("fatima", size=DESKTOP)
    look_at_day(phone, "Gunnar")
    theirs = thing(phone, "Metoprolol", "08:00")
    expect(theirs).to_contain_text("Skrev: gavs av Sara Nyström", timeout=LONG_MS)
    expect(theirs).to_contain_text("Jonas Berg")


def _try(page: Page) -> bool:
    """Try the PIN where the tablet has not noticed yet that there is no contact."""
    enter_pin(page, "Sara Nyström", PIN)
    return False


def test_a_tablet_asks_before_each_dose_where_whoever_manages_says_so(
    people: People, home: Rehearsal
):
    tablet = people.open("sara", size=TABLET)
    choose_pin(tablet, home)
    sign_out(tablet)
    tablet.get_by_role("button", name="Logga in på ett annat sätt").click()
    sign_in(tablet, "eva")
    tablet.goto(f"{home.url}/#/installningar")
    tablet.get_by_role("switch", name="Fråga på den här apparaten").check()
    expect(tablet.get_by_role("switch", name="Fråga på den här apparaten")).to_be_checked()
    look(tablet, "signing-settings")
    sign_out(tablet)
    tablet.get_by_role("button", name="Logga in på ett annat sätt").click()
    sign_in(tablet, "jonas")
    people.move_to("2026-11-28T08:03:00", tablet)
    look_at_day(tablet, "Gunnar")
    dose = thing(tablet, "Metoprolol", "08:00")
    dose.get_by_role("button", name="Klar").click()
    asked = tablet.get_by_role("dialog", name="Vem signerar?")
    expect(asked.get_by_role("button", name="Jonas Berg")).to_be_visible(timeout=SOON_MS)
    look(tablet, "signing-asked")
    enter_pin(tablet, "Sara Nyström", PIN)
    expect(dose).to_contain_text("Sara Nyström", timeout=SOON_MS)
    # What is no dose asks nobody.
    breakfast = thing(tablet, "Frukost", "07:45")
    breakfast.get_by_role("button", name="Klar").click()
    expect(breakfast).to_contain_text("Jonas Berg", timeout=SOON_MS)

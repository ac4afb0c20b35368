"""One dose is changed twice, once without a network: a person decides what holds."""

import re

import pytest
from people import DESKTOP, go_offline
from playwright.sync_api import Page, expect
from test_first_day import through_welcome

pytestmark = pytest.mark.journey

SOON_MS = 20_000


def space_of(page: Page, name: str) -> str:
    """Return the space of the resident called so."""
    session = page.request.get(f"{page.url.split('#')[0]}api/v1/session").json()
    return next(each["space"] for each in session["residents"] if each["name"] == name)


def come_to(page: Page, path: str) -> None:
    """Go to a path of the app; return when the app has heard of it."""
    page.evaluate(
        """path => new Promise((heard) => {
            if (location.hash === `#${path}`) return heard();
            addEventListener('hashchange', () => heard(), { once: true });
            location.hash = path;
        })""",
        path,
    )


def set_dose(page: Page, dose: str) -> None:
    page.get_by_role("link", name="Waran").first.click()
    page.get_by_role("textbox", name="Hur mycket").fill(dose)
    page.get_by_role("button", name="Spara").click()


def an_order(nurse: Page, medicines: str) -> None:
    """Order one and a half tablets each day at 08:10, and wait until it holds."""
    come_to(nurse, f"{medicines}/ny")
    nurse.get_by_role("textbox", name="Läkemedel").fill("Waran")
    nurse.get_by_role("textbox", name="Hur mycket").fill("1,5")
    nurse.get_by_role("textbox", name="Enhet").fill("tablett")
    nurse.get_by_role("textbox", name="Tid").fill("08:10")
    nurse.get_by_role("switch", name="Tiden är viktig").check()
    nurse.get_by_role("button", name="Spara").click()
    expect(nurse.get_by_text("1,5 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    expect(nurse.get_by_text("Väntar på bekräftelse")).to_have_count(0, timeout=SOON_MS)


def test_a_dose_changed_twice_is_decided_by_a_person_and_the_tablet_shows_what_holds(people):
    nurse, other = people.open("ingrid", size=DESKTOP), people.open("ingrid", size=DESKTOP)
    tablet = people.open("amir")
    through_welcome(tablet)
    medicines = f"/boende/{space_of(nurse, 'Amir Haddad')}/mediciner"

    an_order(nurse, medicines)

    come_to(other, medicines)
    expect(other.get_by_text("1,5 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    go_offline(other)
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
    go_offline(nurse)
    nurse.get_by_role("button", name="Bekräfta valet").click()
    # Until it is sent the choice can be read, and the same holds as before.
    chosen = nurse.get_by_role("article").filter(has_text="Ditt val")
    expect(chosen).to_contain_text("Förslag")
    expect(nurse.get_by_text("väntar på att skickas. Tills dess gäller samma")).to_be_visible()
    nurse.context.set_offline(False)
    expect(nurse.get_by_text("Det är bestämt")).to_be_visible(timeout=60_000)
    expect(nurse.get_by_text("Enligt provsvar i går")).to_be_visible()
    # Whoever thinks better of it goes on from there.
    nurse.get_by_role("link", name="Ändra ordinationen").click()
    expect(nurse.get_by_role("textbox", name="Hur mycket")).to_have_value("1", timeout=SOON_MS)
    come_to(other, medicines)
    expect(other.get_by_text("1 tablett · Varje dag 08:10")).to_be_visible(timeout=60_000)
    expect(alarm.get_by_text(re.compile("^1 tablett"))).to_be_visible(timeout=60_000)


def test_a_form_left_open_puts_back_nothing_that_somebody_changed_meanwhile(people):
    nurse, other = people.open("ingrid", size=DESKTOP), people.open("henrik", size=DESKTOP)
    medicines = f"/boende/{space_of(nurse, 'Amir Haddad')}/mediciner"
    an_order(nurse, medicines)

    nurse.get_by_role("link", name="Waran").first.click()
    expect(nurse.get_by_role("textbox", name="Hur mycket")).to_have_value("1,5")
    come_to(other, medicines)
    set_dose(other, "2")
    expect(other.get_by_text("2 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    expect(
        nurse.get_by_text("Henrik Dahl har ändrat ordinationen medan du hade den öppen")
    ).to_be_visible(timeout=SOON_MS)
    # She moves it to another time, and has never meant the dose.
    nurse.get_by_role("textbox", name="Tid").fill("09:00")
    nurse.get_by_role("button", name="Spara").click()

    for page in (nurse, other):
        expect(page.get_by_text("2 olika versioner")).to_be_visible(timeout=SOON_MS)
        expect(page.get_by_text("2 tablett · Varje dag 08:10")).to_be_visible()


def test_what_comes_while_somebody_decides_is_shown_before_the_choice_counts(people):
    nurse, other = people.open("ingrid", size=DESKTOP), people.open("henrik", size=DESKTOP)
    medicines = f"/boende/{space_of(nurse, 'Amir Haddad')}/mediciner"
    an_order(nurse, medicines)
    come_to(other, medicines)
    expect(other.get_by_text("1,5 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    go_offline(other)
    set_dose(other, "1")
    set_dose(nurse, "2")
    expect(nurse.get_by_text("2 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    other.context.set_offline(False)
    nurse.get_by_role("link", name="Se versionerna").first.click(timeout=60_000)

    nurse.get_by_role("radio", name="Välj förslaget från Henrik Dahl").check()
    nurse.get_by_role("textbox", name="Varför").fill("Enligt provsvar i går")
    expect(other.get_by_text("2 olika versioner")).to_be_visible(timeout=SOON_MS)
    set_dose(other, "3")
    expect(nurse.get_by_text("3 tablett")).to_be_visible(timeout=SOON_MS)
    nurse.get_by_role("button", name="Bekräfta valet").click()

    expect(nurse.get_by_text("Något nytt har kommit sedan du valde")).to_be_visible()
    nurse.get_by_role("radio", name="Välj förslaget från Henrik Dahl").check()
    nurse.get_by_role("button", name="Bekräfta valet").click()
    expect(nurse.get_by_text("Det är bestämt")).to_be_visible(timeout=SOON_MS)
    come_to(nurse, medicines)
    expect(nurse.get_by_text("3 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)


def test_a_dose_that_was_taken_and_is_then_moved_does_not_ring_again(people):
    nurse, tablet = people.open("ingrid", size=DESKTOP), people.open("amir")
    through_welcome(tablet)
    space = space_of(nurse, "Amir Haddad")
    an_order(nurse, f"/boende/{space}/mediciner")
    people.move_to("2026-11-28T08:10:20", nurse, tablet)
    # Breakfast rings, too; what matters more is shown first.
    alarm = tablet.get_by_role("dialog").filter(has_text="Waran")
    alarm.get_by_role("button", name="Jag har tagit den").click()
    expect(alarm).to_have_count(0, timeout=SOON_MS)

    nurse.get_by_role("link", name="Waran").first.click()
    nurse.get_by_role("textbox", name="Tid").fill("08:40")
    expect(nurse.get_by_text("Dagens dos är redan kvitterad")).to_be_visible(timeout=SOON_MS)
    nurse.get_by_role("button", name="Spara").click()
    expect(nurse.get_by_text("1,5 tablett · Varje dag 08:40")).to_be_visible(timeout=SOON_MS)
    expect(nurse.get_by_text("Väntar på bekräftelse")).to_have_count(0, timeout=SOON_MS)

    people.move_to("2026-11-28T08:40:20", nurse, tablet)
    come_to(nurse, f"/boende/{space}")
    dose = nurse.get_by_role("listitem").filter(has_text="Waran")
    expect(dose).to_have_count(1, timeout=SOON_MS)
    expect(dose).to_contain_text("08:10")
    # Long enough for a ring that should not come.
    tablet.wait_for_timeout(4_000)
    expect(alarm).to_have_count(0)

"""Delegation: a nurse gives one, a caregiver may give the dose while it holds, and not after."""

import re

import pytest
from people import DESKTOP, SOON_MS, People, go_offline
from playwright.sync_api import Page, expect
from test_first_day import look_at_day
from test_pins import look
from test_signing import thing

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

LONG_MS = 60_000
TASK = "Lämna över medicin"


def order_asks(nurse: Page, home: Rehearsal) -> None:
    """Let Elsa's Metoprolol ask for a delegation."""
    look_at_day(nurse, "Elsa")
    nurse.get_by_role("link", name="Mediciner").first.click()
    expect(nurse.get_by_role("heading", name="Mediciner")).to_be_visible(timeout=SOON_MS)
    nurse.get_by_role("link", name=re.compile("Metoprolol")).first.click()
    asked = nurse.get_by_label("Delegering")
    expect(asked).to_be_visible(timeout=SOON_MS)
    asked.select_option(label=TASK)
    look(nurse, "delegation-order")
    nurse.get_by_role("button", name="Spara").first.click()
    expect(nurse.get_by_role("heading", name="Mediciner")).to_be_visible(timeout=SOON_MS)


def test_who_has_no_delegation_gives_no_dose_until_a_nurse_gives_one(
    people: People, home: Rehearsal
):
    nurse = people.open("ingrid", size=DESKTOP)
    order_asks(nurse, home)
    sara = people.open("sara", size={"width": 390, "height": 844})
    people.close(nurse)
    people.move_to("2026-11-28T20:03:00", sara)
    look_at_day(sara, "Elsa")
    dose = thing(sara, "Metoprolol", "20:00")
    expect(dose).to_be_visible(timeout=SOON_MS)

    dose.get_by_role("button", name="Klar").click()
    asked = sara.get_by_role("dialog", name="Vem signerar?")
    expect(asked).to_contain_text(f"Du har ingen giltig delegering för ”{TASK}”", timeout=SOON_MS)
    expect(asked).to_contain_text("Ingrid")
    look(sara, "delegation-barred")
    nurse = people.open("ingrid", size=DESKTOP)
    nurse.goto(f"{home.url}/#/delegeringar")
    expect(nurse.get_by_role("heading", name="Delegeringar")).to_be_visible(timeout=SOON_MS)
    nurse.get_by_role("button", name="Ny delegering").click()
    form = nurse.get_by_role("dialog", name="Ny delegering")
    form.get_by_role("button", name="Delegera").click()
    expect(form).to_contain_text("Skriv hur du kontrollerade kunskapen.")
    look(nurse, "delegation-form-wrong")
    form.get_by_label("Till").select_option(label="Sara Nyström")
    form.get_by_label("Uppgift").select_option(label=TASK)
    form.get_by_label("För", exact=True).select_option(label="Elsa Lindqvist")
    form.get_by_label("Hur kontrollerades den?").fill("Gjorde det tre gånger medan jag såg på.")
    look(nurse, "delegation-form")
    form.get_by_role("button", name="Delegera").click()
    made = nurse.get_by_role("listitem").filter(has_text=TASK)
    expect(made).to_contain_text("27 november 2027", timeout=SOON_MS)
    look(nurse, "delegation-list")

    # Her phone heard of it while it asked, and goes by it without a network.
    expect(asked.get_by_role("button", name="Sara Nyström")).to_be_visible(timeout=LONG_MS)
    expect(asked).not_to_contain_text("ingen giltig delegering")
    asked.get_by_role("button", name="Avbryt").click()
    go_offline(sara)
    dose.get_by_role("button", name="Klar").click()
    expect(dose).to_contain_text("Sara Nyström", timeout=SOON_MS)


def test_what_is_taken_back_is_over_at_once_and_its_person_sees_why(
    people: People, home: Rehearsal
):
    nurse = people.open("ingrid", size=DESKTOP)
    nurse.get_by_role("link", name="Planering").first.click()
    nurse.get_by_role("link", name="Delegeringar").click()
    nurse.get_by_role("button", name="Ny delegering").click()
    form = nurse.get_by_role("dialog", name="Ny delegering")
    form.get_by_label("Till").select_option(label="Sara Nyström")
    form.get_by_label("Uppgift").select_option(label="Ge insulin")
    form.get_by_label("För", exact=True).select_option(index=1)
    form.get_by_label("Sista dagen").fill("2026-12-10")
    form.get_by_label("Hur kontrollerades den?").fill("Frågor om risker.")
    form.get_by_role("button", name="Delegera").click()
    expect(nurse.get_by_role("heading", name="Slutar snart")).to_be_visible(timeout=SOON_MS)
    made = nurse.get_by_role("listitem").filter(has_text="Ge insulin")
    made.get_by_role("button", name="Förnya").click()
    again = nurse.get_by_role("dialog", name="Förnya delegering")
    again.get_by_label("Hur kontrollerades den?").fill("Visade mig i dag.")
    again.get_by_role("button", name="Förnya").click()
    expect(made).to_have_count(2, timeout=SOON_MS)
    expect(nurse.get_by_text("Förnyad")).to_be_visible()
    made.first.get_by_role("button", name="Återkalla").click()
    asked = nurse.get_by_role("dialog", name="Återkalla delegeringen?")
    asked.get_by_label("Varför?").fill("Byter enhet.")
    asked.get_by_role("button", name="Återkalla").click()
    expect(nurse.get_by_role("heading", name="Har slutat")).to_be_visible(timeout=SOON_MS)
    nurse.emulate_media(color_scheme="dark")
    look(nurse, "delegation-ended")

    sara = people.open("sara", size={"width": 390, "height": 844})
    sara.goto(f"{home.url}/#/installningar")
    sara.get_by_role("link", name="Se mina delegeringar").click()
    expect(sara.get_by_role("heading", name="Mina delegeringar")).to_be_visible(timeout=SOON_MS)
    expect(sara.get_by_text("Byter enhet.")).to_be_visible(timeout=SOON_MS)
    expect(sara.get_by_role("button", name="Återkalla")).to_have_count(0)
    look(sara, "delegation-own")


def test_a_dose_that_was_given_not_knowing_is_kept_and_told_to_a_nurse(
    people: People, home: Rehearsal
):
    sara = people.open("sara", size={"width": 390, "height": 844})
    look_at_day(sara, "Elsa")
    dose = thing(sara, "Metoprolol", "20:00")
    expect(dose).to_be_visible(timeout=SOON_MS)
    go_offline(sara)
    nurse = people.open("ingrid", size=DESKTOP)
    order_asks(nurse, home)
    people.move_to("2026-11-28T20:03:00", sara, nurse)
    dose.get_by_role("button", name="Klar").click()
    expect(dose).to_contain_text("Sara Nyström", timeout=SOON_MS)

    sara.context.set_offline(False)
    nurse.goto(f"{home.url}/#/")
    told = nurse.get_by_role("listitem").filter(has_text="Given utan delegering")
    expect(told.first).to_contain_text("Metoprolol", timeout=LONG_MS)
    look(nurse, "delegation-alert")
    told.first.get_by_role("link", name="Se doserna").click()
    expect(nurse.get_by_text("Utan delegering", exact=True)).to_be_visible(timeout=SOON_MS)
    look(nurse, "delegation-doses")

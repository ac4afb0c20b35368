"""Who is told when nobody answers: for everybody in the home, and for one resident."""

import re

import pytest
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.journey


def test_a_template_is_made_moved_and_removed_and_a_resident_begins_with_it(people: People):
    manager = people.open("eva", size=DESKTOP)
    manager.get_by_role("link", name="Vem får veta", exact=True).click()
    make(manager, "meal")
    first = manager.get_by_role("group", name="Steg 1")
    first.get_by_role("combobox", name="Vem får veta").select_option("on_call")
    # Who that is stands beside it, for one of those whom she manages.
    manager.get_by_role("combobox", name="Visa namnen för").select_option(label="Elsa Lindqvist")
    forecast = manager.get_by_role("region", name="Vem får veta, och när")
    expect(forecast).to_contain_text("Den som har jour")
    expect(forecast).to_contain_text("Jonas Berg", timeout=SOON_MS)
    manager.get_by_role("button", name="Spara").click()
    templates = manager.get_by_role("region", name="Mallar")
    expect(templates).to_contain_text("Den som har jour 15 min före")

    # For something else: it is there under that name alone.
    templates.get_by_role("link", name="Mat").click()
    manager.get_by_role("combobox", name="Hur viktigt").select_option("critical")
    manager.get_by_role("button", name="Spara").click()
    # The home had one for all that is critical.
    expect(templates.get_by_role("link")).to_have_text(["Kritisk", "Mat, kritisk"])

    supporter = people.open("sara", size=DESKTOP)
    supporter.get_by_role("link", name="Planering").click()
    supporter.get_by_role("link", name="Elsa").first.click()
    supporter.goto(f"{supporter.url}/larm")
    use = supporter.get_by_role("region", name="Mallar").get_by_role("link", name="Mat")
    expect(use).to_have_accessible_name(re.compile(r"Mat, kritisk\s+Utgå från mallen för Elsa"))
    use.click()
    expect(supporter.get_by_role("combobox", name="Vem får veta").first).to_have_value("on_call")
    supporter.get_by_role("button", name="Spara").click()
    expect(supporter.get_by_role("region", name="Bara för Elsa")).to_contain_text("Mat, kritisk")

    templates.get_by_role("link", name="Mat").click()
    manager.get_by_role("button", name="Ta bort", exact=True).click()
    expect(templates.get_by_role("link")).to_have_text(["Kritisk"])
    manager.get_by_role("button", name="Ångra", exact=True).click()
    expect(templates.get_by_role("link")).to_have_text(["Kritisk", "Mat, kritisk"])


def make(page: Page, category: str) -> None:
    """Begin a template of a category."""
    page.get_by_role("button", name="Ny mall").click()
    page.get_by_role("combobox", name="Vad det är").select_option(category)
    page.get_by_role("button", name="Välj stegen").click()
    expect(page.get_by_role("heading", name="Mat", level=1)).to_be_visible()

"""A rota says who is on call: it is made, seen at once, given to somebody else for a day, ended."""

import pytest
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import expect

pytestmark = pytest.mark.journey


def test_a_rota_is_made_and_who_is_on_call_is_seen_at_once(people: People):
    manager = people.open("eva", size=DESKTOP)
    manager.get_by_role("link", name="Jour", exact=True).click()
    on_call = manager.get_by_role("region", name="Vem har jour")
    expect(on_call).to_be_visible(timeout=SOON_MS)

    manager.get_by_role("button", name="Nytt jourschema").click()
    form = manager.get_by_role("dialog", name="Nytt jourschema")
    form.get_by_role("textbox", name="Namn").fill("Dagpasset")
    form.get_by_role("textbox", name="Från").fill("7")
    form.get_by_role("textbox", name="Till").fill("16")
    while (without := form.get_by_role("button", name="Ta bort ")).count() > 0:
        without.first.click()
    form.get_by_role("combobox", name="Lägg till någon").select_option(label="Jonas Berg")
    form.get_by_role("button", name="Lägg till", exact=True).click()

    # It is three minutes to eight on a Saturday.
    expect(on_call.get_by_text("Jonas Berg").first).to_be_visible()
    jonas = people.open("jonas", size=DESKTOP)
    jonas.get_by_role("link", name="Inställningar").click()
    mine = jonas.get_by_role("listitem").filter(has_text="Dagpasset")
    expect(mine.first).to_contain_text("Nu", timeout=SOON_MS)

    week = manager.get_by_role("row").filter(has_text="Dagpasset")
    week.get_by_role("button").filter(has_text="Jonas Berg").first.click()
    swap = manager.get_by_role("dialog", name="Byt den här dagen")
    swap.get_by_role("combobox", name="Vem har jour").select_option(label="Sara Nyström")
    swap.get_by_role("button", name="Spara").click()
    expect(on_call.get_by_text("Sara Nyström").first).to_be_visible()
    manager.get_by_role("button", name="Ångra", exact=True).click()
    expect(on_call.get_by_text("Jonas Berg").first).to_be_visible()

    week.get_by_role("button", name="Mer om Dagpasset").click()
    manager.get_by_role("menuitem", name="Avsluta jourschemat").click()
    expect(manager.get_by_role("row").filter(has_text="Dagpasset")).to_have_count(0)

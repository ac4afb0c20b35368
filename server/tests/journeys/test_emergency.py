"""Emergency access, as staff open somebody who is not theirs and their manager sees to it."""

import pytest
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import expect

from mos.ops.album import leave_mikael_with_elsa, open_in_an_emergency

pytestmark = pytest.mark.journey
WHY = "Jonas är sjuk, jag har hela huset i natt."


def test_staff_open_somebody_elses_resident_and_the_manager_says_what_it_was(people: People):
    page = people.open("mikael", size=DESKTOP)
    leave_mikael_with_elsa(page)
    page.reload()
    page.get_by_role("link", name="Planering").click()
    expect(page.get_by_role("link", name="Tor Åkesson")).to_have_count(0)
    page.get_by_role("link", name="Nödåtkomst").click()
    page.get_by_role("button", name="Öppna i fyra timmar").click()
    expect(page.get_by_text("Välj en enhet.")).to_be_visible()
    open_in_an_emergency(page, "Tor Åkesson", WHY)

    page.get_by_role("link", name="Till dagen").click()
    expect(page.get_by_role("heading", name="Tor Åkesson")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_text("Lunch").first).to_be_visible(timeout=SOON_MS)

    manager = people.open("eva", size=DESKTOP)
    manager.goto(f"{people.home.url}/#/admin/logs")
    manager.get_by_role("radio", name="Nödåtkomst").check()
    shown = manager.get_by_role("listitem").filter(has_text="Mikael Lund")
    expect(shown).to_contain_text(WHY)
    shown.get_by_role("button", name="Rimlig").click()
    expect(shown).to_contain_text("Eva Holm")
    shown.get_by_role("button", name="Avsluta åtkomsten").click()
    expect(shown.get_by_role("button")).to_have_count(0)

    page.get_by_role("navigation").get_by_role("link", name="Planering").click()
    expect(page.get_by_role("link", name="Elsa Lindqvist")).to_be_visible()
    expect(page.get_by_role("link", name="Tor Åkesson")).to_have_count(0, timeout=SOON_MS)

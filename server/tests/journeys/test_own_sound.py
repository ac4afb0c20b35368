"""A resident chooses the sound that calls them: heard first, and kept without a network."""

import pytest
from people import DESKTOP, SOON_MS, People, go_offline
from playwright.sync_api import Page, expect
from test_first_day import through_welcome

pytestmark = pytest.mark.journey


def test_a_resident_chooses_a_sound_without_a_network_and_their_supporters_see_it(people: People):
    amir = people.open("amir")
    through_welcome(amir)
    amir.evaluate("navigator.serviceWorker.ready.then(() => null)")
    amir.evaluate("location.hash = '#/installningar'")
    sound = amir.get_by_role("combobox", name="När du ska göra något")
    expect(sound).to_be_visible(timeout=SOON_MS)
    # Silence is not a resident's to choose.
    expect(sound.get_by_role("option", name="Inget ljud")).to_have_count(0)

    go_offline(amir)
    sound.select_option(label="Fågel")
    amir.get_by_role("button", name="Lyssna på Fågel").first.click()
    expect(amir.get_by_role("button", name="Stoppa Fågel").first).to_be_visible()
    amir.get_by_role("button", name="Stoppa Fågel").first.click()
    amir.reload()
    expect(sound).to_have_value("bird", timeout=SOON_MS)
    amir.context.set_offline(False)
    amir.evaluate("window.dispatchEvent(new Event('online'))")

    sara = people.open("sara", size=DESKTOP)
    _profile(sara, "Amir")
    theirs = sara.get_by_role("combobox", name="Det som bockas av")
    expect(theirs).to_have_value("bird", timeout=SOON_MS)
    theirs.select_option(label="Marimba")
    expect(sound).to_have_value("marimba", timeout=SOON_MS)


def _profile(page: Page, resident: str) -> None:
    page.get_by_role("link", name=resident).first.click()
    page.get_by_role("link", name="Profil").first.click()

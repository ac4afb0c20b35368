"""A tablet on the wall: it fills the screen, stays on, and is missed when it falls silent."""

import pytest
from people import SOON_MS, People, go_offline
from playwright.sync_api import expect
from test_first_day import through_welcome

pytestmark = pytest.mark.journey

# Counts the wake locks that are held.
LOCKS = """() => {
  window.locks = 0;
  navigator.wakeLock.request = async () => {
    window.locks += 1;
    return { release: async () => { window.locks -= 1; } };
  };
}"""


def _start(people, code=""):
    page = people.open("amir")
    through_welcome(page)
    page.evaluate(LOCKS)
    page.evaluate("location.hash = '#/installningar'")
    page.get_by_role("textbox", name="Personalkod").fill(code)
    page.get_by_role("button", name="Starta klockan").click()
    expect(page.get_by_role("button", name="Hjälp")).to_be_visible(timeout=SOON_MS)
    return page


def _hold(page, seconds):
    page.get_by_role("button", name="Lås").hover()
    page.mouse.down()
    page.clock.run_for(int(seconds * 1000))


def test_the_clock_fills_the_screen_stays_on_and_is_left_by_a_code_alone(people: People):
    page = _start(people, "4711")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.wait_for_function("() => window.locks === 1")

    page.evaluate("location.hash = '#/installningar'")
    expect(page.get_by_role("textbox", name="Personalkod")).to_have_count(0)
    expect(page.get_by_role("button", name="Hjälp")).to_be_visible()

    _hold(page, 4)
    page.mouse.up()
    expect(page.get_by_role("dialog", name="Avsluta klockan")).to_have_count(0)
    _hold(page, 6)
    page.mouse.up()
    asked = page.get_by_role("dialog", name="Avsluta klockan")
    asked.get_by_label("Personalkod").fill("1234")
    asked.get_by_role("button", name="Avsluta", exact=True).click()
    page.clock.run_for(4000)
    expect(asked).to_contain_text("inte rätt kod", timeout=SOON_MS)
    asked.get_by_label("Personalkod").fill("4711")
    asked.get_by_role("button", name="Avsluta", exact=True).click()

    expect(page.get_by_role("button", name="Lås")).to_have_count(0, timeout=SOON_MS)
    page.wait_for_function("() => document.fullscreenElement === null && window.locks === 0")


def test_a_tablet_on_the_wall_that_is_cut_off_is_an_alert(people: People):
    page = _start(people)
    jonas = people.open("jonas")
    page.clock.run_for(2000)
    page.wait_for_timeout(1000)
    go_offline(page)

    # Amir is to brush his teeth at ten past eight.
    for minute in ("08:10:05", "08:13:00"):
        people.move_to(f"{people.home.now():%Y-%m-%d}T{minute}", jonas)
        jonas.wait_for_timeout(2500)

    expect(jonas.get_by_text("Surfplattan hos Amir").first).to_be_visible(timeout=2 * SOON_MS)

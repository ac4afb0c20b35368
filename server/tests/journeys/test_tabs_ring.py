"""Two tabs that are open on one device, and one alarm: one of them is heard."""

import pytest
from people import SOON_MS, People, wait_until
from playwright.sync_api import Page, expect
from test_first_day import through_welcome

pytestmark = pytest.mark.journey

# Counts the tones that a page plays: each is an oscillator.
TONES = """() => {
  window.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) { window.tones += 1; start.apply(this, at); };
}"""

WAITS = """navigator.locks.query()
  .then(({ pending }) => pending.some(({ name }) => name === 'mos-rings'))"""


def test_of_two_tabs_one_rings_and_the_other_goes_on_when_it_is_closed(people: People):
    first = people.open("amir")
    through_welcome(first)
    second = first.context.new_page()
    second.goto(people.home.url)
    expect(second.get_by_text("Frukost").first).to_be_attached(timeout=SOON_MS)
    for page in (first, second):
        page.bring_to_front()
        page.mouse.click(2, 2)
        page.evaluate(TONES)

    # Each says soon after its start that it can ring; one of them waits.
    wait_until(second, lambda: second.evaluate(WAITS))
    # Breakfast is at eight.
    # One window, one clock for both.
    people.move_to("2026-11-28T08:00:05", first)

    for page in (first, second):
        expect(page.get_by_role("dialog", name="Frukost")).to_be_visible(timeout=SOON_MS)
    wait_until(first, lambda: _tones(first) + _tones(second) > 0)
    first.wait_for_timeout(2500)
    heard, seen = (first, second) if _tones(first) > 0 else (second, first)
    assert _tones(seen) == 0

    heard.close()
    wait_until(seen, lambda: _tones(seen) > 0)
    # Touched, it is quiet.
    seen.get_by_role("dialog", name="Frukost").get_by_role("button", name="Klar").click()
    expect(seen.get_by_role("dialog", name="Frukost")).to_have_count(0)


def _tones(page: Page) -> int:
    return int(page.evaluate("window.tones"))

"""A voice of one's own: recorded in the plan, heard on the tablet, with and without a network."""

from collections.abc import Iterator
from typing import Any

import pytest
from people import ARGUMENTS, CHROMIUM, DESKTOP, SOON_MS, People, wait_until, wait_until_kept
from playwright.sync_api import Page, expect
from test_first_day import through_welcome
from test_voice import LISTEN

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

# A microphone that beeps, and nobody who has to be asked.
MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SPOKEN_S = 4
CLIPS = """caches.open('speech').then((cache) => cache.keys()).then(
  (all) => all.filter(({ url }) => url.includes('/clips/')).length)"""


@pytest.fixture
def people(home: Rehearsal, playwright: Any) -> Iterator[People]:
    """The people of the home, in a browser with a microphone."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *MICROPHONE])
    people = People(home, playwright, browser)
    yield people
    browser.close()
    assert people.faults == []


def open_reminder(page: Page, title: str) -> None:
    page.get_by_role("link", name="Planering").click()
    page.get_by_role("main").get_by_role("link", name="Amir").first.click()
    page.get_by_role("link", name=title).first.click()
    expect(page.get_by_role("textbox", name="Namn")).to_have_value(title)


def record(page: Page, seconds: float) -> None:
    page.get_by_role("button", name="Spela in", exact=True).click()
    expect(page.get_by_role("timer")).to_be_visible(timeout=SOON_MS)
    page.wait_for_timeout(seconds * 1000)
    page.get_by_role("button", name="Stoppa").click()
    expect(page.get_by_role("button", name="Lyssna")).to_be_visible(timeout=SOON_MS)


def heard_a_clip(page: Page) -> bool:
    durations = page.evaluate("window.heard")
    return any(SPOKEN_S - 0.7 < each < SPOKEN_S + 1.2 for each in durations)


def test_a_relatives_voice_calls_the_resident_without_a_network_too(
    people: People, home: Rehearsal
):
    yusuf = people.open("yusuf", size=DESKTOP)
    open_reminder(yusuf, "Frukost")
    record(yusuf, SPOKEN_S)
    expect(yusuf.get_by_text("Din röst sparas i MOS")).to_be_visible()
    yusuf.evaluate(LISTEN)
    yusuf.get_by_role("button", name="Lyssna").click()
    wait_until(yusuf, lambda: heard_a_clip(yusuf))
    yusuf.get_by_role("button", name="Spara", exact=True).click()
    expect(yusuf.get_by_role("link", name="Ny påminnelse").first).to_be_visible()

    amir = people.open("amir")
    through_welcome(amir)
    wait_until(amir, lambda: amir.evaluate(CLIPS) == 1)
    amir.evaluate(LISTEN)
    home.stop()
    home.move_to("2026-11-28T08:00:02")
    amir.clock.fast_forward(3 * 60_000)

    dialog = amir.get_by_role("dialog", name="Frukost")
    expect(dialog).to_be_visible(timeout=SOON_MS)
    # By itself, once the sound has called.
    wait_until(amir, lambda: heard_a_clip(amir))
    amir.evaluate("window.heard = []")
    dialog.get_by_role("button", name="Läs upp").click()
    wait_until(amir, lambda: heard_a_clip(amir))
    home.start()


def test_what_is_recorded_without_a_network_waits_and_goes_by_itself(
    people: People, home: Rehearsal
):
    yusuf = people.open("yusuf", size=DESKTOP)
    open_reminder(yusuf, "Frukost")
    wait_until_kept(yusuf)
    home.stop()
    record(yusuf, 1)
    yusuf.get_by_role("button", name="Spara", exact=True).click()
    expect(yusuf.get_by_text("1 inspelning väntar på nät")).to_be_visible(timeout=SOON_MS)
    yusuf.reload()
    waits = yusuf.get_by_text("1 inspelning väntar på nät")
    expect(waits).to_be_visible(timeout=SOON_MS)

    home.start()
    yusuf.evaluate("window.dispatchEvent(new Event('online'))")
    expect(waits).to_have_count(0, timeout=SOON_MS)
    amir = people.open("amir")
    through_welcome(amir)
    wait_until(amir, lambda: amir.evaluate(CLIPS) == 1)


def test_a_clip_can_be_made_anew_and_removed(people: People, home: Rehearsal):
    yusuf = people.open("yusuf", size=DESKTOP)
    open_reminder(yusuf, "Frukost")
    record(yusuf, 1)
    yusuf.get_by_role("button", name="Spela in igen").click()
    expect(yusuf.get_by_role("timer")).to_be_visible(timeout=SOON_MS)
    yusuf.wait_for_timeout(1000)
    # Whoever saves while they speak has said enough.
    yusuf.get_by_role("button", name="Spara", exact=True).click()
    expect(yusuf.get_by_role("link", name="Ny påminnelse").first).to_be_visible()

    open_reminder(yusuf, "Frukost")
    yusuf.get_by_role("button", name="Ta bort inspelningen").click()
    expect(yusuf.get_by_role("button", name="Spela in", exact=True)).to_be_visible()
    yusuf.get_by_role("button", name="Spara", exact=True).click()
    open_reminder(yusuf, "Frukost")
    expect(yusuf.get_by_role("button", name="Spela in", exact=True)).to_be_visible()


def test_a_microphone_that_may_not_be_used_is_told_in_words(
    home: Rehearsal, playwright: Any, browser: Any
):
    without = People(home, playwright, browser)
    yusuf = without.open("yusuf", size=DESKTOP)
    open_reminder(yusuf, "Frukost")
    yusuf.get_by_role("button", name="Spela in", exact=True).click()

    told = yusuf.get_by_text("MOS får inte använda mikrofonen").or_(
        yusuf.get_by_text("Här finns ingen mikrofon")
    )
    expect(told).to_be_visible(timeout=SOON_MS)
    yusuf.context.close()

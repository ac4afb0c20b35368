"""Reading aloud on a tablet that has no voice of its own."""

import shutil

import pytest
from people import SOON_MS, People, wait_until
from playwright.sync_api import Locator, expect
from test_first_day import through_welcome

from mos.ops.rehearsal import Rehearsal

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed here"),
]

# Counts what is played, and for how long.
LISTEN = """() => {
  window.heard = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...when) {
    window.heard.push(this.buffer.duration);
    return start.apply(this, when);
  };
}"""
KEPT = "caches.open('speech').then((cache) => cache.keys()).then((all) => all.length)"


def press_and_listen(button: Locator) -> float:
    button.click()
    page = button.page
    page.wait_for_function("() => window.heard.length > 0", timeout=SOON_MS)
    return page.evaluate("window.heard.pop()")


def test_a_tablet_without_a_voice_reads_aloud_by_the_servers_without_a_network_too(
    people: People, home: Rehearsal
):
    amir = people.open("amir")
    through_welcome(amir)
    assert amir.evaluate("speechSynthesis.getVoices().length") == 0
    people.move_to("2026-11-28T08:05:00", amir)
    amir.evaluate(LISTEN)
    dialog = amir.get_by_role("dialog", name="Frukost")
    button = dialog.get_by_role("button", name="Läs upp")
    expect(button).to_be_visible(timeout=SOON_MS)

    assert press_and_listen(button) > 0.5
    wait_until(amir, lambda: amir.evaluate(KEPT) > 3)
    home.stop()
    assert press_and_listen(button) > 0.5

"""Every sound that MOS makes: it begins as a murmur, grows, never crackles and never clicks."""

import subprocess
import sysconfig
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from mos.ops.settings import ROOT

pytestmark = pytest.mark.journey

NODE = Path(sysconfig.get_path("scripts")) / "node"
SOURCES = [
    ROOT / "pwa/src/app" / name for name in ("sound-names.ts", "sound-voices.ts", "sound.ts")
]
# The app's own modules, as a browser reads them.
STRIP = (
    "const {stripTypeScriptTypes: s} = require('node:module');"
    "for (const file of process.argv.slice(1))"
    "process.stdout.write(s(require('node:fs').readFileSync(file, 'utf8')))"
)
# Renders each sound and measures it: its loudest sample, how loud twelve seconds of it are on the
# whole, and what is above 12 kHz, where none of these tones has anything and every click has much.
MEASURE = """async (how) => {
  const { SOUNDS, rendered } = window.sounds;
  const peak = (data) => data.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const rms = (data) => Math.sqrt(data.reduce((sum, each) => sum + each * each, 0) / data.length);
  const parts = (data, size) =>
    Array.from({ length: Math.floor(data.length / size) }, (_, n) =>
      rms(data.subarray(n * size, (n + 1) * size)));
  const above = async (buffer) => {
    const audio = new OfflineAudioContext(1, buffer.length, buffer.sampleRate);
    const source = new AudioBufferSourceNode(audio, { buffer });
    let last = source;
    for (let n = 0; n < 3; n += 1) {
      const filter = new BiquadFilterNode(audio, { type: 'highpass', frequency: 12000 });
      last.connect(filter);
      last = filter;
    }
    last.connect(audio.destination);
    source.start();
    return peak((await audio.startRendering()).getChannelData(0));
  };
  const found = {};
  for (const sound of SOUNDS) {
    const buffer = await rendered(sound, 48, how);
    const data = buffer.getChannelData(0);
    found[sound] = {
      peak: peak(data),
      first: peak(data.subarray(0, 44100)),
      clicks: await above(buffer),
      stretches: parts(data, 44100 * 12),
    };
  }
  return found;
}"""


@pytest.fixture(scope="module")
def measure(browser: Browser) -> Any:
    """What a Chromium hears of each sound."""
    ran = subprocess.run([NODE, "-e", STRIP, *SOURCES], capture_output=True, text=True, check=True)
    page = browser.new_page()
    page.add_script_tag(
        content=ran.stdout + "\nvoices = VOICES; window.sounds = { SOUNDS, rendered };",
        type="module",
    )
    page.wait_for_function("() => window.sounds !== undefined")
    yield lambda **how: page.evaluate(MEASURE, how)
    page.close()


def test_each_sound_begins_as_a_murmur_and_grows_without_a_click_or_a_crackle(measure: Any):
    found = measure()

    assert len(found) >= 5
    for name, heard in found.items():
        grown = heard["stretches"]
        assert all(now > before * 1.4 for before, now in pairwise(grown)), (name, grown)
        assert heard["first"] < 0.12, (name, "startles")
        assert grown[-1] > grown[0] * 5, (name, grown)
        assert heard["peak"] < 0.99, (name, "is clipped")
        assert heard["peak"] > 0.3, (name, "cannot be heard in the next room")
        assert heard["clicks"] < heard["peak"] * 0.01, (name, "clicks")


def test_what_may_be_at_most_half_as_loud_is_so_and_grows_all_the_same(measure: Any):
    whole, half = measure(), measure(loudest=50)

    for name, heard in half.items():
        assert heard["stretches"][-1] < whole[name]["stretches"][-1] * 0.6, name
        assert heard["stretches"][-1] > heard["stretches"][0] * 2, name

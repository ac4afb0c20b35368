"""What a device keeps when its tabs, its browser or its disk fail it: the real app in Chromium.

All of them in one home: each plans meals of its own.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from people import DESKTOP, SOON_MS, People, go_offline, wait_until, wait_until_kept
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Route, expect
from test_first_day import plan

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

# What lies on the device: what waits as [space, n], and the titles of the reminders it has fetched.
DISK = """async () => {
  const open = indexedDB.open('mos');
  await new Promise((done) => { open.onsuccess = done; });
  const all = (name) => new Promise((done) => {
    const asked = open.result.transaction(name).objectStore(name).getAll();
    asked.onsuccess = () => done(asked.result);
  });
  const [outbox, base, acked] = [await all('outbox'), await all('base'), await all('acked')];
  open.result.close();
  return {
    unsent: outbox.filter(({ seq }) => seq === null).map(({ space, n }) => [space, n]),
    waiting: outbox.length,
    numbers: [...outbox, ...acked].map(({ space, n }) => `${space} ${n}`),
    titles: base.filter(({ coll }) => coll === 'reminder').map(({ doc }) => doc.title),
  };
}"""


# What the app's origin may store, in bytes; and something else there that takes all that is left.
ROOM = 20_000_000
FILL = """async () => {
  const open = indexedDB.open('filler');
  open.onupgradeneeded = () => open.result.createObjectStore('all', { autoIncrement: true });
  await new Promise((done) => { open.onsuccess = done; });
  for (const size of [1_000_000, 10_000, 100, 1]) {
    for (let fits = true; fits; ) {
      // What is not random is pressed together.
      const value = new Uint8Array(size);
      for (let i = 0; i < size; i += 65_536) crypto.getRandomValues(value.subarray(i, i + 65_536));
      const write = open.result.transaction('all', 'readwrite');
      write.objectStore('all').add(value);
      fits = await new Promise((done) => {
        write.oncomplete = () => done(true);
        write.onabort = () => done(false);
      });
    }
  }
  open.result.close();
}"""
EMPTY = """() => new Promise((done) => {
  indexedDB.deleteDatabase('filler').onsuccess = () => done(null);
})"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """One demo home for all of them."""
    with Rehearsal(tmp_path_factory.mktemp("replica") / "mos", "2026-11-28T07:57:00") as rehearsal:
        yield rehearsal


def killed(people: People, page: Page, profile: Path) -> Page:
    """Kill the page's browser and start it again; return a page on the same device."""
    # (A browser writes cookies down only now and then. Who had one for longer is still signed in.)
    cookies = page.context.cookies()
    people.contexts.remove(page.context)
    kill_browser(page, profile)

    def signed_in(page: Page) -> None:
        page.context.add_cookies(cookies)

    return people.visit(size=DESKTOP, profile=profile, before=signed_in)


def closed(_people: People, page: Page, _profile: Path) -> Page:
    """Close the page without asking it; return another on the same device."""
    again = page.context.new_page()
    close(page)
    again.goto(page.url.partition("#")[0])
    return again


def close(page: Page) -> None:
    """Close a tab without asking it."""
    page.close(run_before_unload=False)


End = Callable[[People, Page, Path], Page]
ENDS = [pytest.param(killed, id="killed"), pytest.param(closed, id="closed")]


@pytest.mark.parametrize("end", ENDS)
def test_a_tab_that_dies_while_it_sends_loses_nothing_and_doubles_nothing(
    people: People, tmp_path: Path, end: End
):
    """P3, P6, P14: the server has the change, and the device never hears of it."""
    title = f"Gröt, {end.__name__}"
    page = people.open("jonas", size=DESKTOP, profile=tmp_path)
    until_at_rest(page)
    asked = hold(page, "push")
    plan(page, "Amir", title, "08:20")
    wait_until(page, lambda: asked != [])

    again = end(people, page, tmp_path)
    wait_until(again, lambda: title in disk(again)["titles"])
    until_at_rest(again)
    elsewhere = people.open("sara", size=DESKTOP)
    wait_until(elsewhere, lambda: title in disk(elsewhere)["titles"])
    for each in (again, elsewhere):
        assert disk(each)["titles"].count(title) == 1


@pytest.mark.parametrize("end", ENDS)
def test_a_tab_that_dies_while_it_fetches_has_everything_afterwards(
    people: People, tmp_path: Path, end: End
):
    """P5, P14: rows and cursor come together or not at all."""
    title = f"Fika, {end.__name__}"
    page = people.open("jonas", size=DESKTOP, profile=tmp_path)
    elsewhere = people.open("sara", size=DESKTOP)
    until_at_rest(page)
    asked = hold(page, "pull")
    plan(elsewhere, "Amir", title, "15:20")
    wait_until(page, lambda: asked != [])

    again = end(people, page, tmp_path)
    wait_until(again, lambda: title in disk(again)["titles"])
    assert disk(again)["titles"].count(title) == 1


def test_two_tabs_that_write_at_once_count_together_and_either_sends_for_both(people: People):
    """P24: no number twice, and nothing that waits is lost with the tab that led."""
    first = people.open("jonas", size=DESKTOP)
    until_at_rest(first)
    second = first.context.new_page()
    second.goto(people.home.url)
    before = disk(second)["numbers"]
    go_offline(first)
    plan(first, "Amir", "Soppa i första fliken", "12:10")
    plan(second, "Amir", "Soppa i andra fliken", "12:20")
    plan(first, "Amir", "Kaffe i första fliken", "14:10")
    waiting = disk(second)["unsent"]
    assert len(waiting) >= 3
    assert len({tuple(each) for each in waiting}) == len(waiting)

    close(first)
    second.context.set_offline(offline=False)

    until_at_rest(second)
    numbers = disk(second)["numbers"]
    assert len(numbers) == len(set(numbers)) == len(before) + len(waiting)
    elsewhere = people.open("sara", size=DESKTOP)
    for title in ("Soppa i första fliken", "Soppa i andra fliken", "Kaffe i första fliken"):
        wait_until(elsewhere, lambda title=title: title in disk(elsewhere)["titles"])
        assert disk(elsewhere)["titles"].count(title) == 1


def test_a_full_disk_says_so_and_keeps_what_was_written_on_the_screen(people: People):
    origin = {"origin": people.home.url, "quotaSize": ROOM}

    def little_room(page: Page) -> None:
        page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", origin)

    page = people.open("jonas", size=DESKTOP, before=little_room)
    until_at_rest(page)
    # The worker's files come first: what does not fit then would make room again.
    wait_until_kept(page)
    page.get_by_role("link", name="Planering").click()
    page.get_by_role("link", name="Amir").first.click()
    page.get_by_role("link", name="Ny påminnelse").first.click()
    page.get_by_role("textbox", name="Namn").fill("Vila efter maten")
    page.get_by_role("textbox", name="Börjar").fill("13:20")
    page.evaluate(FILL)
    page.get_by_role("button", name="Spara", exact=True).click()

    expect(page.get_by_text("minne är fullt").first).to_be_visible(timeout=SOON_MS)
    # It is told before the app makes room and tries once more: only then has it failed.
    wait_until(page, lambda: people.faults)
    expect(page.get_by_role("textbox", name="Namn")).to_have_value("Vila efter maten")
    page.evaluate(EMPTY)
    page.get_by_role("button", name="Spara", exact=True).click()
    expect(page.get_by_text("Vila efter maten").first).to_be_visible()
    until_at_rest(page)
    assert disk(page)["titles"].count("Vila efter maten") == 1
    # What the screen told is in the browser's console too.
    assert {fault.splitlines()[0] for fault in people.faults} == {"The device has no room left."}
    people.faults.clear()


def test_a_browser_that_is_killed_has_what_waits_when_it_starts_again(
    people: People, tmp_path: Path
):
    """P3, P12: `kill -9` of the whole browser, without a network; then the same profile again."""
    profile = tmp_path / "profile"
    page = people.open("jonas", size=DESKTOP, profile=profile)
    until_at_rest(page)
    go_offline(page)
    plan(page, "Amir", "Promenad vid ån", "16:20")
    waiting = disk(page)["unsent"]
    assert waiting != []
    again = killed(people, page, profile)

    assert disk(again)["unsent"] in (waiting, [])
    wait_until(again, lambda: "Promenad vid ån" in disk(again)["titles"])
    until_at_rest(again)
    assert disk(again)["titles"].count("Promenad vid ån") == 1


# ────────────────────────────────────────────────── what they need


def disk(page: Page) -> dict[str, Any]:
    """Return what lies on a page's device."""
    found: dict[str, Any] = page.evaluate(DISK)
    return found


def until_at_rest(page: Page) -> None:
    """Wait until the device has fetched what there is, and all that it wrote has come back."""
    wait_until(page, lambda: disk(page)["titles"] != [] and disk(page)["waiting"] == 0)


def hold(page: Page, kind: str) -> list[str]:
    """Let the page's next requests of this kind reach the server, and no answer the page.

    Returns a list that grows with each.
    """
    asked: list[str] = []

    def keep(route: Route) -> None:
        with contextlib.suppress(PlaywrightError):
            asked.append(route.fetch().text())

    page.route(f"**/sync/v1/{kind}", keep)
    return asked


def kill_browser(page: Page, profile: Path) -> None:
    """Kill the page's browser, which has this profile, and wait until it is gone."""
    [pid] = [
        int(process.name)
        for process in Path("/proc").iterdir()
        if process.name.isdecimal() and has_profile(process, profile)
    ]
    with page.context.expect_event("close"):
        os.kill(pid, signal.SIGKILL)


def has_profile(process: Path, profile: Path) -> bool:
    """Say whether this is a browser's first process, and the profile its own."""
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False  # It has ended meanwhile.
    is_part = any(word.startswith("--type=") for word in words)
    return f"--user-data-dir={profile}" in words and not is_part

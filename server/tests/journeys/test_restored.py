"""The server is put back from a copy while its people go on: what they see, and what is there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from people import DESKTOP, SOON_MS, People, wait_until
from playwright.sync_api import Page, expect
from test_first_day import answer, look_at_day, plan, through_welcome
from test_replica import disk, until_at_rest

from mos.ops.album import sign_in
from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

# Where pictures of it are kept, if anybody wants to look.
PICTURES = os.environ.get("MOS_PICTURES")


class Copy:
    """The home's database, as it was when this was made: stop, copy, start (docs/backup.md)."""

    def __init__(self, home: Rehearsal, tmp_path: Path) -> None:
        self._home = home
        self._data = tmp_path / "mos" / "home" / "pgdata"
        self._copy = tmp_path / "copy"
        home.stop()
        subprocess.run(["cp", "-a", self._data, self._copy], check=True)
        home.start()

    def put_back(self) -> None:
        """While the home is stopped."""
        shutil.rmtree(self._data)
        subprocess.run(["cp", "-a", self._copy, self._data], check=True)


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


def until_it_says(page: Page, words: str) -> None:
    """Wait for words on the page; it tries the server again as time goes by for it."""

    def said() -> bool:
        page.clock.fast_forward(2000)
        return page.get_by_text(words).first.is_visible()

    wait_until(page, said)


def test_what_was_written_since_the_copy_stays_on_the_screen_and_comes_back_once(
    people: People, home: Rehearsal, tmp_path: Path
):
    sara = people.open("sara", size=DESKTOP)
    amir = people.open("amir")
    through_welcome(amir)
    until_at_rest(sara)
    copy = Copy(home, tmp_path)

    # Sara plans, Amir answers; and Jonas signs in only now, and plans something, too.
    until_it_says(sara, "Allt är sparat")
    plan(sara, "Amir", "Gröt med bär", "08:20")
    jonas = people.open("jonas", size=DESKTOP)
    plan(jonas, "Amir", "Kvällsfika", "19:40")
    until_at_rest(sara)
    until_at_rest(jonas)
    expect(amir.get_by_text("Gröt med bär").first).to_be_attached(timeout=SOON_MS)
    people.move_to("2026-11-28T08:19:55", sara, amir, jonas)
    answer(amir, "Gröt med bär")
    until_at_rest(amir)
    look_at_day(sara, "Amir")
    meal = sara.get_by_role("listitem").filter(has_text="Gröt med bär")
    expect(meal).to_contain_text("Klar", timeout=SOON_MS)

    # The server is away. What they wrote stays before them, with the usual words.
    home.stop()
    copy.put_back()
    until_it_says(sara, "Ingen kontakt med MOS. Allt sparas här.")
    expect(meal).to_contain_text("Klar")
    picture(sara, "away")

    # It is back, and is older than they are: nobody has to do anything, Jonas but sign in again.
    home.start()
    until_it_says(sara, "Allt är sparat")
    expect(meal).to_contain_text("Klar")
    picture(sara, "back")
    until_it_says(jonas, "Logga in")
    picture(jonas, "signed-out")
    go_on(jonas)
    until_at_rest(jonas)
    until_it_says(jonas, "Allt är sparat")
    picture(jonas, "signed-in")
    for page in (sara, amir, jonas):
        until_at_rest(page)

    # Somebody who was never here before sees what the server has now.
    fatima = people.open("fatima", size=DESKTOP)
    titles = disk(fatima)["titles"]
    wait_until(fatima, lambda: "Kvällsfika" in disk(fatima)["titles"])
    titles = disk(fatima)["titles"]
    assert [titles.count(each) for each in ("Gröt med bär", "Kvällsfika")] == [1, 1]
    look_at_day(fatima, "Amir")
    there = fatima.get_by_role("listitem").filter(has_text="Gröt med bär")
    expect(there).to_have_count(1, timeout=SOON_MS)
    expect(there).to_contain_text("Klar", timeout=SOON_MS)
    expect(fatima.get_by_text("kunde inte sparas")).to_have_count(0)


def go_on(page: Page) -> None:
    """Sign in again where the session is over."""
    button = page.get_by_role("button", name="Logga in").or_(
        page.get_by_role("link", name="Logga in")
    )
    if button.count():
        button.first.click()
    sign_in(page, "jonas")

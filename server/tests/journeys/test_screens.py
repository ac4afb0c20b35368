"""Every screen is for everybody: read aloud, enlarged, by keyboard, by a shaking finger."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from people import DESKTOP, People
from playwright.sync_api import Browser, Page, expect

from mos.ops.album import NOON, PHONE, SCREENS, TABLET, Album, Broken, Screen
from mos.ops.rehearsal import Rehearsal
from mos.ops.settings import ROOT

pytestmark = pytest.mark.journey

AXE = (ROOT / "pwa" / "node_modules" / "axe-core" / "axe.min.js").read_text()
PROBES = (Path(__file__).parent / "probes.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
# The smallest telephone, and a screen of 1280 by 1024 at 400 % (WCAG 1.4.10).
NARROW = ({"width": 320, "height": 640}, {"width": 320, "height": 256})

each_screen = pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)


@pytest.fixture(scope="module")
def pages(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Page | Broken]]:
    """All screens, open side by side in one home."""
    with (
        Rehearsal(tmp_path_factory.mktemp("screens"), NOON) as home,
        Album(home, browser) as album,
    ):
        yield {screen.name: _open(album, screen) for screen in SCREENS}


def _open(album: Album, screen: Screen) -> Page | Broken:
    try:
        page = album.open(screen)
    except Broken as why:
        return why
    # Evaluated by the driver: the page's own policy lets no foreign script in.
    page.evaluate(AXE)
    page.evaluate(PROBES)
    return page


@pytest.fixture
def page(screen: Screen, pages: dict[str, Page | Broken]) -> Page:
    """The screen on a tablet, by daylight."""
    page = pages[screen.name]
    if isinstance(page, Broken):
        raise page
    page.bring_to_front()
    page.set_viewport_size(TABLET)
    page.emulate_media(color_scheme="light", forced_colors="none")
    return page


@each_screen
def test_axe_finds_nothing_in_any_theme(screen: Screen, page: Page):
    found = {theme: _axe(page, theme) for theme in screen.themes}

    assert {theme: faults for theme, faults in found.items() if faults} == {}


def _axe(page: Page, theme: Any) -> list[str]:
    page.emulate_media(color_scheme=theme)
    page.evaluate("probes.still()")
    result = page.evaluate(
        "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", RULES
    )
    return [
        f"{fault['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for fault in result["violations"]
        for node in fault["nodes"][:3]
    ]


@each_screen
@pytest.mark.parametrize("size", NARROW, ids=("phone", "zoom"))
def test_nothing_scrolls_sideways_and_no_text_is_cut(
    screen: Screen, page: Page, size: dict[str, int]
):
    page.set_viewport_size(size)
    # As below: what a screen lays out anew by itself may take a moment more.
    for _ in range(20):
        page.evaluate("probes.still()")
        wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        cut = page.evaluate("probes.cut()")
        if wide <= 0 and cut == []:
            break
        page.wait_for_timeout(100)
    assert wide <= 0
    assert cut == []


@each_screen
def test_everything_is_large_enough_to_hit(screen: Screen, page: Page):
    least = 64 if screen.is_for_residents else 44

    for size in (TABLET, PHONE):
        page.set_viewport_size(size)
        # What a screen lays out anew by itself, as the bar of places, may take a moment more.
        for _ in range(20):
            page.evaluate("probes.still()")
            small = page.evaluate("(least) => probes.tooSmall(least)", least)
            if small == []:
                break
            page.wait_for_timeout(100)
        assert small == []


@each_screen
def test_the_keyboard_reaches_everything_and_shows_where_it_is(screen: Screen, page: Page):
    wanted = page.evaluate("probes.count()")
    reached: set[str] = set()
    unseen: list[str] = []
    page.evaluate("document.activeElement?.blur()")
    # Once round, and a little more: focus may begin in the middle.
    for _ in range(2 * wanted + 4):
        if len(reached) == wanted:
            break
        page.keyboard.press("Tab")
        at = page.evaluate("probes.focus()")
        if at is None:
            continue
        if not at["shows"] or at["covered"]:
            unseen.append(at["name"])
        if at["probe"] is not None:
            reached.add(at["probe"])

    missed = page.evaluate("(reached) => probes.missed(reached)", sorted(reached))
    assert missed == []
    assert sorted(set(unseen)) == []


@each_screen
def test_buttons_keep_their_borders_in_forced_colours(screen: Screen, page: Page):
    page.emulate_media(forced_colors="active")

    assert page.evaluate("probes.unbordered()") == []


SIZES = ((1180, 820), (1024, 768), (1280, 800), (800, 1280))
# What is on, and the button for help: whether either lies on the other.
COLLIDES = """() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const [help, answer] = [box('.cry'), box('.answer button')];
  const under = [...document.querySelectorAll('.cards > *')]
    .map((card) => card.getBoundingClientRect())
    .filter(({ bottom, right }) => bottom > help.top && right > help.left);
  return under.length > 0 || answer.bottom > innerHeight || box('.note').bottom > answer.top;
}"""


def test_long_words_leave_room_for_the_answer_and_for_help(people: People):
    sara = people.open("sara", size=DESKTOP)
    sara.get_by_role("link", name="Planering").click()
    sara.get_by_role("link", name="Amir").first.click()
    sara.get_by_role("link", name="Ny påminnelse").first.click()
    title = "Läkarundersökning på vårdcentralen Björkbacken"
    sara.get_by_role("textbox", name="Namn").fill(title)
    sara.get_by_role("textbox", name="Börjar").fill("07:59")
    sara.get_by_role("textbox", name="Anteckning").fill(
        "Ta med leg och läkemedelslistan. Taxin står vid stora entrén. Karin följer med dig in."
    )
    sara.get_by_role("button", name="Spara", exact=True).click()
    expect(sara.get_by_text(title).first).to_be_visible()

    amir = people.open("amir")
    people.move_to("2026-11-28T07:59:10", amir)
    # It rings, too: what is on stands behind that.
    expect(amir.locator(".now h2")).to_have_text(title, timeout=15_000)
    collisions = {}
    for width, height in SIZES:
        amir.set_viewport_size({"width": width, "height": height})
        amir.wait_for_timeout(300)
        collisions[width, height] = amir.evaluate(COLLIDES)
    assert collisions == dict.fromkeys(SIZES, False)

"""A family's first day: a person, a plan, a tablet that rings, and somebody to share it with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import Browser, Page, expect
from test_first_day import answer, plan, through_welcome

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

MORNING = "2026-11-28T07:57:00"
# Words of a care provider that no family should read about itself.
FOREIGN = ("enhet", "personal", "verksamhet")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Rehearsal]:
    """An empty home, early on a Saturday."""
    with Rehearsal(tmp_path / "mos", MORNING, empty=True) as rehearsal:
        yield rehearsal


@pytest.fixture
def people(home: Rehearsal, playwright: Any, browser: Browser) -> Iterator[People]:
    """Whoever comes to that home."""
    people = People(home, playwright, browser)
    yield people
    for context in people.contexts:
        context.close()
    assert people.faults == []


def test_a_family_sets_itself_up_and_shares_the_day(people: People, home: Rehearsal):
    anna = people.visit(size=DESKTOP)
    claim(anna, home)
    step(anna, 1, "Lägg till den som dagen är för")
    add_elsa(anna)

    begin(anna)
    step(anna, 2, "Planera första dagen")
    anna.get_by_role("link", name="Planera dagen").click()
    expect(anna.get_by_role("link", name="Se som Elsa")).to_be_visible(timeout=SOON_MS)
    read(anna)
    plan(anna, "Elsa", "Gröt med bär", "08:20")
    read(anna)

    begin(anna)
    step(anna, 3, "Koppla en surfplatta")
    elsa = pair(anna, people)
    expect(elsa.get_by_text("Gröt med bär").first).to_be_attached(timeout=SOON_MS)

    begin(anna)
    step(anna, 4, "Bjud in dem som hjälper")
    bo = invite_bo(anna, people)
    expect(bo.get_by_role("link", name="Elsa").first).to_be_visible(timeout=SOON_MS)
    read(bo)

    anna.get_by_role("button", name="Stäng").click()
    expect(anna.get_by_role("link", name="Kom igång")).to_have_count(0)
    for place in ("Vems dag", "Behörigheter", "De som hjälper", "Just nu"):
        anna.get_by_role("link", name=place).click()
        read(anna)

    people.move_to("2026-11-28T08:19:55", anna, elsa, bo)
    answer(elsa, "Gröt med bär")
    for helper in (anna, bo):
        helper.get_by_role("link", name="Elsa").first.click()
        meal = helper.get_by_role("listitem").filter(has_text="Gröt med bär")
        expect(meal).to_contain_text("Klar", timeout=SOON_MS)


def add_elsa(page: Page) -> None:
    """Add the person whose day it is, from the first step."""
    read(page)
    page.get_by_role("link", name="Lägg till", exact=True).click()
    page.get_by_role("button", name="Lägg till en person").click()
    read(page)
    page.get_by_role("textbox", name="Namn").fill("Elsa Ek")
    page.get_by_role("dialog").get_by_role("button", name="Lägg till", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="Elsa Ek")).to_be_visible()


def pair(page: Page, people: People) -> Page:
    """Make a new tablet Elsa's; return it."""
    page.get_by_role("link", name="Koppla en surfplatta").click()
    page.get_by_role("button", name="Koppla surfplatta").click()
    read(page)
    tablet = people.visit()
    tablet.goto(link(page))
    tablet.get_by_role("button", name="Ja, gör den till Elsas").click()
    expect(tablet.get_by_role("heading", name="Kan den här apparaten ringa?")).to_be_visible(
        timeout=SOON_MS
    )
    tablet.goto(people.home.url)
    through_welcome(tablet)
    return tablet


def invite_bo(page: Page, people: People) -> Page:
    """Invite a relative, who chooses a password; return their browser."""
    page.get_by_role("link", name="Bjud in någon").click()
    page.get_by_role("button", name="Bjud in någon").click()
    read(page)
    page.get_by_role("textbox", name="Namn").fill("Bo Ek")
    page.get_by_role("textbox", name="E-post").fill("bo@example.org")
    page.get_by_role("button", name="Lägg till och bjud in").click()
    other = people.visit(size=DESKTOP)
    other.goto(link(page))
    other.get_by_label("Lösenord").first.fill("en lång promenad")
    other.get_by_role("button", name="Spara och logga in").click()
    return other


def claim(page: Page, home: Rehearsal) -> None:
    """Claim the home for a family: what it is has to be chosen."""
    page.goto(f"{home.url}/#/borja/{home.claim_token}")
    page.get_by_role("button", name="Börja").click()
    expect(page.get_by_role("main").get_by_role("radio")).to_have_count(2)
    expect(page.get_by_role("main").get_by_role("radio", checked=True)).to_have_count(0)
    expect(page.get_by_text("Välj en av dem.")).to_be_visible()
    page.get_by_role("radio", name="En familj").check()
    page.get_by_role("textbox", name="Familjens namn").fill("Familjen Ek")
    page.get_by_role("textbox", name="Ditt namn").fill("Anna Ek")
    page.get_by_role("textbox", name="E-post").fill("anna@example.org")
    page.get_by_label("Välj ett lösenord").first.fill("en lång promenad")
    page.get_by_role("button", name="Börja").click()
    expect(page.get_by_role("heading", name="Kom igång")).to_be_visible(timeout=SOON_MS)


def begin(page: Page) -> None:
    """Go to the first steps, from wherever somebody is."""
    closing = page.get_by_role("dialog").get_by_role("button", name="Stäng")
    if closing.count():
        closing.click()
    if page.get_by_role("link", name="Kom igång").count() == 0:
        page.get_by_role("link", name="Personer och surfplattor").click()
    page.get_by_role("link", name="Kom igång").click()


def step(page: Page, number: int, title: str) -> None:
    """See that this step is the next, and that exactly the ones before it are done."""
    steps = page.get_by_role("main").get_by_role("listitem")
    expect(steps).to_have_count(4)
    current = page.locator('[aria-current="step"]')
    expect(current).to_contain_text(title, timeout=SOON_MS)
    expect(steps.filter(has_text="klart")).to_have_count(number - 1)


def link(page: Page) -> str:
    """The one-time link that is shown."""
    return page.get_by_role("textbox", name="Länken").input_value()


def read(page: Page) -> None:
    """See that nothing on the screen speaks of a care provider."""
    said = page.locator("body").inner_text().lower()
    assert [word for word in FOREIGN if word in said] == []

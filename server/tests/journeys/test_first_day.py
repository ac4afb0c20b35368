"""The three journeys of a first day: planned and done, offline from cold, and missed."""

import contextlib
from pathlib import Path

import pytest
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

# At once, to a person: the plan, the tap and the alert are seen without a reload.
AT_ONCE_MS = 2_000


def plan(page: Page, resident: str, title: str, time: str) -> None:
    """Plan a meal for every day, as a caregiver does."""
    page.get_by_role("link", name="Planering").click()
    page.get_by_role("link", name=resident).first.click()
    page.get_by_role("link", name="Ny påminnelse").first.click()
    page.get_by_role("textbox", name="Namn").fill(title)
    page.get_by_role("textbox", name="Börjar").fill(time)
    page.get_by_role("button", name="Spara", exact=True).click()
    expect(page.get_by_text(title).first).to_be_visible()


def look_at_day(page: Page, resident: str) -> None:
    """Open a resident's day among the caregiver's screens; return when it stands there."""
    page.get_by_role("link", name="Just nu").click()
    page.get_by_role("link", name=resident).first.click()
    # A row that is drawn anew in that moment takes the tap with it.
    with contextlib.suppress(PlaywrightError):
        page.wait_for_url("**/#/boende/**", timeout=SOON_MS // 3)
    if "/#/boende/" not in page.url:
        page.get_by_role("link", name=resident).first.click()
    # The address is there before the page: what is looked for next may stand on the one before.
    expect(page.get_by_role("heading", level=1, name=resident)).to_be_visible(timeout=SOON_MS)


def test_a_planned_meal_rings_is_done_and_is_seen_at_once(people: People, home: Rehearsal):
    sara = people.open("sara", size=DESKTOP)
    plan(sara, "Amir", "Gröt med bär", "08:20")
    look_at_day(sara, "Amir")
    amir = people.open("amir")
    through_welcome(amir)
    expect(amir.get_by_text("Gröt med bär").first).to_be_attached(timeout=SOON_MS)

    people.move_to("2026-11-28T08:19:55", sara, amir)

    answer(amir, "Gröt med bär")
    meal = sara.get_by_role("listitem").filter(has_text="Gröt med bär")
    expect(meal).to_contain_text("Klar", timeout=AT_ONCE_MS)


def test_a_klar_given_offline_from_a_cold_start_arrives_once(
    people: People, home: Rehearsal, tmp_path: Path
):
    tablet = tmp_path / "tablet"
    amir = people.open("amir", profile=tablet)
    through_welcome(amir)
    amir.evaluate("navigator.serviceWorker.ready.then(() => null)")
    expect(amir.get_by_text("Frukost").first).to_be_attached(timeout=SOON_MS)
    people.close(amir)
    home.stop()
    home.move_to("2026-11-28T08:03:00")

    amir = people.visit(profile=tablet)
    answer(amir, "Frukost")
    home.start()

    sara = people.open("sara", size=DESKTOP)
    look_at_day(sara, "Amir")
    breakfast = sara.get_by_role("listitem").filter(has_text="Frukost")
    amir.evaluate("window.dispatchEvent(new Event('online'))")
    expect(breakfast).to_contain_text("Klar", timeout=SOON_MS)
    expect(breakfast).to_have_count(1)


def test_what_nobody_answers_alerts_the_caregiver(people: People, home: Rehearsal):
    sara = people.open("sara", size=DESKTOP)
    alerts = sara.get_by_role("region", name="Larm", exact=True)
    alert = alerts.get_by_role("listitem").filter(has=sara.get_by_role("heading", name="Amir"))
    expect(sara.get_by_role("heading", name="Larm", exact=True)).to_be_visible()

    people.move_to("2026-11-28T09:00:30", sara)

    expect(alert).to_contain_text("Missad", timeout=SOON_MS)
    alert.get_by_role("button", name="Jag tar det").click()
    expect(alert).to_contain_text("tog det 09:0", timeout=AT_ONCE_MS)


def through_welcome(page: Page) -> None:
    """Follow the first-run guidance to its end."""
    welcome = page.get_by_role("dialog")
    for step in range(1, 5):
        expect(welcome).to_contain_text(f"{step} av 5", timeout=SOON_MS)
        welcome.get_by_role("button", name="Nästa").click()
    welcome.get_by_role("button", name="Hoppa över").click()


def answer(page: Page, title: str) -> None:
    """Say "Klar" to what is rung, or to what is now."""
    alarm = page.get_by_role("dialog", name=title)
    expect(alarm).to_be_visible(timeout=SOON_MS)
    alarm.get_by_role("button", name="Klar").click()
    expect(alarm).to_have_count(0)

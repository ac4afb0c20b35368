"""A tablet that several supporters share: what somebody did there is theirs, told and untold."""

import pytest
from people import DESKTOP, SOON_MS, People, go_offline, wait_until_kept
from playwright.sync_api import Page, expect
from test_first_day import look_at_day, plan
from test_pins import look
from test_told import END_RIGHTS

from mos.ops.album import sign_in

pytestmark = pytest.mark.journey

LONG_MS = 60_000


def leave_offline(page: Page) -> None:
    """Sign out without a network: what was not sent waits on the tablet."""
    page.evaluate("location.hash = '/installningar'")
    page.get_by_role("button", name="Logga ut här").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("skickas i ditt namn", timeout=SOON_MS)
    asked.get_by_role("button", name="Logga ut här").click()
    expect(page.get_by_text("Du är utloggad här.")).to_be_visible(timeout=SOON_MS)


def a_tablet(people: People, key: str) -> Page:
    """Return the shared tablet with somebody signed in, ready to work without a network."""
    page = people.open(key, size=DESKTOP)
    expect(page.get_by_role("heading", name="Just nu")).to_be_visible(timeout=SOON_MS)
    wait_until_kept(page)
    return page


def test_a_tick_is_of_whoever_made_it_whoever_is_signed_in_when_it_is_sent(people: People):
    tablet = a_tablet(people, "jonas")
    look_at_day(tablet, "Amir")
    breakfast = tablet.get_by_role("listitem").filter(has_text="Frukost")
    expect(breakfast).to_be_visible(timeout=SOON_MS)
    people.move_to("2026-11-28T08:03:00", tablet)
    go_offline(tablet)
    breakfast.get_by_role("button", name="Klar").click()
    expect(breakfast).to_contain_text("Jonas Berg", timeout=SOON_MS)
    leave_offline(tablet)

    tablet.context.set_offline(False)
    expect(tablet.get_by_text("Du är utloggad här.")).to_have_count(0, timeout=LONG_MS)
    tablet.reload()
    sign_in(tablet, "fatima")
    look_at_day(tablet, "Amir")
    expect(breakfast).to_contain_text("Jonas Berg", timeout=LONG_MS)
    expect(breakfast).not_to_contain_text("Fatima")
    expect(breakfast).to_have_count(1)
    look(tablet, "shared-day")
    # So it is for everybody else.
    colleague = people.open("sara", size=DESKTOP)
    look_at_day(colleague, "Amir")
    theirs = colleague.get_by_role("listitem").filter(has_text="Frukost")
    expect(theirs).to_contain_text("Jonas Berg", timeout=SOON_MS)
    expect(theirs).not_to_contain_text("Fatima")


def test_whose_change_was_refused_while_a_colleague_sent_it_hears_of_it_where_they_sign_in(
    people: People,
):
    tablet, manager = a_tablet(people, "jonas"), people.open("eva", size=DESKTOP)
    go_offline(tablet)
    plan(tablet, "Amir", "Soppa", "12:20")
    expect(tablet.get_by_role("link", name="Ny påminnelse").first).to_be_visible()
    leave_offline(tablet)
    assert manager.evaluate(END_RIGHTS, "Jonas Berg") > 0
    tablet.context.set_offline(False)
    expect(tablet.get_by_text("Du är utloggad här.")).to_have_count(0, timeout=LONG_MS)
    tablet.reload()
    sign_in(tablet, "fatima")
    # A colleague is shown it as what waits of Amir's, and not as hers.
    expect(tablet.get_by_role("status").filter(has_text="Allt är sparat")).to_be_visible(
        timeout=LONG_MS
    )
    people.move_to("2026-11-28T08:05:30", tablet)
    note = tablet.get_by_role("region", name="Kunde inte sparas")
    expect(note).to_be_visible(timeout=LONG_MS)

    phone = people.open("jonas", size={"width": 390, "height": 844})
    link = phone.get_by_role("link", name="Se vad")
    expect(link).to_be_visible(timeout=LONG_MS)
    expect(phone.get_by_text("ändring kunde inte sparas.").last).to_be_visible()
    link.click()
    expect(phone.get_by_role("heading", name="Det du skrev")).to_be_visible()
    expect(phone.get_by_text("Behörigheten hade tagit slut").first).to_be_visible()
    look(phone, "told-phone")
    phone.emulate_media(color_scheme="dark")
    look(phone, "told-phone-dark")
    phone.get_by_role("button", name="Jag har läst det").click()
    expect(phone.get_by_text("Allt är sparat", exact=True)).to_be_visible()

    # Read in one place it is read.
    computer = people.open("jonas", size=DESKTOP)
    computer.evaluate("location.hash = '/ej-sparat'")
    expect(computer.get_by_text("Allt är sparat", exact=True)).to_be_visible(timeout=SOON_MS)

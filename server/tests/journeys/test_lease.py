"""A device that was away from the server for too long shows nobody anything, and loses nothing."""

import pytest
from people import DESKTOP, SOON_MS, People, go_offline
from playwright.sync_api import Page, expect
from test_first_day import plan
from test_pins import look

from mos.ops.album import sign_in

pytestmark = pytest.mark.journey

LONG_MS = 60_000
OVER = "Den här apparaten har varit utan nät för länge"
# What lies in each store of the device.
HELD = """async (stores) => {
  const open = indexedDB.open('mos');
  await new Promise((done) => { open.onsuccess = done; });
  const counts = stores.map((name) => new Promise((done) => {
    const all = open.result.transaction(name).objectStore(name).getAll();
    all.onsuccess = () => done(all.result.length);
  }));
  const found = await Promise.all(counts);
  open.result.close();
  return found;
}"""


def held(page: Page) -> dict[str, int]:
    stores = ["base", "space", "acked", "staged", "outbox"]
    return dict(zip(stores, page.evaluate(HELD, stores), strict=True))


@pytest.mark.parametrize("closed", [False, True], ids=["open all the while", "opened afterwards"])
def test_past_its_lease_a_device_forgets_what_it_fetched_and_sends_what_waits(
    people: People, closed: bool
):
    page = people.open("jonas", size=DESKTOP)
    expect(page.get_by_role("heading", name="Just nu")).to_be_visible(timeout=SOON_MS)
    go_offline(page)
    plan(page, "Amir", "Soppa", "12:20")
    expect(page.get_by_role("link", name="Ny påminnelse").first).to_be_visible()
    before = held(page)

    if closed:
        page.goto("about:blank")
    # A supporter's lease is two weeks.
    people.move_to("2026-12-13T08:00:00", page)
    if closed:
        page.goto(people.home.url)

    over = page.get_by_text(OVER)
    expect(over).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("ligger kvar här. Ingen ser")).to_be_visible(timeout=SOON_MS)
    # Nothing of anybody is to be seen, or lies there, but what Jonas wrote.
    assert page.get_by_text("Amir").count() == 0
    after = held(page)
    assert before["base"] > 0
    assert after == {"base": 0, "space": 0, "acked": 0, "staged": 0, "outbox": before["outbox"]}
    assert before["outbox"] > 0
    look(page, f"lease-{'closed' if closed else 'open'}")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    look(page, f"lease-phone-dark-{'closed' if closed else 'open'}")
    page.set_viewport_size(DESKTOP)

    page.context.set_offline(False)
    page.reload()
    sign_in(page, "jonas")
    expect(page.get_by_role("heading", name="Just nu")).to_be_visible(timeout=LONG_MS)
    expect(over).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="Allt är sparat").first).to_be_visible(
        timeout=LONG_MS
    )
    elsewhere = people.open("sara", size=DESKTOP)
    elsewhere.get_by_role("link", name="Planering").click()
    elsewhere.get_by_role("link", name="Amir").first.click()
    expect(elsewhere.get_by_text("Soppa").first).to_be_visible(timeout=LONG_MS)

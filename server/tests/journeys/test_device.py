"""What a device keeps, rings and forgets: push, sessions that end, releases that come and go."""

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from people import DESKTOP, SOON_MS, People, wait_until, wait_until_kept
from playwright.sync_api import Page, expect
from push_service import PushService, b64, push_service
from test_first_day import plan, through_welcome

from mos.ops.album import sign_in
from mos.ops.demo.people import ZONE
from mos.ops.rehearsal import Rehearsal
from mos.ops.settings import ROOT

pytestmark = pytest.mark.journey

# Where this browser would have its push messages sent; the server takes a detour to the test's own.
PUSH = "https://push.example"

# The browser's own push service is out of reach: what it would answer, for the keys of the test's.
SUBSCRIBE = """([endpoint, p256dh, auth]) => {
  const subscription = {
    endpoint, options: { applicationServerKey: null }, unsubscribe: async () => true,
    toJSON: () => ({ endpoint, keys: { p256dh, auth } }),
  };
  PushManager.prototype.subscribe = async () => subscription;
  PushManager.prototype.getSubscription = async () => null;
}"""
# Whether a record of a collection lies in the device's copy of what the server has.
KEPT = """async ([coll, occ]) => {
  const open = indexedDB.open('mos');
  await new Promise((done) => { open.onsuccess = done; });
  const all = open.result.transaction('base').objectStore('base').getAll();
  await new Promise((done) => { all.onsuccess = done; });
  open.result.close();
  return all.result.filter((row) => row.coll === coll && row.doc.v?.occ === occ).length;
}"""


@pytest.fixture
def push() -> Iterator[PushService]:
    """A push service that runs beside the browser, in a thread of its own."""
    begun: Future[tuple[PushService, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        over = asyncio.Event()
        async with push_service() as service:
            begun.set_result((service, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    service, loop, over = begun.result(10)
    yield service
    loop.call_soon_threadsafe(over.set)
    thread.join()


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    """The built app, in a folder of this test's own."""
    return Path(shutil.copytree(ROOT / "pwa" / "dist", tmp_path / "app"))


@pytest.fixture
def home(tmp_path: Path, push: PushService, app_dir: Path) -> Iterator[Rehearsal]:
    """A demo home at the real present: a service worker's clock cannot be moved."""
    now = datetime.now(ZoneInfo(ZONE)).strftime("%Y-%m-%dT%H:%M:%S")
    detour = {
        "MOS_PUSH_REWRITE": f"{PUSH}={push.url}",
        "MOS_PUSH_PRIVATE_HOSTS": "1",
        "MOS_APP_DIR": str(app_dir),
    }
    push.url = PUSH
    with Rehearsal(tmp_path / "mos", now, environ=detour) as rehearsal:
        yield rehearsal


def test_a_ring_test_ends_with_a_push_that_really_came(people: People, push: PushService):
    page = people.open("jonas", size=DESKTOP)
    page.context.grant_permissions(["notifications"])
    wire = Wire(page)
    browser = push.subscribe()
    subscription = [browser.endpoint, b64(browser.p256dh), b64(browser.auth)]
    page.evaluate(f"({SUBSCRIBE})({json.dumps(subscription)})")

    go(page, "/installningar/ringprov")
    page.get_by_role("button", name="Spela larmet").click()
    page.get_by_role("button", name="Ja, jag hörde").click()
    page.get_by_role("button", name="Skicka ett prov").click()
    wait_until(page, lambda: browser.told != [])
    wire.deliver(browser.told[-1])

    expect(page.get_by_role("heading", name="Ja, den kan ringa")).to_be_visible(timeout=SOON_MS)
    go(page, "/installningar")
    expect(page.get_by_text("Den kan ringa, även när MOS är stängt")).to_be_visible()


def test_klar_on_a_notification_arrives_though_nobody_opens_the_app(people: People):
    elsewhere = people.open("elsa")
    page = people.open("elsa")
    page.context.grant_permissions(["notifications"])
    wire = Wire(page)
    space, reminder = a_reminder(page)
    occurrence = f"{reminder}@2026-01-01T08:00"
    page.goto("about:blank")

    wire.deliver({"kind": "ring", "space": space, "occ": occurrence})
    wire.tap(occurrence, "done")

    wait_until(elsewhere, lambda: elsewhere.evaluate(KEPT, ["completion", occurrence]) == 1)
    wait_until(elsewhere, lambda: elsewhere.evaluate(KEPT, ["rang", occurrence]) == 1)


def test_a_session_that_ended_loses_nothing(people: People):
    here = people.open("jonas", size=DESKTOP)
    elsewhere = people.open("jonas", size=DESKTOP)
    go(elsewhere, "/installningar")
    elsewhere.get_by_role("button", name="Logga ut från").click()
    expect(elsewhere.get_by_role("button", name="Logga ut från")).to_have_count(0)

    plan(here, "Amir", "Gröt med bär", "08:20")
    here.get_by_role("button", name="Logga in igen").click()
    here.get_by_role("radio", name="Personal").check()
    here.get_by_role("button", name="Jonas Berg").click()

    expect(here.get_by_role("button", name="Jonas Berg")).to_have_count(0)
    go(elsewhere, "/planering")
    elsewhere.get_by_role("link", name="Amir").first.click()
    expect(elsewhere.get_by_text("Gröt med bär").first).to_be_visible(timeout=SOON_MS)


def test_signing_out_asks_before_unsent_work_is_lost_and_then_leaves_nothing(people: People):
    page = people.open("jonas", size=DESKTOP)
    # What it has not visited yet comes from the worker, once that serves this page.
    wait_until_kept(page)
    plan(page, "Amir", "Gröt", "08:20")
    page.context.set_offline(offline=True)
    plan(page, "Amir", "Soppa", "12:20")
    expect(page.get_by_role("link", name="Ny påminnelse").first).to_be_visible()

    go(page, "/installningar")
    page.get_by_role("button", name="Logga ut här").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("inte skickad", timeout=SOON_MS)
    asked.get_by_role("button", name="Avbryt").click()
    page.context.set_offline(offline=False)
    page.get_by_role("button", name="Logga ut här").click()
    expect(asked).to_contain_text("Allt är sparat", timeout=SOON_MS)
    asked.get_by_role("button", name="Logga ut här").click()

    expect(page.get_by_role("heading", name="Hej!")).to_be_visible()
    left = page.evaluate("""async () => {
      const open = indexedDB.open('mos');
      await new Promise((done) => { open.onsuccess = done; });
      const stores = ['base', 'outbox', 'acked', 'space'];
      const counts = stores.map((name) => new Promise((done) => {
        const count = open.result.transaction(name).objectStore(name).count();
        count.onsuccess = () => done(count.result);
      }));
      return Promise.all(counts);
    }""")
    assert left == [0, 0, 0, 0]


def test_signing_out_without_a_network_lasts(people: People):
    page = people.open("jonas", size=DESKTOP)
    # What it has not visited yet comes from the worker, once that serves this page.
    wait_until_kept(page)
    plan(page, "Amir", "Gröt", "08:20")
    page.context.set_offline(offline=True)
    plan(page, "Amir", "Soppa", "12:20")
    go(page, "/installningar")
    page.get_by_role("button", name="Logga ut här").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("skickas i ditt namn", timeout=SOON_MS)
    asked.get_by_role("button", name="Logga ut här").click()

    signed_out = page.get_by_text("Du är utloggad här. När det finns nät igen får MOS veta det.")
    expect(signed_out).to_be_visible(timeout=SOON_MS)
    page.reload()
    expect(signed_out).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_text("ligger kvar här. Ingen ser")).to_be_visible()

    page.context.set_offline(offline=False)
    expect(signed_out).to_have_count(0, timeout=60_000)
    status = "fetch('/api/v1/session').then(({ status }) => status)"
    assert page.evaluate(status) == 401
    page.reload()
    expect(page.get_by_role("heading", name="Hej!")).to_be_visible()

    sign_in(page, "sara")
    elsewhere = people.open("jonas", size=DESKTOP)
    go(elsewhere, "/planering")
    elsewhere.get_by_role("link", name="Amir").first.click()
    expect(elsewhere.get_by_text("Soppa").first).to_be_visible(timeout=SOON_MS)


def test_a_lost_tablet_is_emptied_by_who_manages_and_says_so(people: People):
    tablet, manager = people.open("elsa"), people.open("eva", size=DESKTOP)
    welcomed(tablet)
    tablet.evaluate("localStorage.setItem('mos.rang', JSON.stringify(['breakfast@2026-11-28']))")
    tablet.context.set_offline(True)

    manager.evaluate("location.hash = '/admin/residents'")
    manager.get_by_role("button", name="Mer om Elsa Lindqvist").click()
    manager.get_by_role("menuitem", name="Surfplattor").click()
    manager.get_by_role("button", name="Töm surfplattan").click()
    question = manager.get_by_role("dialog", name="Töm ")
    expect(question.get_by_text("Ingen annan surfplatta ringer för Elsa")).to_be_visible()
    question.get_by_role("button", name="Töm surfplattan").click()

    waits = manager.get_by_text("Väntar på att surfplattan hör av sig")
    expect(waits).to_be_visible()
    tablet.context.set_offline(False)
    # It has forgotten whose it was, and says so.
    expect(tablet.get_by_role("button", name="Elsa Lindqvist")).to_be_visible(timeout=60_000)
    expect(tablet.get_by_text("Den här apparaten har tömts")).to_be_visible()
    expect(tablet.get_by_text("Så kopplas den igen")).to_be_visible()
    expect(tablet.get_by_text("Ingen kontakt")).to_have_count(0)
    assert set(tablet.evaluate("Object.keys(localStorage)")) <= {"mos.language", "mos.theme"}
    tablet.reload()
    expect(tablet.get_by_text("Den här apparaten har tömts")).to_be_visible(timeout=SOON_MS)
    manager.clock.fast_forward(60_000)
    expect(manager.get_by_text("Tömd i dag")).to_be_visible(timeout=SOON_MS)
    expect(waits).to_have_count(0)


def test_a_newer_release_is_offered_and_a_broken_one_can_be_taken_away(
    people: People, app_dir: Path
):
    page = people.open("jonas", size=DESKTOP)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    (before,) = page.evaluate("caches.keys()")

    release(app_dir, before, "mos-new")
    page.evaluate("navigator.serviceWorker.ready.then((it) => it.update()).then(() => null)")
    with page.expect_navigation():
        page.get_by_role("button", name="Uppdatera").click(timeout=SOON_MS)
    wait_until(page, lambda: "mos-new" in page.evaluate("caches.keys()"))
    expect(page.get_by_role("button", name="Uppdatera")).to_have_count(0)

    (app_dir / "kill-switch.json").write_text('{"kill": true}')
    page.reload()
    registrations = "navigator.serviceWorker.getRegistrations().then((all) => all.length)"
    wait_until(page, lambda: page.evaluate(registrations) == 0)
    expect(page.get_by_role("heading", name="Just nu")).to_be_visible()
    assert page.evaluate("caches.keys()") == []


class Wire:
    """The browser's end of the push service, and a finger on its notifications."""

    def __init__(self, page: Page) -> None:
        """Wait until the page's service worker is there."""
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        self._page = page
        self._origin = page.evaluate("location.origin")
        self._cdp = page.context.new_cdp_session(page)
        self._registrations: dict[str, str] = {}
        self._cdp.on("ServiceWorker.workerRegistrationUpdated", self._note)
        self._cdp.send("ServiceWorker.enable")
        wait_until(page, lambda: f"{self._origin}/" in self._registrations)

    def _note(self, event: dict[str, Any]) -> None:
        for each in event["registrations"]:
            self._registrations[each["scopeURL"]] = each["registrationId"]

    def deliver(self, message: dict[str, str]) -> None:
        """Hand a push message to the worker."""
        self._cdp.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": self._origin,
                "registrationId": self._registrations[f"{self._origin}/"],
                "data": json.dumps(message),
            },
        )

    def tap(self, tag: str, action: str) -> None:
        """Press a notification's button."""
        worker = self._page.context.service_workers[0]
        shown = "(tag) => registration.getNotifications({ tag }).then((all) => all.length)"
        wait_until(self._page, lambda: worker.evaluate(shown, tag))
        worker.evaluate(
            """async ([tag, action]) => {
              const [notification] = await registration.getNotifications({ tag });
              const what = { notification, action };
              self.dispatchEvent(new NotificationEvent('notificationclick', what));
            }""",
            [tag, action],
        )


def go(page: Page, path: str) -> None:
    """Follow a link to another page of the app."""
    page.evaluate("(path) => { location.hash = path; }", path)


def welcomed(page: Page) -> None:
    """Go through the welcome; at the real present something of the day may ring over it."""
    ringing = page.locator("dialog[aria-labelledby=alarm-title] .primary button")
    page.add_locator_handler(ringing, lambda done: done.click())
    through_welcome(page)
    page.remove_locator_handler(ringing)


def a_reminder(page: Page) -> tuple[str, str]:
    """Return space and id of some reminder that has arrived on the page's device."""
    found: list[str] = []

    def look() -> bool:
        found[:] = page.evaluate("""async () => {
          const open = indexedDB.open('mos');
          await new Promise((done) => { open.onsuccess = done; });
          const all = open.result.transaction('base').objectStore('base').getAll();
          await new Promise((done) => { all.onsuccess = done; });
          const row = all.result.find(({ coll }) => coll === 'reminder');
          return row === undefined ? [] : [row.space, row.rec];
        }""")
        return found != []

    wait_until(page, look)
    return found[0], found[1]


def release(app_dir: Path, before: str, name: str) -> None:
    """Make another release of the app: the same files under another name."""
    worker = app_dir / "sw.js"
    build = before.removeprefix("mos-")
    worker.write_text(worker.read_text().replace(build, name.removeprefix("mos-")))
    os.utime(app_dir / "index.html")


def test_of_two_tabs_the_one_that_can_ring_speaks_for_the_device(people: People):
    beats: dict[str, list[str]] = {"mute": [], "rings": []}

    def note(tab: Page, name: str) -> None:
        tab.on(
            "request",
            lambda asked: (
                "/device/heartbeat" in asked.url
                and beats[name].append(asked.post_data_json["sound"])
            ),
        )

    rings = people.open("amir")
    welcomed(rings)
    mute = rings.context.new_page()
    note(mute, "mute")
    note(rings, "rings")
    mute.goto(people.home.url)
    expect(mute.get_by_text("Frukost").first).to_be_attached(timeout=SOON_MS)
    for page in (mute, rings):
        page.clock.fast_forward(5 * 60_000 + 2_000)
    # What it said before its sound was unlocked may still be on the way.
    wait_until(rings, lambda: beats["rings"][-1:] == ["on"])
    assert beats["mute"] == []

    # Closed, it hands over: whatever the other one is like is now what the device is like.
    rings.close()
    wait_until(mute, lambda: beats["mute"])

"""What a device keeps, rings and forgets: push, sessions that end, releases that come and go."""

import asyncio
import contextlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from people import DESKTOP, People
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect
from push_service import PushService, b64, push_service
from test_first_day import plan

from mos.ops.demo.people import ZONE
from mos.ops.rehearsal import Rehearsal
from mos.ops.settings import ROOT

pytestmark = pytest.mark.journey

SOON_MS = 15_000
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
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
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


def wait_until(page: Page, holds: Callable[[], Any]) -> None:
    """Let the browser go on until something holds; fails after a while."""
    for _ in range(SOON_MS // 100):
        # While a page makes way for another, nobody answers.
        with contextlib.suppress(PlaywrightError):
            if holds():
                return
        page.wait_for_timeout(100)
    pytest.fail("it did not happen in time")


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

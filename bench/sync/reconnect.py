"""B7: a tablet comes back after a week without a network, in a real browser with the built app."""

import asyncio
import os
import shutil
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from bench.home import Device
from bench.http import BenchError, Client
from bench.report import Goal, Result, number, result
from bench.sync import work
from bench.sync.bench import Bench
from mos.kernel.zones import zone
from mos.ops import chromium
from mos.ops.album import DESKTOP, sign_in
from mos.ops.demo.people import ZONE
from mos.ops.rehearsal import Rehearsal

_PROBE = Path(__file__).with_suffix(".js")
_BATCH = 100
_LONG_MS = 100
_PATIENCE_MS = 60_000
# When a task began, and for how long it ran; ms.
Task = tuple[float, float]
_AWAY, _AT_HOME = "mikael", "jonas"


class ComeBack(NamedTuple):
    """How long until all had settled, and how long of it was waiting for answers, s; and tasks."""

    settled: float
    waited: float
    tasks: list[Task]


def after_a_week(bench: Bench) -> list[Result]:
    """B7: changes of a week go up, those of others come down, while the app starts."""
    ops, changes = (200, 500) if bench.quick else (2000, 5000)
    program = chromium.find(install=False)
    if program is None:
        raise BenchError(chromium.MISSING)
    os.environ.update(chromium.environment(program))
    backs = [_once(bench.place, str(program), ops, changes) for _ in range(bench.runs)]
    longest = [max((took for _, took in back.tasks), default=0.0) for back in backs]
    waited = statistics.median(back.waited for back in backs)
    what = f"B7 a week away, {number(ops)} own and {number(changes)} other changes"
    return [
        result(
            f"{what}: all settled", [back.settled for back in backs], "s", goal=Goal(most=5),
            note=f"{number(waited)} s of it are waiting for answers, the rest is the app's own. "
            "From opening the page, start of the app included, until nothing waits and everything "
            "has come. The browser, the server, its worker and PostgreSQL share this machine's "
            "cores. No peer: kinto.js and PouchDB come without an app to start.",
        ),
        result(
            f"{what}: longest task", longest, "ms", goal=Goal(most=_LONG_MS),
            note="For so long the page could not answer a finger, the start included; 0: never "
            f"for 50 ms. {_told(backs[-1].tasks)}",
        ),
    ]  # fmt: skip


def _told(tasks: list[Task]) -> str:
    tasks = sorted(tasks, key=lambda task: -task[1])[:5]
    told = ", ".join(f"{number(took)} at {number(begun / 1000)} s" for begun, took in tasks)
    return f"The longest of the last run, ms: {told}."


def _once(place: Path, program: str, ops: int, changes: int) -> ComeBack:
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=place))
    folder.chmod(0o755)
    now = datetime.now(zone(ZONE)).strftime("%Y-%m-%dT%H:%M:%S")
    try:
        with (
            Rehearsal(folder, now) as home,
            sync_playwright() as driver,
            driver.chromium.launch(executable_path=program, args=chromium.ARGUMENTS) as browser,
        ):
            return _come_back(home, browser, ops, changes)
    except Error as error:
        raise BenchError(error.message.splitlines()[0]) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _come_back(home: Rehearsal, browser: Browser, ops: int, changes: int) -> ComeBack:
    away = _context(browser)
    _signed_in(home, away, _AWAY).close()
    page = _beside(home, away)
    page.evaluate("count => bench.write(count)", ops)
    before = page.evaluate("bench.counts()")
    page.close()
    _change(home, browser, changes)
    page = away.new_page()
    page.add_init_script(path=_PROBE)
    page.goto(home.url)
    wanted = before["rows"] + ops + changes
    try:
        settled = page.evaluate(
            "([rows, patience]) => Promise.race([bench.settled(rows), "
            "new Promise((done) => setTimeout(done, patience, null))])",
            [wanted, _PATIENCE_MS],
        )
        if settled is None:
            raise BenchError(f"not settled: {page.evaluate('bench.counts()')}, wanted {wanted}")
        long: list[Task] = page.evaluate("bench.tasks")
        return ComeBack(settled / 1000, page.evaluate("bench.waited()") / 1000, long)
    finally:
        away.close()


def _context(browser: Browser) -> BrowserContext:
    # Without the service worker all files come from the server, as at the very first start.
    context = browser.new_context(
        locale="sv-SE", timezone_id=ZONE, viewport=DESKTOP, service_workers="block"
    )
    context.set_default_timeout(_PATIENCE_MS)
    return context


def _signed_in(home: Rehearsal, context: BrowserContext, key: str) -> Page:
    """Return a page whose app has everything that there is."""
    page = context.new_page()
    page.add_init_script(path=_PROBE)
    page.goto(home.url)
    sign_in(page, key)
    page.evaluate("bench.arrived()")
    return page


def _beside(home: Rehearsal, context: BrowserContext) -> Page:
    """Return a page of the same origin on which no app runs."""
    page = context.new_page()
    page.add_init_script(path=_PROBE)
    page.goto(f"{home.url}/__version__")
    return page


def _change(home: Rehearsal, browser: Browser, changes: int) -> None:
    """Let somebody else write so many new records."""
    context = _context(browser)
    page = _signed_in(home, context, _AT_HOME)
    held: dict[str, Any] = page.evaluate("bench.held()")
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
    context.close()
    port = urlsplit(home.url).port
    assert port is not None
    device = Device(cookies["mos"], tuple(map(UUID, held["spaces"])))
    pushing = _push(Client(port, *device.headers), device, UUID(held["device"]), changes)
    # Playwright's own loop runs in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, pushing).result()


async def _push(client: Client, who: Device, device: UUID, changes: int) -> None:
    outboxes = [work.Outbox(space, device) for space in who.spaces]
    async with client:
        for number_ in range(changes // _BATCH):
            body = outboxes[number_ % len(outboxes)].push(_BATCH)
            answer = await client.request("POST", "/sync/v1/push", body)
            if answer.text().count(b'"applied"') != _BATCH:
                raise BenchError(f"{answer.status} {answer.text()[:300]!r}")

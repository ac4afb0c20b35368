"""Pokes: whoever shows a space hears that it changed, at once here and soon in other processes."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import UUID, uuid4

import msgspec
import pytest
from browsers import Site
from builders import a_home, a_relation
from devices import COLLECTIONS, Device
from tablets import KEYS

from mos.care.store import medication_of
from mos.sync import pokes
from mos.sync.pokes import Hub, Pace
from mos.web.edge import Edge
from mos.web.metrics import Metrics
from mos.web.sync import sync_app

QUICK = Pace(gather=0.02, speak=0.01, heartbeat=5, check=0.05, again=0.01)
CALM = Pace(gather=0.02, speak=0.01, heartbeat=5, check=60, again=0.01)


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@asynccontextmanager
async def running(database, pace=CALM, **more):
    hub = Hub(database.app, pace, **more)
    task = asyncio.create_task(hub.run())
    await until(lambda: listeners(database, 1))
    try:
        yield hub
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def listeners(database, count) -> bool:
    rows = await database.sql(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' "
        "AND datname = current_database() AND usename = 'mos_app'"
    )
    return len(rows) >= count


async def until(condition, seconds=5):
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  what is awaited happens in the database
            await asyncio.sleep(0.01)


class Page:
    """One open page: its event stream, read as it comes."""

    def __init__(self, browser, app):
        self._out: asyncio.Queue = asyncio.Queue()
        self._leave = asyncio.Event()
        self._events: asyncio.Queue = asyncio.Queue()
        self._begun = False
        self._text = ""
        cookie = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
        scope = {
            "type": "http", "method": "GET", "path": "/sync/v1/poke", "scheme": "http",
            "query_string": b"", "client": ("198.51.100.7", 1),
            "headers": [(b"cookie", cookie.encode()), (b"host", b"mos.test")],
        }  # fmt: skip
        self.task = asyncio.create_task(app(scope, self._receive, self._out.put))

    async def _receive(self):
        if not self._begun:
            self._begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._leave.wait()
        return {"type": "http.disconnect"}

    async def next(self, seconds=5):
        """Return the next event as (name, data), a heartbeat as None, the end as "end"."""
        async with asyncio.timeout(seconds):
            while "\n\n" not in self._text:
                message = await self._out.get()
                if message["type"] == "http.response.start":
                    self.status = message["status"]
                    continue
                self._text += message["body"].decode()
                if not message.get("more_body") and "\n\n" not in self._text:
                    return "end"
        block, self._text = self._text.split("\n\n", 1)
        if block == ":":
            return None
        name, data = block.split("\n")
        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def nothing(self, seconds=0.2):
        with pytest.raises(TimeoutError):
            await self.next(seconds)

    async def leave(self):
        self._leave.set()
        await asyncio.wait_for(self.task, 5)


@asynccontextmanager
async def serving(database, clock, hub):
    async with AsyncExitStack() as stack:
        sync = sync_app(database.app, clock, COLLECTIONS, hub, KEYS)
        app = Edge(sync, database.settings, Metrics())
        yield Site(app, clock, database, stack)


@pytest.fixture
async def hub(database):
    async with running(database) as hub:
        yield hub


@pytest.fixture
async def site(database, clock, hub):
    async with serving(database, clock, hub) as site:
        yield site


@pytest.fixture
async def browser(site, home):
    return await site.as_account(home.org, home.caregiver)


def heads(**more):
    return "heads", {"h": {str(space): head for space, head in more.items()}}


async def push(site, browser, home, space=None):
    device = Device(site.database, home.org, (space or home.space,), id=browser.device)
    ms = int(site.clock().timestamp() * 1000)
    body = {
        "proto": 1, "schema": 1, "device_id": str(browser.device),
        "client_now": site.clock().isoformat(),
        "ops": [device.set(uuid4(), {"title": "x"}, ms=ms)],
    }  # fmt: skip
    answer = await browser.http.post("/sync/v1/push", json=body, headers={"x-mos": "1"})
    assert answer.status_code == 200


def nothing_yet(*residents):
    """The heads of these residents' spaces, of their days and of their medication."""
    spaces = [space for each in residents for space in (each.space, medication_of(each.space))]
    return {str(space): 0 for space in spaces}


async def test_a_page_hears_all_heads_when_it_opens(site, browser, home):
    await push(site, browser, home)
    page = Page(browser, site.app)

    assert await page.next() == (
        "heads",
        {"h": nothing_yet(*home.residents) | {str(home.space): 1}},
    )
    assert page.status == 200
    await page.leave()


async def test_a_push_is_heard_at_once_by_whoever_shows_the_space(site, browser, home, database):
    page = Page(browser, site.app)
    admin = Page(await site.as_account(home.org, home.admin), site.app)
    await page.next()
    assert await admin.next() == ("heads", {"h": {}})
    await push(site, browser, home)

    assert await page.next(1) == ("heads", {"h": {str(home.space): 1}})
    await admin.nothing()
    await page.leave()
    await admin.leave()


async def test_many_changes_are_one_poke(site, browser, home, hub):
    page = Page(browser, site.app)
    await page.next()
    for head in range(1, 50):
        hub.tell(home.org, {home.space: head})

    assert await page.next() == ("heads", {"h": {str(home.space): 49}})
    await page.nothing()
    await page.leave()


async def test_other_processes_hear_of_it_too(site, browser, home, database, hub):
    page = Page(browser, site.app)
    await page.next()
    async with running(database) as elsewhere:
        elsewhere.tell(home.org, {home.space: 7})
        assert await page.next() == ("heads", {"h": {str(home.space): 7}})
        elsewhere.ring(home.org, browser.device, home.space, "r@2026-11-27T08:00")
        assert await page.next() == (
            "ring",
            {"space": str(home.space), "occ": "r@2026-11-27T08:00"},
        )
    await pokes.announce(database.app, home.org, {home.space: 8})
    assert await page.next() == ("heads", {"h": {str(home.space): 8}})
    await page.leave()


async def test_a_ring_reaches_its_device_alone(site, browser, home, hub):
    page = Page(browser, site.app)
    other = Page(await site.as_account(home.org, home.caregiver), site.app)
    await page.next()
    await other.next()
    hub.ring(home.org, browser.device, home.space, "occ")

    assert await page.next() == ("ring", {"space": str(home.space), "occ": "occ"})
    await other.nothing()
    # Nor twice, when it comes back from the database.
    await page.nothing()
    await page.leave()
    await other.leave()


async def test_changed_access_is_told_and_what_is_heard_follows_it(site, home, database, hub):
    browser = await site.as_account(home.org, home.admin)
    nurse = await site.as_account(home.org, home.caregiver)
    page = Page(nurse, site.app)
    await page.next()
    await database.sql("DELETE FROM relation")
    await a_relation(database, home.org, home.caregiver, space=home.residents[1].space)
    hub.access_changed(home.org, [home.caregiver])

    assert await page.next() == ("acl", {})
    assert await page.next() == ("heads", {"h": nothing_yet(home.residents[1])})
    hub.tell(home.org, {home.space: 3})
    await page.nothing()
    await page.leave()
    assert browser.device != nurse.device


async def test_a_stream_notices_by_itself_that_access_changed(database, clock, home):
    async with running(database, QUICK) as hub, serving(database, clock, hub) as site:
        page = Page(await site.as_account(home.org, home.caregiver), site.app)
        await page.next()
        await database.sql("DELETE FROM relation")
        hub.tell(home.org, {home.space: 1})
        await asyncio.sleep(QUICK.check)
        hub.tell(home.org, {home.space: 2})

        events = [await page.next(), await page.next()]
        assert ("acl", {}) in events
        await page.leave()


async def test_a_stream_notices_by_itself_that_less_may_be_done_where_as_much_is_seen(
    database, clock, home
):
    async with running(database, QUICK) as hub, serving(database, clock, hub) as site:
        page = Page(await site.as_account(home.org, home.caregiver), site.app)
        await page.next()
        await database.sql("UPDATE relation SET permissions = '{plan.view}'")
        await asyncio.sleep(QUICK.check)
        hub.tell(home.org, {home.space: 1})

        assert await page.next() == ("acl", {})
        await page.leave()


async def test_a_stream_ends_with_its_session(database, clock, home):
    pace = msgspec.structs.replace(QUICK, heartbeat=0.05)
    async with running(database, pace) as hub, serving(database, clock, hub) as site:
        page = Page(await site.as_account(home.org, home.caregiver), site.app)
        await page.next()
        await database.sql("UPDATE session SET revoked_at = now()")
        while (event := await page.next()) is None:
            pass

        assert event == "end"
        await asyncio.wait_for(page.task, 5)
        assert hub.streams == 0


async def test_a_quiet_line_is_kept_awake(database, clock, home):
    pace = msgspec.structs.replace(CALM, heartbeat=0.02)
    async with running(database, pace) as hub, serving(database, clock, hub) as site:
        page = Page(await site.as_account(home.org, home.caregiver), site.app)
        await page.next()

        assert await page.next(1) is None
        await page.leave()


async def test_a_sessions_fifth_stream_sends_its_oldest_away(site, browser, hub):
    pages = []
    for _ in range(5):
        pages.append(Page(browser, site.app))
        await pages[-1].next()

    assert await pages[0].next() == ("bye", {"retry_ms": 60_000})
    assert await pages[0].next() == "end"
    assert hub.streams == 4
    for page in pages:
        await page.leave()
    assert hub.streams == 0


async def test_a_process_that_stops_says_goodbye(site, browser, hub):
    page = Page(browser, site.app)
    await page.next()
    hub.drain()

    assert await page.next(1) == ("bye", {"retry_ms": 8000})
    assert await page.next(1) == "end"
    await page.leave()


async def test_after_a_lost_connection_all_heads_are_said_again(site, browser, home, database, hub):
    page = Page(browser, site.app)
    await page.next()
    await database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' "
        "AND datname = current_database()"
    )

    assert await page.next() == ("heads", {"h": nothing_yet(*home.residents)})
    await until(lambda: listeners(database, 1))
    await pokes.announce(database.app, home.org, {home.space: 5})
    assert await page.next() == ("heads", {"h": {str(home.space): 5}})
    await page.leave()


async def test_a_payload_that_is_not_ours_is_passed_over(site, browser, home, database, hub):
    page = Page(browser, site.app)
    await page.next()
    await database.app.notify(pokes.CHANNEL, ["x", "{}", '{"o": 1}', "[]"])
    await pokes.announce(database.app, home.org, {home.space: 5})

    assert await page.next() == ("heads", {"h": {str(home.space): 5}})
    await page.leave()


async def test_a_thousand_spaces_go_in_parts_that_postgresql_takes(database):
    heard: list[str] = []
    async with database.app.listen(pokes.CHANNEL) as payloads:
        await pokes.announce(
            database.app, uuid4(), {UUID(int=number): 2**52 for number in range(1000)}
        )
        async for payload in payloads:
            heard.append(payload)
            if len(heard) == 10:
                break

    assert max(map(len, heard)) < 8000
    assert sum(len(json.loads(payload)["s"]) for payload in heard) == 1000


async def test_a_change_that_concerns_a_thousand_people_goes_in_parts_too(database, hub):
    heard: list[str] = []
    accounts = {UUID(int=number) for number in range(1000)}
    async with database.app.listen(pokes.CHANNEL) as payloads:
        hub.access_changed(uuid4(), accounts)
        async with asyncio.timeout(5):
            async for payload in payloads:
                heard.append(payload)
                if sum(len(json.loads(each)["acl"]) for each in heard) == len(accounts):
                    break

    assert max(map(len, heard)) < 8000


async def test_what_a_stream_keeps_is_bounded(home):
    stream = pokes.Stream(home.org, home.caregiver, home.caregiver, uuid4())
    for number in range(1000):
        stream.head(home.space, number)
        stream.ring(pokes.Ring(home.space, str(number)))
    told = await stream.take(QUICK)

    assert told.heads == {home.space: 999}
    assert len(told.rings) == 32

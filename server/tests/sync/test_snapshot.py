"""A whole space in one answer: what a device begins with, and goes on with where the line broke."""

import asyncio
import gzip
import json
import resource
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import httpx
import pytest
from browsers import Site
from builders import a_home
from devices import fingerprint
from tablets import a_tablet, app_of

from mos.web import sync_snapshot


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@pytest.fixture
async def site(database, clock):
    async with AsyncExitStack() as stack:
        yield Site(app_of(database, clock), clock, database, stack)


@pytest.fixture
async def tablet(site, home):
    return await a_tablet(site, home)


def read(answer):
    """Return an answer's first line and its rows; it must have come to its end."""
    first, *rows, last = [json.loads(line) for line in answer.text.splitlines()]
    assert last == {"end": True}
    return first, rows


async def test_a_snapshot_is_the_space_as_a_pull_gives_it(tablet, home):
    ops = [tablet.op(str(number)) for number in range(1200)]
    gone = tablet.device.set(ops[0]["rec"], {"deleted": True}, ms=tablet.now_ms)
    for start in range(0, 1200, 400):
        await tablet.push(*ops[start : start + 400])
    await tablet.push(gone)
    answer = await tablet.snapshot(home.space)
    first, rows = read(answer)
    pulled = (await tablet.post("pull", tablet.frame(spaces={str(home.space): ""}, limit=5000,
                                                     check=True))).json()["spaces"][0]  # fmt: skip

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert rows == sorted(pulled["rows"], key=lambda row: UUID(row[1]).int)
    assert f"{first['epoch']}.{first['seq']}.{first['tag']}" == pulled["cur"]
    assert {name: first[name] for name in ("n", "sum", "sq")} == pulled["check"]
    assert (first["space"], first["schema"]) == (str(home.space), 1)
    mine = {rec: (coll, seq, doc, clk) for coll, rec, seq, doc, clk in rows}
    assert fingerprint(mine) == pulled["check"]


async def test_an_empty_space_has_a_snapshot_too(tablet, home):
    first, rows = read(await tablet.snapshot(home.space))

    assert (first["epoch"], first["seq"], first["tag"], rows) == (1, 0, "00000000", [])


async def test_a_broken_snapshot_goes_on_where_it_broke(tablet, home):
    await tablet.push(*[tablet.op(str(number)) for number in range(40)])
    first, rows = read(await tablet.snapshot(home.space))
    # Meanwhile one that has arrived changes, one that has not, and a new one comes.
    changed = [tablet.device.set(rows[at][1], {"title": "new"}, ms=tablet.now_ms) for at in (3, 30)]
    await tablet.push(*changed, tablet.op("later"))
    query = f"?epoch={first['epoch']}&at={first['seq']}&after={rows[9][1]}"
    again, rest = read(await tablet.snapshot(home.space, query))
    cursor = f"{again['epoch']}.{again['seq']}.{again['tag']}"
    pulled = (await tablet.pull(**{str(home.space): cursor})).json()

    assert (again["seq"], again["tag"]) == (first["seq"], first["tag"])
    assert [row[1] for row in rest] == [row[1] for row in rows[10:] if row[1] != changed[1]["rec"]]
    mine = {row[1]: tuple(row[0:1] + row[2:]) for row in rows[:10] + rest}
    mine |= {row[1]: tuple(row[0:1] + row[2:]) for row in pulled["spaces"][0]["rows"]}
    assert pulled["reset"] == []
    assert fingerprint(mine) == pulled["spaces"][0]["check"]


async def test_a_place_that_is_no_longer_there_begins_anew(tablet, home, database):
    await tablet.push(tablet.op(), tablet.op())
    after = uuid4()
    await database.sql("UPDATE space SET floor_seq = 2, epoch = 3")
    for query in (f"?epoch=1&at=2&after={after}", f"?epoch=3&at=1&after={after}",
                  f"?epoch=3&at=9&after={after}"):  # fmt: skip
        answer = await tablet.snapshot(home.space, query)
        assert (answer.status_code, answer.json()["code"]) == (409, "reset"), query
    for query in ("?at=1", "?epoch=x&at=2&after=1", f"?epoch=3&at=-1&after={after}", "?a=b"):
        answer = await tablet.snapshot(home.space, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), query


async def test_what_has_not_changed_is_not_sent_again(tablet, home):
    await tablet.push(tablet.op())
    answer = await tablet.snapshot(home.space)
    etag = answer.headers["etag"]
    same = await tablet.snapshot(home.space, **{"if-none-match": etag})
    await tablet.push(tablet.op())
    other = await tablet.snapshot(home.space, **{"if-none-match": etag})

    assert etag == '"1.1"'
    assert (same.status_code, same.content) == (304, b"")
    assert (other.status_code, other.headers["etag"]) == (200, '"1.2"')


async def test_a_snapshot_is_compressed_for_who_takes_it(tablet, home):
    await tablet.push(*[tablet.op("a title of some length") for _ in range(400)])
    plain = await tablet.snapshot(home.space, **{"accept-encoding": "identity"})
    packed = await tablet.snapshot(home.space, **{"accept-encoding": "gzip"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert len(gzip.compress(plain.content)) * 3 < len(plain.content)


async def test_whose_space_it_is_not_learns_nothing_of_it(tablet, site, home, database):
    others = await a_home(database, name="Andra", email_domain="other.test")
    stranger = await site.as_account(others.org, others.caregiver)
    for space in (home.space, uuid4()):
        answer = await stranger.http.get(f"/sync/v1/snapshot/{space}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await tablet.snapshot("x")).status_code == 404
    await database.sql("UPDATE space SET state = 2 WHERE space_id = $1", home.space)
    assert (await tablet.snapshot(home.space)).status_code == 404
    tablet.browser.http.cookies.clear()
    assert (await tablet.snapshot(home.space)).status_code == 401


@pytest.mark.parametrize("ends", ["relation SET valid_to", "session SET revoked_at"])
async def test_a_reader_whose_right_or_session_ends_gets_no_further(
    tablet, home, database, monkeypatch, ends
):
    await tablet.push(*[tablet.op(str(number)) for number in range(20)])
    monkeypatch.setattr("mos.sync.snapshot._PAGE_ROWS", 10)
    pages = sync_snapshot.snapshot.page

    async def then_ended(*args):
        rows = await pages(*args)
        await database.sql(f"UPDATE {ends} = $1", tablet.clock())
        return rows

    monkeypatch.setattr(sync_snapshot.snapshot, "page", then_ended)
    answer = await tablet.snapshot(home.space)

    assert len(answer.text.splitlines()) == 11
    assert '"end"' not in answer.text


class Reader:
    """Somebody who begins to read a snapshot, and takes no more of it until they are let go."""

    def __init__(self, app, tablet, space):
        self.status, self._begun, self.let_go = None, asyncio.Event(), asyncio.Event()
        scope = {
            "type": "http", "method": "GET", "path": f"/sync/v1/snapshot/{space}",
            "query_string": b"", "client": ("127.0.0.1", 1), "headers":
            [(b"cookie", f"mos={tablet.browser.http.cookies['mos']}".encode())],
        }  # fmt: skip
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def begun(self):
        await asyncio.wait_for(self._begun.wait(), 10)
        return self.status

    async def _receive(self):
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.retry_after = dict(message["headers"]).get(b"retry-after")
        self._begun.set()
        await self.let_go.wait()


async def test_whoever_reads_keeps_nobody_from_writing(tablet, home, site, monkeypatch):
    monkeypatch.setattr("mos.web.sync._MAX_READING", 6)
    app = app_of(site.database, tablet.clock)
    other = await a_tablet(site, home, home.resident.account)
    readers = [Reader(app, tablet, home.space) for _ in range(9)]
    mine = sorted([await reader.begun() for reader in readers])
    more = [Reader(app, other, home.space) for _ in range(3)]
    theirs = sorted([await reader.begun() for reader in more])
    readers += more
    browser = tablet.browser.http
    body = json.dumps(tablet.frame(batch="x", ops=[tablet.op()])).encode()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", cookies=browser.cookies
    ) as http:
        pushed = await http.post("/sync/v1/push", content=body, headers={"x-mos": "1"})
    for reader in readers:
        reader.let_go.set()
    await asyncio.gather(*(reader.task for reader in readers))

    assert (mine, theirs) == ([200] * 4 + [429] * 5, [200] * 2 + [429])
    assert {reader.retry_after for reader in readers if reader.status == 429} == {b"5"}
    assert pushed.status_code == 200


async def test_a_large_space_takes_little_memory(tablet, home, database):
    """Fifty megabytes of records leave the process within twenty of where it was."""
    await tablet.push(tablet.op())
    await database.sql(
        "INSERT INTO rec SELECT $1, $2, gen_random_uuid(), 'reminder', n, "
        "jsonb_build_object('note', repeat('x', 5000)), '{}' FROM generate_series(2, 10001) n",
        home.org, home.space,
    )  # fmt: skip
    await database.sql("UPDATE space SET head_seq = 10001 WHERE space_id = $1", home.space)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = 0

    async def send(message):
        nonlocal seen
        seen += len(message.get("body", b""))

    scope = {
        "type": "http", "method": "GET", "path": f"/sync/v1/snapshot/{home.space}",
        "query_string": b"", "client": ("127.0.0.1", 1),
        "headers": [(b"cookie", f"mos={tablet.browser.http.cookies['mos']}".encode())],
    }  # fmt: skip

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    await app_of(database, tablet.clock)(scope, receive, send)

    assert seen > 50_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000

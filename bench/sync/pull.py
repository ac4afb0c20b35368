"""B3 and B4: fetching all of a space, and asking fifty spaces what is new."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from bench import peers, processes
from bench.home import Device, Home
from bench.http import BenchError, Client, basic
from bench.peers import Peer
from bench.report import Goal, Result, number, percentiles, result, share
from bench.sync import work
from bench.sync.bench import Bench
from bench.sync.fill import fill
from bench.sync.push import pull_body

_SPACES = 50
# Browsers open six connections to a server of this kind; a peer's fifty requests go through these.
_CONNECTIONS = 6


# ────────────────────────────────────────────────── B3


def cold(bench: Bench) -> list[Result]:
    """B3: a device that has nothing fetches a space of ten thousand records."""
    records = 1000 if bench.quick else 10_000
    runs = bench.runs + 2
    [device] = asyncio.run(bench.home.unit(1))
    space = device.spaces[0]
    asyncio.run(fill(bench.home, [space], records))
    pulls = [asyncio.run(_mos_pages(bench.home, device, space, records)) for _ in range(runs)]
    streams = [asyncio.run(_mos_stream(bench.home, device, space, records)) for _ in range(runs)]
    peak = processes.resident_kb(bench.home.pids(), peak=True) / 1024
    asyncio.run(_fill_kinto(bench.kinto, records))
    asyncio.run(_fill_pouch(bench.pouch, records))
    kinto = [asyncio.run(_kinto_pages(bench.kinto, records)) for _ in range(runs)]
    pouch = [asyncio.run(_pouch_changes(bench.pouch, records)) for _ in range(runs)]
    name = f"B3 cold pull of {number(records)} records"
    size = Goal(most=0.5)
    return [
        result(
            f"{name}, stream", [s for s, _ in streams], "s", goal=Goal(most=1.2),
            note=f"{_mb(streams)} MB compressed. As the app does it.",
        ),
        result(
            f"{name}, pages of 2,000", [s for s, _ in pulls], "s",
            versus=(peers.KINTO, [s for s, _ in kinto]), goal=Goal(most=1.2),
            note=f"Kinto sends pages of 1,000, {_mb(kinto)} MB, uncompressed: it costs it no "
            "compressing, and the client unpacks nothing in either measurement.",
        ),
        result(
            f"{name}, bytes", [b / 1e6 for _, b in pulls], "MB",
            versus=(peers.KINTO, [b / 1e6 for _, b in kinto]), goal=size,
            note="Random ids and clocks do not compress; the same text in each record does, better "
            "than in life.",
        ),
        result(
            f"{name}, beside express-pouchdb", [s for s, _ in pulls], "s",
            versus=(peers.POUCH, [s for s, _ in pouch]),
            note=f"{_mb(pouch)} MB, uncompressed; asks nobody who they are.",
        ),
        result(
            "B3 most memory that the web processes ever used", [peak], "MB",
            note=f"all {len(bench.home.pids())} of them, since their start",
        ),
    ]  # fmt: skip


def _mb(pulls: Sequence[tuple[float, int]]) -> str:
    return number(pulls[0][1] / 1e6)


async def _mos_pages(home: Home, device: Device, space: UUID, records: int) -> tuple[float, int]:
    """Return the seconds and the bytes of a whole pull."""
    async with home.client(device) as client:
        started, size, rows, cursor, more = time.perf_counter(), 0, 0, "", True
        elapsed = 0.0
        while more:
            answer = await client.request("POST", "/sync/v1/pull", pull_body({str(space): cursor}))
            elapsed = time.perf_counter() - started
            size += len(answer.body)
            [page] = msgspec.json.decode(answer.text())["spaces"]
            cursor, more = page["cur"], page["more"]
            rows += len(page["rows"])
    _require(rows == records, f"MOS brought {rows} of {records} records")
    return elapsed, size


async def _mos_stream(home: Home, device: Device, space: UUID, records: int) -> tuple[float, int]:
    async with home.client(device) as client:
        started = time.perf_counter()
        answer = await client.request("GET", f"/sync/v1/snapshot/{space}")
        elapsed = time.perf_counter() - started
    lines = answer.text().count(b"\n")
    _require(lines >= records, f"MOS streamed {lines} lines for {records} records")
    return elapsed, len(answer.body)


async def _fill_kinto(peer: Peer, records: int) -> None:
    await work.kinto_collections(peer, "cold", 1)
    # One after the other: of two who write to one collection Kinto refuses some.
    async with Client(peer.ports[0], basic("bench")) as client:
        for _ in range(records // 100):
            request = work.kinto_batch("cold0", 100)
            await client.request(request.method, request.path, request.body)


async def _kinto_pages(peer: Peer, records: int) -> tuple[float, int]:
    async with Client(peer.ports[0], basic("bench")) as client:
        started, size, found = time.perf_counter(), 0, 0
        path: str | None = "/v1/buckets/bench/collections/cold0/records?_since=0&_limit=1000"
        while path is not None:
            answer = await client.request("GET", path)
            size += len(answer.body)
            found += answer.body.count(b'"last_modified"')
            path = work.following_path(answer)
        elapsed = time.perf_counter() - started
    _require(found == records, f"Kinto brought {found} of {records} records")
    return elapsed, size


async def _fill_pouch(peer: Peer, records: int) -> None:
    async with Client(peer.ports[0]) as client:
        await client.request("PUT", "/cold")
        for _ in range(records // 1000):
            request = work.pouch_batch("cold", 1000)
            await client.request(request.method, request.path, request.body)


async def _pouch_changes(peer: Peer, records: int) -> tuple[float, int]:
    async with Client(peer.ports[0]) as client:
        started = time.perf_counter()
        answer = await client.request("GET", "/cold/_changes?include_docs=true")
        elapsed = time.perf_counter() - started
    found = answer.text().count(b'"doc":')
    _require(found == records, f"express-pouchdb brought {found} of {records} documents")
    return elapsed, len(answer.body)


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001
    if not holds:
        raise BenchError(otherwise)


# ────────────────────────────────────────────────── B4


def what_is_new(bench: Bench) -> list[Result]:
    """B4: fifty spaces, of which none or three have changed."""
    rounds = 30 if bench.quick else 300
    devices = asyncio.run(bench.home.unit(1, residents=_SPACES))
    spaces = list(devices[0].spaces)
    asyncio.run(fill(bench.home, spaces, 20 if bench.quick else 200))
    mos = asyncio.run(_mos_fifty(bench.home, devices[0], spaces, rounds))
    few = max(2, rounds // 30)
    kinto = asyncio.run(_kinto_fifty(bench.kinto, few))
    pouch = asyncio.run(_pouch_fifty(bench.pouch, few))
    results = []
    for case, most in (("none", 8), ("three", 15)):
        took, bare, size = mos[case]
        name = f"B4 {_SPACES} spaces, {case} changed"
        results += [
            result(
                f"{name}: p95", _thirds(took, 0.95), "ms", goal=Goal(most=most),
                note=f"{percentiles(took)}; one request, {number(size)} bytes back",
            ),
            result(
                f"{name}, beside the bare query", _thirds(took, 0.5), "ms",
                versus=("the same statement alone", _thirds(bare, 0.5)),
                goal=Goal(most=2, is_ratio=True),
                note="The bare query asks nobody who they are and what they may see, is planned "
                "already, and its rows are read by nobody.",
            ),
        ]  # fmt: skip
        for peer_name, found, unfair in (
            (peers.KINTO, kinto, "50 conditional requests over 6 connections"),
            (peers.POUCH, pouch, "50 requests over 6 connections, without accounts"),
        ):
            peer_took, peer_size = found[case]
            results.append(
                result(
                    f"{name}, beside {peer_name.split()[0]}", _thirds(took, 0.5), "ms",
                    versus=(peer_name, _thirds(peer_took, 0.5)),
                    note=f"{peer_name}: {unfair}, {number(peer_size)} bytes of bodies back",
                )
            )  # fmt: skip
    return results


def _thirds(took: Sequence[float], part: float) -> list[float]:
    """Return the same percentile of three thirds, ms: so that a spread can be seen."""
    third = max(1, len(took) // 3)
    return [share(took[start : start + third], part) * 1000 for start in range(0, 3 * third, third)]


Found = dict[str, tuple[list[float], list[float], float]]
PeerFound = dict[str, tuple[list[float], float]]


async def _mos_fifty(home: Home, device: Device, spaces: list[UUID], rounds: int) -> Found:
    bare_connection = await asyncpg.connect(home.app_dsn())
    outboxes = [work.Outbox(space) for space in spaces[:3]]
    found: Found = {}
    async with home.client(device) as client:
        cursors = dict.fromkeys(map(str, spaces), "")
        await _catch_up(client, cursors)
        for case in ("none", "three"):
            took, bare, size = [], [], 0
            for _ in range(rounds):
                if case == "three":
                    for outbox in outboxes:
                        await client.request("POST", "/sync/v1/push", outbox.push(1))
                bare.append(await _bare(bare_connection, home.org, cursors))
                body = pull_body(cursors)
                started = time.perf_counter()
                answer = await client.request("POST", "/sync/v1/pull", body)
                took.append(time.perf_counter() - started)
                size = len(answer.body)
                changed = _advance(cursors, answer.text())
                _require(len(changed) == (0 if case == "none" else 3), f"changed: {changed}")
            found[case] = took[3:], bare[3:], size
    await bare_connection.close()
    return found


async def _catch_up(client: Client, cursors: dict[str, str]) -> None:
    """Pull until nothing more comes."""
    while True:
        answer = await client.request("POST", "/sync/v1/pull", pull_body(cursors))
        if not _advance(cursors, answer.text()):
            return


def _advance(cursors: dict[str, str], text: bytes) -> list[str]:
    spaces: list[dict[str, Any]] = msgspec.json.decode(text)["spaces"]
    for space in spaces:
        cursors[space["id"]] = space["cur"]
    return [space["id"] for space in spaces]


async def _bare(connection: asyncpg.Connection, org: UUID, cursors: dict[str, str]) -> float:
    """Return how long the statement of a pull alone takes, s."""
    ids = [UUID(space) for space in cursors]
    parts = [[*text.split("."), "", "", ""][:4] for text in cursors.values()]
    scope = "{" + ",".join(cursors) + "}"
    async with connection.transaction():
        await connection.execute(
            f"SELECT set_config('mos.org', '{org}', true), "
            f"set_config('mos.spaces', '{scope}', true)"
        )
        started = time.perf_counter()
        await connection.fetch(
            "SELECT * FROM sync_pull($1, $2, $3, $4, $5, $6, $7, 2000, 1000000)",
            org, ids, list(cursors.values()), [int(part[0] or 0) for part in parts],
            [int(part[1] or 0) for part in parts], [part[2] for part in parts],
            [int(part[3] or 0) for part in parts],
        )  # fmt: skip
        return time.perf_counter() - started


async def _kinto_fifty(peer: Peer, rounds: int) -> PeerFound:
    await work.kinto_collections(peer, "fifty", _SPACES)
    paths = [f"/v1/buckets/bench/collections/fifty{n}/records" for n in range(_SPACES)]
    clients = [Client(peer.port(n), basic("bench")) for n in range(_CONNECTIONS)]
    tags = dict.fromkeys(paths, "")
    found: PeerFound = {}

    async def look(client: Client, path: str) -> int:
        tag = tags[path]
        since = f"?_since={tag}" if tag else ""
        headers = (b'if-none-match: "%s"' % tag.encode(),) if tag else ()
        answer = await client.request("GET", path + since, b"", *headers)
        tags[path] = answer.headers.get(b"etag", tag.encode()).decode().strip('"')
        return len(answer.body)

    for number_, path in enumerate(paths):
        request = work.kinto_batch(f"fifty{number_}", 20)
        await clients[0].request(request.method, request.path, request.body)
        await look(clients[0], path)
    for case in ("none", "three"):
        took, size = [], 0
        for _ in range(rounds):
            if case == "three":
                for each in range(3):
                    request = work.kinto_batch(f"fifty{each}", 1)
                    await clients[0].request(request.method, request.path, request.body)
            started = time.perf_counter()
            size = await _dealt_out(clients, paths, look)
            took.append(time.perf_counter() - started)
        found[case] = took, size
    return found


async def _pouch_fifty(peer: Peer, rounds: int) -> PeerFound:
    clients = [Client(peer.ports[0]) for _ in range(_CONNECTIONS)]
    names = [f"/fifty{n}" for n in range(_SPACES)]
    since = dict.fromkeys(names, 0)
    found: PeerFound = {}

    async def look(client: Client, name: str) -> int:
        path = f"{name}/_changes?include_docs=true&since={since[name]}"
        answer = await client.request("GET", path)
        since[name] = msgspec.json.decode(answer.text())["last_seq"]
        return len(answer.body)

    for name in names:
        await clients[0].request("PUT", name)
        request = work.pouch_batch(name[1:], 20)
        await clients[0].request(request.method, request.path, request.body)
        await look(clients[0], name)
    for case in ("none", "three"):
        took, size = [], 0
        for _ in range(rounds):
            if case == "three":
                for name in names[:3]:
                    request = work.pouch_batch(name[1:], 1)
                    await clients[0].request(request.method, request.path, request.body)
            started = time.perf_counter()
            size = await _dealt_out(clients, names, look)
            took.append(time.perf_counter() - started)
        found[case] = took, size
    return found


async def _dealt_out(clients: list[Client], paths: list[str], look: Any) -> int:
    """Look at every path, each connection at the next that is left; return the bytes."""
    left = list(paths)

    async def work_off(client: Client) -> int:
        size = 0
        while left:
            size += await look(client, left.pop())
        return size

    return sum(await asyncio.gather(*map(work_off, clients)))


async def nothing_new(home: Home, device: Device, rounds: int) -> list[float]:
    """Return how long a pull of all the device's spaces takes when nothing has changed, s."""
    took = []
    async with home.client(device) as client:
        cursors = dict.fromkeys(map(str, device.spaces), "")
        await _catch_up(client, cursors)
        body = pull_body(cursors)
        for _ in range(rounds):
            started = time.perf_counter()
            await client.request("POST", "/sync/v1/pull", body)
            took.append(time.perf_counter() - started)
    return took

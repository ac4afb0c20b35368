"""B1, B2 and B6: devices push; to spaces of their own, to one space, and the same once more."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec

from bench import peers, processes
from bench.home import Device, Home, database_cpu
from bench.http import Answer, BenchError, Client, basic
from bench.peers import Peer
from bench.report import Goal, Result, number, percentiles, result, share
from bench.sync import limit, work
from bench.sync.bench import Bench
from bench.sync.work import Load, Sender, following_path

_KINTO_UNFAIR = (
    "Kinto checks permissions record by record and keeps no log of changes; it is built for few "
    "writers. As many processes as MOS, same PostgreSQL, same fsync."
)
_TRIES = 20
_POUCH_UNFAIR = (
    "express-pouchdb has no accounts and its LevelDB does not wait for the disk; says nothing of "
    "CouchDB itself, which is another program."
)


def spread_out(bench: Bench) -> list[Result]:
    """B1: devices push to spaces of their own."""
    results: list[Result] = []
    for clients, size in ((64, 100),) if bench.quick else ((1, 20), (10, 100), (100, 100)):
        results += _mos(bench, clients, size, planned=False)
    results += _beside_the_limit(bench, 64, 100)
    results += _beside_peers(bench, 10, 20)
    results += _mos(bench, 10, 20, planned=True)
    return results


def _mos(bench: Bench, clients: int, size: int, *, planned: bool) -> list[Result]:
    loads, cost = _measure_mos(bench, clients, size, planned=planned)
    what = "reminders that ring" if planned else "records"
    note = f"{_times(loads)}; {cost}"
    if planned:
        note += ". The plan of each is made in the push's own transaction."
    rates = [load.rate for load in loads]
    return [result(f"B1 push {clients} devices, {size} {what} a batch", rates, "ops/s", note=note)]


def _measure_mos(
    bench: Bench, clients: int, size: int, *, planned: bool = False
) -> tuple[list[Load], str]:
    """Return the runs, and what an op cost."""
    devices = asyncio.run(bench.home.devices(clients))
    loads, spent = [], (0.0, 0.0)
    for warm in (True, *[False] * bench.runs):
        seconds = min(bench.seconds, 0.5) if warm else bench.seconds
        senders = asyncio.run(work.mos_senders(bench.home, devices, size, seconds, planned=planned))
        before = bench.home.cpu()
        load = asyncio.run(work.drive(senders, seconds))
        after = bench.home.cpu()
        if not warm:
            loads.append(load)
            spent = spent[0] + after[0] - before[0], spent[1] + after[1] - before[1]
    return loads, _cost(spent, loads)


def _cost(spent: tuple[float, float], loads: list[Load]) -> str:
    ops = sum(load.ops for load in loads)
    web, database = (number(seconds / ops * 1e6) for seconds in spent)
    return f"processor time an op: web {web} µs, PostgreSQL {database} µs"


def _times(loads: list[Load]) -> str:
    return percentiles([second for load in loads for second in load.took])


def _beside_the_limit(bench: Bench, clients: int, size: int) -> list[Result]:
    """Return the share of PostgreSQL's own limit, measured in turn with it."""
    devices = asyncio.run(bench.home.devices(clients))
    spaces = [device.spaces[index % len(device.spaces)] for index, device in enumerate(devices)]
    asyncio.run(limit.prepare(bench.home, spaces))
    loads, bare = [], []
    for _ in range(bench.runs):
        bare.append(limit.rate(bench.home, spaces=len(spaces), size=size, seconds=bench.seconds))
        senders = asyncio.run(work.mos_senders(bench.home, devices, size, bench.seconds))
        loads.append(asyncio.run(work.drive(senders, bench.seconds)))
    return [
        result(
            f"B1 push {clients} devices, {size} a batch, beside PostgreSQL's limit",
            [load.rate for load in loads],
            "ops/s",
            versus=(limit.NAME, bare),
            goal=Goal(least=0.5, is_ratio=True),
            note=f"{_times(loads)}. pgbench has eight connections, makes its records in the "
            "statement, asks nobody who they are, and need not share two cores with HTTP clients.",
        )
    ]


def _beside_peers(bench: Bench, clients: int, size: int) -> list[Result]:
    loads, cost = _measure_mos(bench, clients, size)
    rates = [load.rate for load in loads]
    took = [second for load in loads for second in load.took]
    name = f"B1 push {clients} devices, {size} records a batch"
    found = [
        result(name, rates, "ops/s", goal=Goal(least=1500), note=f"{_times(loads)}; {cost}"),
        result(
            f"{name}: p95 of a batch",
            [share(load.took, 0.95) * 1000 for load in loads],
            "ms",
            goal=Goal(most=80),
            note=percentiles(took),
        ),
    ]
    kinto, kinto_cost = _measure_peer(bench, bench.kinto, work.kinto_senders, clients, size)
    pouch, pouch_cost = _measure_peer(bench, bench.pouch, work.pouch_senders, clients, size)
    return [
        *found,
        result(
            f"{name}, beside Kinto", rates, "ops/s",
            versus=(peers.KINTO, [load.rate for load in kinto]),
            goal=Goal(least=20, is_ratio=True),
            note=f"Kinto: {_times(kinto)}; {kinto_cost}. {_KINTO_UNFAIR}",
        ),
        result(
            f"{name}, beside express-pouchdb", rates, "ops/s",
            versus=(peers.POUCH, [load.rate for load in pouch]),
            note=f"express-pouchdb: {_times(pouch)}; {pouch_cost}. {_POUCH_UNFAIR}",
        ),
    ]  # fmt: skip


def _measure_peer(
    bench: Bench, peer: Peer, prepare: work.Prepare, clients: int, size: int
) -> tuple[list[Load], str]:
    loads, spent = [], (0.0, 0.0)
    for run in range(bench.runs):
        senders = asyncio.run(prepare(peer, f"push{run}x", clients, size, bench.seconds))
        before = processes.cpu_seconds(peer.pids()), database_cpu(bench.cluster)
        loads.append(asyncio.run(work.drive(senders, bench.seconds)))
        after = processes.cpu_seconds(peer.pids()), database_cpu(bench.cluster)
        spent = spent[0] + after[0] - before[0], spent[1] + after[1] - before[1]
    return loads, _cost(spent, loads)


# ────────────────────────────────────────────────── B2: one space


def into_one_space(bench: Bench) -> list[Result]:
    """B2: ten devices push to one space, while somebody reads along."""
    clients, size = 10, 20
    loads, missed = [], []
    for _ in range(bench.runs):
        load, lost = asyncio.run(_mos_in_one(bench.home, clients, size, bench.seconds))
        loads.append(load)
        missed.append(lost)
    kinto, kinto_missed, refused = [], [], 0
    for run in range(bench.runs):
        load, lost, no = asyncio.run(_kinto_in_one(bench.kinto, run, clients, size, bench.seconds))
        kinto.append(load)
        kinto_missed.append(lost)
        refused += no
    return [
        result(
            f"B2 push {clients} devices, {size} a batch, one space",
            [load.rate for load in loads],
            "ops/s",
            versus=(peers.KINTO, [load.rate for load in kinto]),
            goal=Goal(least=500),
            note=f"{_times(loads)}. Kinto: {_times(kinto)}, {refused} records refused. "
            "MOS orders the writes of a space one after the other; Kinto does not, see below.",
        ),
        result(
            "B2 records that a reader along the way never got",
            missed,
            "records",
            versus=(f"{peers.KINTO} (median)", kinto_missed),
            goal=Goal(most=0),
            note=f"Kinto in each run: {', '.join(map(number, kinto_missed))}, of those it had "
            "said yes to. The reader asks for what came after the last answer, as devices do.",
        ),
    ]


async def _mos_in_one(home: Home, clients: int, size: int, seconds: float) -> tuple[Load, float]:
    devices = await home.unit(clients + 1)
    space, reader = devices[0].spaces[0], devices[-1]
    count = work.enough(clients, size, seconds)
    senders = [work.mos_sender(home, each, space, size, count) for each in devices[:-1]]
    load, got = await _read_along(senders, seconds, _MosReader(home.client(reader), space).read)
    return load, load.ops - len(got)


async def _kinto_in_one(
    peer: Peer, run: int, clients: int, size: int, seconds: float
) -> tuple[Load, float, int]:
    name = f"one{run}x"
    await work.kinto_collections(peer, name, 1)
    said_yes = 0
    refused = 0

    def count(answer: Answer) -> bool:
        nonlocal said_yes, refused
        no = work.kinto_refused(answer)
        said_yes, refused = said_yes + size - no, refused + no
        return True

    senders = [
        Sender(
            Client(peer.port(each), basic("bench")),
            [work.kinto_batch(f"{name}0", size)._replace(is_taken=count) for _ in range(50)],
            size,
        )
        for each in range(clients)
    ]
    reader = _KintoReader(Client(peer.ports[0], basic("bench")), f"{name}0")
    load, got = await _read_along(senders, seconds, reader.read)
    return load, max(0, said_yes - len(got)), refused


async def _read_along(
    senders: list[Sender], seconds: float, read: Callable[[], Awaitable[set[str]]]
) -> tuple[Load, set[str]]:
    """Return the load, and the records that `read` got while it went on and right after."""
    writing = asyncio.create_task(work.drive(senders, seconds))
    got: set[str] = set()
    while not writing.done():
        got |= await read()
        await asyncio.sleep(0.01)
    load = await writing
    while fresh := await read():
        got |= fresh
    return load, got


class _MosReader:
    """Asks MOS for what came after the last answer."""

    def __init__(self, client: Client, space: UUID) -> None:
        self._client, self._space, self._cursor = client, str(space), ""

    async def read(self) -> set[str]:
        body = pull_body({self._space: self._cursor})
        answer = await self._client.request("POST", "/sync/v1/pull", body)
        got: set[str] = set()
        for space in msgspec.json.decode(answer.text())["spaces"]:
            self._cursor = space["cur"]
            got |= {row[1] for row in space["rows"]}
        return got


class _KintoReader:
    """Asks Kinto for what came after the last answer, page by page."""

    def __init__(self, client: Client, collection: str) -> None:
        self._client = client
        self._path = f"/v1/buckets/bench/collections/{collection}/records"
        self._since = "0"

    async def read(self) -> set[str]:
        got: set[str] = set()
        path: str | None = f"{self._path}?_since={self._since}&_sort=last_modified"
        while path is not None:
            answer = await self._read(path)
            got |= {each["id"] for each in msgspec.json.decode(answer.text())["data"]}
            self._since = answer.headers[b"etag"].decode().strip('"')
            path = following_path(answer)
        return got

    async def _read(self, path: str) -> Answer:
        """Return an answer; while writers quarrel Kinto sends readers away, who come again."""
        for _ in range(_TRIES):
            answer = await self._client.request("GET", path)
            if answer.status == 200:
                return answer
            await asyncio.sleep(0.1)
        raise BenchError(f"Kinto: {answer.status} {answer.text()[:300]!r}")


def pull_body(cursors: dict[str, str]) -> bytes:
    """Return the body of a pull."""
    return msgspec.json.encode(
        {"proto": 1, "schema": 1, "device_id": UUID(int=1), "spaces": cursors, "limit": 2000,
         "check": True}
    )  # fmt: skip


# ────────────────────────────────────────────────── B6: the same once more


def once_more(bench: Bench) -> list[Result]:
    """B6: every device sends its last batch again and again, as after a lost answer."""
    clients, size = (20, 20) if bench.quick else (100, 20)
    rates, took, doubled = [], [], []
    devices = asyncio.run(bench.home.devices(clients))
    for _ in range(bench.runs):
        load, extra = asyncio.run(_storm(bench.home, devices, size))
        rates.append(load.rate)
        took += load.took
        doubled.append(extra)
    kinto = asyncio.run(_kinto_storm(bench.kinto, min(clients, 20), size))
    return [
        result(
            f"B6 {clients} devices send their last batch again, ten times",
            rates,
            "ops/s",
            versus=(f"{peers.KINTO}, {min(clients, 20)} clients", [kinto.rate]),
            note=f"{percentiles(took)}. Kinto writes the record again under a new version, which "
            "everybody then fetches; MOS answers with the first verdict.",
        ),
        result(
            "B6 records or log entries made twice",
            doubled,
            "records",
            goal=Goal(most=0),
            note="Counted in the database.",
        ),
    ]


async def _storm(home: Home, devices: list[Device], size: int) -> tuple[Load, float]:
    first = await work.mos_senders(home, devices, size, 0)
    for sender in first:
        sender.requests = sender.requests[:1]
    await work.drive(first, 60)
    before = await _entries(home)
    for sender in first:
        sender.requests = [
            sender.requests[0]._replace(is_taken=lambda answer: b'"dup"' in answer.text())
        ] * 10
    load = await work.drive(first, 60)
    return load, await _entries(home) - before


async def _entries(home: Home) -> float:
    owner = await home.owner()
    count = await owner.fetchval("SELECT (SELECT count(*) FROM op) + (SELECT count(*) FROM rec)")
    await owner.close()
    return float(count)


async def _kinto_storm(peer: Peer, clients: int, size: int) -> Load:
    senders = await work.kinto_senders(peer, f"again{time.monotonic_ns()}x", clients, size, 0)
    for sender in senders:
        sender.requests = sender.requests[:1]
    await work.drive(senders, 60)
    for sender in senders:
        sender.requests = sender.requests * 2
    return await work.drive(senders, 10)

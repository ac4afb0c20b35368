"""B5: somebody writes, and everybody who shows the space hears of it."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bench import peers, processes
from bench.home import Device, Home, found, served
from bench.http import BenchError, Client
from bench.peers import Peer
from bench.report import Goal, Result, number, percentiles, result, share
from bench.sync import work
from bench.sync.bench import Bench

# A connection costs a descriptor here, and another in the process that serves it.
_SPARE = 200


def fan_out(bench: Bench) -> list[Result]:
    """B5: from a write to the poke, on 5, 50 and 1,000 open pages."""
    # Fresh processes: in those that have worked, freed memory hides what a page takes.
    with served(bench.cluster) as home:
        asyncio.run(found(bench.cluster, home.org))
        return _heard(bench, home)


def _heard(bench: Bench, home: Home) -> list[Result]:
    results: list[Result] = []
    for subscribers in (5, 50) if bench.quick else (5, 50, 1000):
        writes = 5 if bench.quick else 30
        fewer = min(subscribers, 50)
        took, kb = asyncio.run(_mos(home, subscribers, writes))
        pouch = asyncio.run(_pouch(bench.pouch, f"fan{subscribers}", fewer, writes))
        name = f"B5 a write heard on {subscribers} pages"
        results.append(
            result(
                f"{name}: p95", [share(took, 0.95) * 1000], "ms",
                versus=(f"{peers.POUCH}, {fewer} pages", [share(pouch, 0.95) * 1000]),
                goal=Goal(most=300),
                note=f"{percentiles(took)}, from sending the write to the poke; 100 ms of it are "
                "waited on purpose, so that many writes make one poke. A page then pulls (B4). "
                f"express-pouchdb: {percentiles(pouch)}, with the change in it, no accounts, not "
                "durable. Kinto has no such thing without a plug-in: devices poll.",
            )
        )  # fmt: skip
        if subscribers >= 50:
            results.append(
                result(
                    f"B5 memory of a page that listens ({subscribers})", [kb], "kB",
                    goal=Goal(most=40),
                    note="Growth of the web processes divided by the pages; the kernel's buffers "
                    "are not in it.",
                )
            )  # fmt: skip
    return results


async def _mos(home: Home, subscribers: int, writes: int) -> tuple[list[float], float]:
    """Return how long each page waited for each poke (s), and what a page costs (kB)."""
    _allow(subscribers)
    devices = await home.unit(subscribers + 1)
    before = processes.resident_kb(home.pids())
    heard: list[asyncio.Queue[float]] = [asyncio.Queue() for _ in devices[1:]]
    space = str(devices[0].spaces[0]).encode()
    took: list[float] = []
    async with _listening(home, devices[1:], heard, space):
        kb = (processes.resident_kb(home.pids()) - before) / subscribers
        outbox = work.Outbox(devices[0].spaces[0])
        async with home.client(devices[0]) as writer:
            for _ in range(writes):
                started = time.perf_counter()
                await writer.request("POST", "/sync/v1/push", outbox.push(1))
                moments = await asyncio.wait_for(
                    asyncio.gather(*(queue.get() for queue in heard)), 30
                )
                took += [moment - started for moment in moments]
                await asyncio.sleep(0.15)
    return took, kb


@asynccontextmanager
async def _listening(
    home: Home, devices: list[Device], heard: list[asyncio.Queue[float]], space: bytes
) -> AsyncIterator[None]:
    ready = [asyncio.Event() for _ in devices]
    pages = [
        asyncio.create_task(_page(home.client(device), queue, event, space))
        for device, queue, event in zip(devices, heard, ready, strict=True)
    ]
    try:
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready)), 60)
        await asyncio.sleep(0.5)
        yield
    finally:
        for page in pages:
            page.cancel()
        await asyncio.gather(*pages, return_exceptions=True)


async def _page(
    client: Client, heard: asyncio.Queue[float], ready: asyncio.Event, space: bytes
) -> None:
    async with client:
        async for part in client.stream("GET", "/sync/v1/poke"):
            if not ready.is_set():
                ready.set()  # all heads, said at the start
            elif space in part:
                heard.put_nowait(time.perf_counter())


async def _pouch(peer: Peer, name: str, subscribers: int, writes: int) -> list[float]:
    took: list[float] = []
    async with Client(peer.ports[0]) as writer:
        await writer.request("PUT", f"/{name}")
        heard: list[asyncio.Queue[float]] = [asyncio.Queue() for _ in range(subscribers)]
        pages = [
            asyncio.create_task(_pouch_page(Client(peer.ports[0]), name, each)) for each in heard
        ]
        await asyncio.sleep(1)
        for _ in range(writes):
            request = work.pouch_batch(name, 1)
            started = time.perf_counter()
            await writer.request(request.method, request.path, request.body)
            with suppress(TimeoutError):
                moments = await asyncio.wait_for(
                    asyncio.gather(*(queue.get() for queue in heard)), 10
                )
                took += [moment - started for moment in moments]
        for page in pages:
            page.cancel()
        await asyncio.gather(*pages, return_exceptions=True)
    if not took:
        raise BenchError(f"{peer.name} told nobody of a change")
    return took


async def _pouch_page(client: Client, name: str, heard: asyncio.Queue[float]) -> None:
    async with client:
        path = f"/{name}/_changes?feed=continuous&since=now&include_docs=true&heartbeat=20000"
        async for part in client.stream("GET", path):
            for _ in range(part.count(b'"seq"')):
                heard.put_nowait(time.perf_counter())


def _allow(connections: int) -> None:
    """Let this process hold so many connections. Raises BenchError where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE
    if soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise BenchError(f"{number(wanted)} open files are needed: raise `ulimit -n` from {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

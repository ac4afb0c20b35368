"""What devices send, to MOS and to each peer: the same record of about 200 bytes, and how hard."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import msgspec

from bench.home import Device, Home
from bench.http import Answer, BenchError, Client, basic
from bench.peers import Peer
from mos.kernel.ids import new_id

# Made beforehand, so that making them does not slow what is measured: enough for this rate.
_MOST_OPS_A_SECOND = 15_000
# Long enough that no two notes begin alike: text that repeats would be compressed away.
TEXT = (
    "Rör om i gröten, ställ fram lingon och mjölk, och sätt er ner tillsammans en stund. Fråga om "
    "natten, öppna fönstret mot gården och vattna pelargonerna om jorden är torr. Tidningen ligger "
    "i hallen; läs högt ur den om någon vill. Diska tillsammans efteråt, det brukar gå bra att "
    "torka glasen. Går det trögt, bryt av med en kort promenad till brevlådan och börja om. Till "
    "kaffet finns bullar i frysen, två räcker. Hunden behöver gå ut före elva, annars hörs det. "
)
_NOTE_LENGTH = 80
RULE = {
    "zone": "Europe/Stockholm", "start": "2026-01-05", "kind": "weekly", "days": ["mon"],
    "times": ["08:00"],
}  # fmt: skip
# Groups that make something ring: the plan follows in the push's own transaction.
_PLANNED = {"category": "meal", "minutes": 30, "checkable": True, "rule": RULE}


def content(number: int) -> dict[str, Any]:
    """Return what a record holds: no group of it makes anything ring."""
    start = number * 37 % (len(TEXT) - _NOTE_LENGTH)
    note = TEXT[start : start + _NOTE_LENGTH].strip()
    return {"title": f"Frukost {number}", "note": note, "symbol": "1f963", "label": "Köket"}


class Outbox:
    """One device's ops for one space, in the order in which it numbers them."""

    def __init__(self, space: UUID, device: UUID | None = None) -> None:
        """Begin with nothing, as a device of one's own or as `device`."""
        self._space = space
        self._device = device or uuid4()
        self._n = 0

    def push(self, size: int, *, planned: bool = False) -> bytes:
        """Return the body of a push with `size` new reminders; `planned`: with rules that ring."""
        now = datetime.now(UTC)
        ops = [self._op(now, planned=planned) for _ in range(size)]
        return msgspec.json.encode(
            {"proto": 1, "schema": 1, "device_id": self._device, "batch": new_id(now),
             "client_now": now, "ops": ops}
        )  # fmt: skip

    def _op(self, now: datetime, *, planned: bool) -> dict[str, Any]:
        self._n += 1
        counter = f"{int(now.timestamp() * 1000):012x}{self._n % 0x10000:04x}"
        return {
            "op": new_id(now),
            "n": self._n,
            "space": self._space,
            "hlc": counter + self._device.hex[16:],
            "k": "set",
            "coll": "reminder",
            "rec": new_id(now),
            "f": content(self._n) | (_PLANNED if planned else {}),
        }


class Request(NamedTuple):
    """Something to send, and whether what comes back says that all of it was taken."""

    method: str
    path: str
    body: bytes
    is_taken: Callable[[Answer], bool]


@dataclass
class Sender:
    """One client with what it has to send, `ops` in each request."""

    client: Client
    requests: list[Request]
    ops: int


class Load(NamedTuple):
    """What came of it: ops a second, how long each request took (s), and how many ops."""

    rate: float
    took: list[float]
    ops: int


async def drive(senders: Sequence[Sender], seconds: float) -> Load:
    """Let all send at once for so long, each its next request when the last was answered."""
    started = time.perf_counter()
    until = started + seconds
    runs = await asyncio.gather(*(_send(sender, until) for sender in senders))
    elapsed = time.perf_counter() - started
    ops = sum(len(run) * sender.ops for run, sender in zip(runs, senders, strict=True))
    return Load(ops / elapsed, [second for run in runs for second in run], ops)


async def _send(sender: Sender, until: float) -> list[float]:
    took = []
    async with sender.client as client:
        for request in sender.requests:
            started = time.perf_counter()
            if started >= until:
                break
            answer = await client.request(request.method, request.path, request.body)
            took.append(time.perf_counter() - started)
            if not request.is_taken(answer):
                raise BenchError(f"{request.path}: {answer.status} {answer.text()[:300]!r}")
    return took


def enough(clients: int, size: int, seconds: float) -> int:
    """Return how many requests a client needs in so many seconds."""
    return max(4, int(seconds * _MOST_OPS_A_SECOND / size / clients))


def mos_sender(
    home: Home, device: Device, space: UUID, size: int, count: int, *, planned: bool = False
) -> Sender:
    """Return a device of MOS that writes to `space`."""
    outbox = Outbox(space)

    def all_taken(answer: Answer) -> bool:
        return answer.status == 200 and answer.text().count(b'"applied"') == size

    requests = [
        Request("POST", "/sync/v1/push", outbox.push(size, planned=planned), all_taken)
        for _ in range(count)
    ]
    return Sender(home.client(device), requests, size)


async def mos_senders(
    home: Home, devices: Sequence[Device], size: int, seconds: float, *, planned: bool = False
) -> list[Sender]:
    """Return devices that each write to a space of their own."""
    count = enough(len(devices), size, seconds)
    return [
        mos_sender(home, device, device.spaces[number % len(device.spaces)], size, count,
                   planned=planned)
        for number, device in enumerate(devices)
    ]  # fmt: skip


Prepare = Callable[[Peer, str, int, int, float], Awaitable[list[Sender]]]


async def kinto_senders(
    peer: Peer, name: str, clients: int, size: int, seconds: float
) -> list[Sender]:
    """Return clients of Kinto that each write to a collection of their own."""
    await kinto_collections(peer, name, clients)
    count = min(50, enough(clients, size, seconds))
    return [
        Sender(
            Client(peer.port(number), basic("bench")),
            [kinto_batch(f"{name}{number}", size) for _ in range(count)],
            size,
        )
        for number in range(clients)
    ]


async def kinto_collections(peer: Peer, name: str, count: int) -> None:
    """Make the bucket and `count` collections."""
    async with Client(peer.ports[0], basic("bench")) as client:
        await client.request("PUT", "/v1/buckets/bench", b"{}")
        for number in range(count):
            await client.request("PUT", f"/v1/buckets/bench/collections/{name}{number}", b"{}")


def kinto_batch(collection: str, size: int) -> Request:
    """Return a batch of `size` new records."""
    requests = [
        {"path": f"/buckets/bench/collections/{collection}/records/{uuid4()}",
         "body": {"data": content(number)}}
        for number in range(size)
    ]  # fmt: skip
    body = msgspec.json.encode({"defaults": {"method": "PUT"}, "requests": requests})
    return Request("POST", "/v1/batch", body, lambda answer: kinto_refused(answer) == 0)


def kinto_refused(answer: Answer) -> int:
    """Return how many of a batch's records were not taken."""
    if answer.status != 200:
        raise BenchError(f"Kinto: {answer.status} {answer.text()[:300]!r}")
    responses = msgspec.json.decode(answer.text())["responses"]
    return sum(1 for response in responses if response["status"] not in (200, 201))


def following_path(answer: Answer) -> str | None:
    """Return where Kinto's next page is, or None after the last."""
    address = answer.headers.get(b"next-page")
    if address is None:
        return None
    parts = urlsplit(address.decode())
    return f"{parts.path}?{parts.query}"


async def pouch_senders(
    peer: Peer, name: str, clients: int, size: int, seconds: float
) -> list[Sender]:
    """Return clients of the CouchDB protocol that each write to a database of their own."""
    async with Client(peer.ports[0]) as client:
        for number in range(clients):
            await client.request("PUT", f"/{name}{number}")
    count = min(400, enough(clients, size, seconds))
    return [
        Sender(
            Client(peer.ports[0]),
            [pouch_batch(f"{name}{number}", size) for _ in range(count)],
            size,
        )
        for number in range(clients)
    ]


def pouch_batch(database: str, size: int) -> Request:
    """Return a batch of `size` new documents."""
    docs = [{"_id": str(uuid4()), **content(number)} for number in range(size)]

    def all_taken(answer: Answer) -> bool:
        return answer.status in (200, 201) and answer.text().count(b'"ok":true') == size

    body = msgspec.json.encode({"docs": docs})
    return Request("POST", f"/{database}/_bulk_docs", body, all_taken)

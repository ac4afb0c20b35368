"""Hints that something changed: to this process's streams at once, to others by NOTIFY.

A poke carries ids and numbers, never content, and may be lost: whoever misses one polls. It is
told after the commit, on another connection: a NOTIFY inside a transaction takes one lock for the
whole database at its commit. Payloads on `mos_poke`, JSON: `{"o": org, "s": {space: head}}`,
`{"o": org, "ring": {"device", "space", "occ"}}`, `{"o": org, "acl": [account, …]}`; `p` names the
process that sent it and has told its own streams already.
"""

import asyncio
import random
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from mos.db import Pool

CHANNEL = "mos_poke"
# PostgreSQL takes payloads shorter than 8,000 bytes; a space takes about 60 of them, an account 39.
_SPACES_A_PAYLOAD = 100
_ACCOUNTS_A_PAYLOAD = 150
_RINGS_KEPT = 32

_log = structlog.get_logger(__name__)


class Pace(Struct, frozen=True, kw_only=True):
    """How patient streams are; seconds."""

    gather: float = 0.1  # at most one `heads` per stream in this time
    speak: float = 0.05  # at most one NOTIFY in this time
    heartbeat: float = 20.0
    check: float = 60.0  # how often a stream asks whether its session still lives
    again: float = 1.0  # before listening anew after the connection was lost


class Ring(Struct, frozen=True):
    """This device should ring for this occurrence."""

    space: UUID
    occ: str


class Told(Struct, frozen=True):
    """What a stream has to say after one wait; all empty: it is time for a sign of life."""

    heads: dict[UUID, int]
    rings: list[Ring]
    acl: bool  # what the account may see, or who is there, has changed
    is_stale: bool  # pokes may have been missed, or others may be seen: say all heads again
    bye_ms: int | None  # the stream ends; come back after this


@dataclass(eq=False)
class Stream:
    """One open page that waits for pokes. What it has to say is bounded by its spaces."""

    org: UUID
    account: UUID
    session: UUID
    device: UUID | None
    spaces: frozenset[UUID] = frozenset()
    _heads: dict[UUID, int] = field(default_factory=dict)
    _rings: deque[Ring] = field(default_factory=lambda: deque(maxlen=_RINGS_KEPT))
    _acl: bool = False
    _stale: bool = False
    _bye_ms: int | None = None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def head(self, space: UUID, head: int) -> None:
        """Say where a space stands now; the latest counts."""
        self._heads[space] = max(head, self._heads.get(space, 0))
        self._wake.set()

    def ring(self, ring: Ring) -> None:
        """Say that the device should ring."""
        self._rings.append(ring)
        self._wake.set()

    def distrust(self, *, acl: bool = False) -> None:
        """Say all heads again, because some may have been missed or (`acl`) others may be seen."""
        self._stale = True
        self._acl |= acl
        self._wake.set()

    def bye(self, retry_ms: int) -> None:
        """End the stream; the device comes back after about `retry_ms`."""
        self._bye_ms = retry_ms
        self._wake.set()

    async def take(self, pace: Pace) -> Told:
        """Return what has gathered: at once after a pause, else a moment later, or a heartbeat."""
        try:
            await asyncio.wait_for(self._wake.wait(), pace.heartbeat)
            if self._bye_ms is None:
                await asyncio.sleep(pace.gather)
        except TimeoutError:
            pass
        self._wake.clear()
        told = Told(self._heads, list(self._rings), self._acl, self._stale, self._bye_ms)
        self._heads, self._acl, self._stale = {}, False, False
        self._rings.clear()
        return told


class Hub:
    """The streams of this process, and its ear and mouth to the others."""

    def __init__(self, pool: Pool, pace: Pace | None = None, *, per_session: int = 4) -> None:
        """Make a hub that is deaf and dumb until `run`; local pokes work at once."""
        self.pace = pace or Pace()
        self._pool = pool
        self._per_session = per_session
        self._name = secrets.token_hex(4)
        self._streams: set[Stream] = set()
        self._of_space: dict[tuple[UUID, UUID], set[Stream]] = defaultdict(set)
        self._of_session: dict[UUID, list[Stream]] = defaultdict(list)
        self._unsaid_heads: dict[UUID, dict[UUID, int]] = defaultdict(dict)
        self._unsaid: list[dict[str, Any]] = []
        self._something = asyncio.Event()
        self._ears: dict[UUID, Callable[[str], None]] = {}

    @property
    def streams(self) -> int:
        """How many pages are listening."""
        return len(self._streams)

    # ── what others tell

    def tell(self, org: UUID, heads: Mapping[UUID, int]) -> None:
        """Poke everybody who shows one of these spaces. Call it after the commit."""
        if not heads:
            return
        self._hear_heads(org, heads)
        unsaid = self._unsaid_heads[org]
        for space, head in heads.items():
            unsaid[space] = max(head, unsaid.get(space, 0))
        self._something.set()

    def ring(self, org: UUID, device: UUID, space: UUID, occ: str) -> None:
        """Ask a device, where it has a page open, to ring for an occurrence."""
        self._hear_ring(org, device, Ring(space, occ))
        self._say({"o": org, "ring": {"device": device, "space": space, "occ": occ}})

    def access_changed(self, org: UUID, accounts: Collection[UUID]) -> None:
        """Tell these accounts' pages that their session says something new, or has ended."""
        self._hear_access(org, frozenset(accounts))
        everybody = list(accounts)
        for start in range(0, len(everybody), _ACCOUNTS_A_PAYLOAD):
            self._say({"o": org, "acl": everybody[start : start + _ACCOUNTS_A_PAYLOAD]})

    def on_ring(self, device: UUID, hear: Callable[[str], None]) -> None:
        """Let this process hear itself what another asks `device` to ring for (an occurrence)."""
        self._ears[device] = hear

    def drain(self, retry_ms: int = 8000) -> None:
        """Send every stream away: this process is about to stop."""
        for stream in self._streams:
            stream.bye(retry_ms)

    # ── streams

    @contextmanager
    def stream(
        self, org: UUID, account: UUID, session: UUID, device: UUID | None
    ) -> Iterator[Stream]:
        """Open a stream; a session's oldest makes room, for it is the likeliest to be dead."""
        stream = Stream(org, account, session, device)
        mine = self._of_session[session]
        for oldest in mine[: max(0, len(mine) + 1 - self._per_session)]:
            oldest.bye(60_000)
            self._forget(oldest)
        self._of_session[session].append(stream)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._forget(stream)

    def watch(self, stream: Stream, spaces: Iterable[UUID]) -> None:
        """Let a stream hear of exactly these spaces."""
        self._unwatch(stream)
        stream.spaces = frozenset(spaces)
        for space in stream.spaces:
            self._of_space[stream.org, space].add(stream)

    def _unwatch(self, stream: Stream) -> None:
        for space in stream.spaces:
            watching = self._of_space[stream.org, space]
            watching.discard(stream)
            if not watching:
                del self._of_space[stream.org, space]

    def _forget(self, stream: Stream) -> None:
        self._unwatch(stream)
        stream.spaces = frozenset()
        self._streams.discard(stream)
        mine = self._of_session.get(stream.session, [])
        if stream in mine:
            mine.remove(stream)
            if not mine:
                del self._of_session[stream.session]

    # ── hearing

    def _hear_heads(self, org: UUID, heads: Mapping[UUID, int]) -> None:
        for space, head in heads.items():
            for stream in self._of_space.get((org, space), ()):
                stream.head(space, head)

    def _hear_ring(self, org: UUID, device: UUID, ring: Ring) -> None:
        for stream in self._of_space.get((org, ring.space), ()):
            if stream.device == device:
                stream.ring(ring)

    def _hear_access(self, org: UUID, accounts: frozenset[UUID]) -> None:
        for stream in self._streams:
            if stream.org == org and stream.account in accounts:
                stream.distrust(acl=True)

    def _hear(self, payload: str) -> None:
        try:
            poke = _decode(payload)
        except msgspec.DecodeError:
            _log.warning("poke_unreadable", bytes=len(payload))
            return
        if poke.p == self._name:
            return
        self._hear_heads(poke.o, poke.s)
        if poke.ring is not None:
            self._hear_ring(poke.o, poke.ring.device, Ring(poke.ring.space, poke.ring.occ))
            if poke.ring.device in self._ears:
                self._ears[poke.ring.device](poke.ring.occ)
        if poke.acl:
            self._hear_access(poke.o, frozenset(poke.acl))

    # ── between processes

    async def run(self) -> None:
        """Listen to the other processes and speak to them, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self.speak())

    async def speak(self) -> None:
        """Notify the other processes of what was told here, gathered; until cancelled.

        A process without streams (the worker) needs this alone.
        """
        while True:
            await self._something.wait()
            await asyncio.sleep(self.pace.speak)
            self._something.clear()
            payloads = self._unsaid_payloads()
            try:
                await self._pool.notify(CHANNEL, payloads)
            except Exception as error:  # noqa: BLE001  a loop that must not end
                # A lost poke costs the others a poll; keeping it would let the heap grow.
                _log.warning("poke_unsaid", error=type(error).__name__, count=len(payloads))

    async def _listen(self) -> None:
        lost = False
        while True:
            try:
                async with self._pool.listen(CHANNEL) as payloads:
                    if lost:
                        await self._catch_up()
                    async for payload in payloads:
                        self._hear(payload)
            except Exception as error:  # noqa: BLE001  a loop that must not end
                _log.warning("poke_deaf", error=type(error).__name__)
            lost = True
            await asyncio.sleep(self.pace.again * random.uniform(0.5, 1.5))  # noqa: S311  jitter

    async def _catch_up(self) -> None:
        # Each stream asks the database for its heads: not all in the same moment.
        for index, stream in enumerate(list(self._streams)):
            stream.distrust()
            if index % 100 == 99:
                await asyncio.sleep(0.1)

    def _say(self, message: dict[str, Any]) -> None:
        self._unsaid.append(message)
        self._something.set()

    def _unsaid_payloads(self) -> list[str]:
        messages, self._unsaid = self._unsaid, []
        for org, heads in self._unsaid_heads.items():
            messages += _in_parts(org, heads)
        self._unsaid_heads.clear()
        return [msgspec.json.encode(message | {"p": self._name}).decode() for message in messages]


async def announce(pool: Pool, org: UUID, heads: Mapping[UUID, int]) -> None:
    """Poke every process's streams once, for a process that keeps no hub. After the commit only."""
    payloads = [msgspec.json.encode(message).decode() for message in _in_parts(org, heads)]
    if payloads:
        await pool.notify(CHANNEL, payloads)


def _in_parts(org: UUID, heads: Mapping[UUID, int]) -> list[dict[str, Any]]:
    pairs = list(heads.items())
    return [
        {"o": org, "s": dict(pairs[start : start + _SPACES_A_PAYLOAD])}
        for start in range(0, len(pairs), _SPACES_A_PAYLOAD)
    ]


class _RingPayload(Struct):
    device: UUID
    space: UUID
    occ: str


class _Payload(Struct):
    o: UUID
    s: dict[UUID, int] = {}
    ring: _RingPayload | None = None
    acl: list[UUID] = []
    p: str = ""


_decode = msgspec.json.Decoder(_Payload).decode

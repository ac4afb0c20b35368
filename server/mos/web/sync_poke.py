"""`GET /sync/v1/poke`: what a device should ask for now, as server-sent events (docs/sync.md)."""

import asyncio
from time import monotonic
from uuid import UUID

import msgspec

from mos.care import store
from mos.care.actions.sessions import DeviceRevoked
from mos.care.model import Actor
from mos.db import Db, Pool
from mos.db import Scope as DbScope
from mos.kernel.clock import Clock
from mos.kernel.errors import Unauthenticated
from mos.sync.model import Grant
from mos.sync.pokes import Hub, Stream, Told
from mos.sync.store import heads as read_heads
from mos.web.edge import Receive, Scope, Send
from mos.web.session import actor_of
from mos.web.sync_access import grants
from mos.web.sync_http import read_body

_EVENT_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would gather a stream into blocks.
    (b"x-accel-buffering", b"no"),
]


class Pokes:
    """Answers with a stream of pokes."""

    def __init__(self, pool: Pool, clock: Clock, hub: Hub) -> None:
        """Tell what `hub` hears; what somebody may see is looked up at `clock`'s time."""
        self._pool = pool
        self._clock = clock
        self._hub = hub

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let whoever asks hear until they leave, or are sent away; raises Unauthenticated."""
        actor = await actor_of(scope, self._pool, self._clock)
        # A HEAD or a probe gets no further: the stream begins when somebody is let in.
        await read_body(receive)
        with self._hub.stream(actor.org, actor.account, actor.session, actor.device) as stream:
            granted, heads = await self._watch(stream, actor)
            await send({"type": "http.response.start", "status": 200, "headers": _EVENT_STREAM})
            await _say(send, _event("heads", {"h": heads}))
            talking = asyncio.create_task(self._talk(scope, send, stream, granted))
            leaving = asyncio.create_task(_disconnected(receive))
            try:
                await asyncio.wait({talking, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if talking.done():
                    talking.result()
            finally:
                talking.cancel()
                leaving.cancel()
                await asyncio.gather(talking, leaving, return_exceptions=True)

    async def _talk(
        self, scope: Scope, send: Send, stream: Stream, granted: dict[UUID, Grant]
    ) -> None:
        """Say what there is to say until the stream is sent away or its session ends.

        `granted` is what the page knows that it may see.
        """
        checked = monotonic()
        while True:
            told = await stream.take(self._hub.pace)
            heads, acl = told.heads, told.acl
            if told.is_stale or monotonic() - checked >= self._hub.pace.check:
                try:
                    actor = await actor_of(scope, self._pool, self._clock)
                except DeviceRevoked as error:
                    await _say(send, _event("wipe", {"nonce": error.nonce}))
                    break
                except Unauthenticated:
                    break
                before, checked = granted, monotonic()
                granted, all_heads = await self._watch(stream, actor)
                acl |= before != granted
                heads = all_heads if told.is_stale or acl else heads
            await _say(send, _events(told, heads, acl=acl))
            if told.bye_ms is not None:
                break
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(
        self, stream: Stream, actor: Actor
    ) -> tuple[dict[UUID, Grant], dict[UUID, int]]:
        """Let the stream hear of what the actor may see now; return that, and where it stands."""
        async with self._pool.transaction(DbScope(actor.org)) as db:
            granted = grants(actor, await store.access(db, actor, self._clock()))
            spaces = tuple(granted)
            # Watch first, then read: what changes in between is said twice, never not at all.
            self._hub.watch(stream, spaces)
            return granted, await _heads(db, actor.org, spaces)


async def _heads(db: Db, org: UUID, spaces: tuple[UUID, ...]) -> dict[UUID, int]:
    await db.scope(DbScope(org, spaces))
    return {head.space: head.head_seq for head in await read_heads(db, org, spaces)}


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


def _events(told: Told, heads: dict[UUID, int], *, acl: bool) -> bytes:
    events = [_event("acl", {})] if acl else []
    if heads:
        events.append(_event("heads", {"h": heads}))
    events += [_event("ring", ring) for ring in told.rings]
    if told.bye_ms is not None:
        events.append(_event("bye", {"retry_ms": told.bye_ms}))
    # A comment keeps the line awake where nothing happens.
    return b"".join(events) or b":\n\n"


def _event(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"

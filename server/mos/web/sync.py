"""`/sync/v1/*`: MOS-Sync 1 over HTTP (docs/sync.md). Raw ASGI, because it is the hot path.

`mos.web.edge` stands in front: it bounds bodies, checks the origin and turns errors into answers.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from mos.care import store
from mos.care.actions import devices
from mos.care.actions.devices import Wiped
from mos.care.actions.session_keys import SessionKeys
from mos.care.actions.sessions import DeviceRevoked
from mos.care.model import Actor, Role
from mos.db import Db, Pool
from mos.db import Scope as DbScope
from mos.kernel.clock import Clock
from mos.kernel.errors import Refused, TooMany, Unauthenticated
from mos.sync import actions
from mos.sync.actions import HookFailed
from mos.sync.apart import push_apart
from mos.sync.authorship import LATE
from mos.sync.model import (
    MAX_OPS,
    PROTO,
    Collections,
    Grant,
    Hello,
    Pull,
    Pushed,
    PushHead,
    SchemaRange,
)
from mos.sync.pokes import Hub, Stream, Told
from mos.sync.rules import schema_range
from mos.sync.store import heads as read_heads
from mos.web.edge import App, Receive, Scope, Send, log_crash
from mos.web.errors import HttpRefused
from mos.web.session import actor_of, closed_actor_of, header
from mos.web.sync_access import grants
from mos.web.sync_author import Writer, author_of, signed_writer
from mos.web.sync_snapshot import ROUTE as SNAPSHOT_ROUTE
from mos.web.sync_snapshot import Snapshots, space_of

# How long a device may keep what it has without meeting the server.
_LEASE = timedelta(days=14)
_RESIDENT_LEASE = timedelta(days=60)

# Requests whose bodies are held at once. Beyond that, waiting would only starve those inside.
_MAX_BUSY = 128
# A device has one tab that speaks, and a service worker.
_MAX_BUSY_OF_SESSION = 8

# Below this a gzip header costs more than it saves; above that, compressing holds up the others.
_GZIP_FROM_BYTES = 1_400
_THREAD_FROM_BYTES = 65_536

_Body = TypeVar("_Body")


def sync_app(
    pool: Pool, clock: Clock, collections: Collections, hub: Hub, keys: SessionKeys
) -> App:
    """Return the ASGI application of synchronisation. `hub.run()` is the caller's to start."""
    return _Sync(pool, clock, collections, hub, keys)


class _Sync:
    def __init__(
        self, pool: Pool, clock: Clock, collections: Collections, hub: Hub, keys: SessionKeys
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._clock = clock
        self._collections = collections
        self._hub = hub
        self._busy = 0
        self._of_session: Counter[UUID] = Counter()
        self._snapshots = Snapshots(pool, clock)
        self._posts = {"hello": self._hello, "push": self._push, "pull": self._pull}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].rpartition("/v1/")[2]
        if name == "poke":
            _require_method(scope, "GET")
            await self._poke(scope, receive, send)
        elif name in self._posts:
            _require_method(scope, "POST")
            await self._post(name, scope, receive, send)
        elif name == "wiped":
            _require_method(scope, "POST")
            await self._wiped(receive, send)
        elif (space := space_of(scope["path"])) is not None:
            scope["route"] = SNAPSHOT_ROUTE
            _require_method(scope, "GET")
            await self._snapshot(scope, receive, send, space)
        else:
            raise HttpRefused(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here.")

    # ── requests

    async def _post(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        with self._room(), _nothing_applied(scope):
            writer = await self._let_in(name, scope)
            with self._turn(writer.actor.session):
                body = await _body(receive)
                answer = msgspec.json.encode(await self._posts[name](scope, writer, body))
        await _send_json(scope, send, answer)

    async def _let_in(self, name: str, scope: Scope) -> Writer:
        """Return who asks; whose account was closed may still push what they did before."""
        try:
            return Writer(await actor_of(scope, self._pool, self._clock))
        except DeviceRevoked:
            raise
        except Unauthenticated:
            now = self._clock()
            closed = (
                await closed_actor_of(scope, self._pool, after=now - LATE, now=now)
                if name == "push"
                else None
            )
            if closed is None:
                raise
            return Writer(closed, is_disabled=True)

    async def _wiped(self, receive: Receive, send: Send) -> None:
        with self._room():
            said = _decode(await _body(receive), Wiped)
            async with self._pool.transaction() as db:
                await devices.wiped(db, said, self._clock())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _snapshot(self, scope: Scope, receive: Receive, send: Send, space: UUID) -> None:
        actor = await actor_of(scope, self._pool, self._clock)
        await _body(receive)
        with self._room(), self._turn(actor.session):
            await self._snapshots.send(scope, send, actor, space)

    @contextmanager
    def _room(self) -> Iterator[None]:
        if self._busy >= _MAX_BUSY:
            raise TooMany("Too many devices at once.", retry_after_s=5)
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    @contextmanager
    def _turn(self, session: UUID) -> Iterator[None]:
        """Let one session not take all the room: it could hold bodies back on purpose."""
        if self._of_session[session] >= _MAX_BUSY_OF_SESSION:
            raise TooMany("Too much at once from this device.", retry_after_s=5)
        self._of_session[session] += 1
        try:
            yield
        finally:
            self._of_session[session] -= 1
            if not self._of_session[session]:
                del self._of_session[session]

    async def _hello(self, _scope: Scope, writer: Writer, body: bytes) -> Any:
        actor = writer.actor
        request = _decode(body, Hello)
        _require_device(actor, request.device_id)
        if not request.proto[0] <= PROTO <= request.proto[1]:
            raise _upgrade()
        now = self._clock()
        lease = _RESIDENT_LEASE if actor.role is Role.RESIDENT else _LEASE
        async with self._pool.transaction(DbScope(actor.org)) as db:
            granted = grants(actor, await store.access(db, actor, now))
            answer = await actions.hello(db, actor.org, granted, request, now)
        return msgspec.structs.replace(
            answer, lease_until=now + lease, schema=schema_range(self._collections)
        )

    async def _push(self, scope: Scope, sender: Writer, body: bytes) -> Any:
        request = _decode(body, PushHead)
        _require_device(sender.actor, request.device_id)
        if request.proto != PROTO:
            raise _upgrade()
        if len(request.ops) > MAX_OPS:
            raise HttpRefused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"Send at most {MAX_OPS} ops."
            )
        writer = await self._writer(sender, request)
        try:
            pushed = await self._take(scope, writer, request)
        except msgspec.ValidationError as error:
            raise _malformed() from error
        self._hub.tell(writer.actor.org, pushed.heads)
        return pushed

    async def _writer(self, sender: Writer, request: PushHead) -> Writer:
        if request.signed_by is None:
            return sender
        async with self._pool.transaction(DbScope(sender.actor.org)) as db:
            return await signed_writer(db, self._keys, sender.actor, request, request.signed_by)

    async def _take(self, scope: Scope, writer: Writer, request: PushHead) -> Pushed:
        try:
            return await self._apply(writer, request)
        except HookFailed as error:
            log_crash(scope, error.__cause__ or error)
            return await push_apart(partial(self._apply, writer), request)

    async def _apply(self, writer: Writer, request: PushHead, *, set_aside: bool = False) -> Pushed:
        now = self._clock()
        async with self._pool.transaction(DbScope(writer.actor.org)) as db:
            author = await author_of(db, writer, request, now)
            return await actions.push(
                db, author, request, self._collections, now, set_aside=set_aside
            )

    async def _pull(self, _scope: Scope, writer: Writer, body: bytes) -> Any:
        actor = writer.actor
        request = _decode(body, Pull)
        _require_device(actor, request.device_id)
        if request.proto != PROTO or request.schema < SchemaRange().min_pull:
            raise _upgrade()
        now = self._clock()
        async with self._pool.transaction(DbScope(actor.org)) as db:
            granted = grants(actor, await store.access(db, actor, now))
            return await actions.pull(db, actor.org, granted, request, now)

    # ── server-sent events

    async def _poke(self, scope: Scope, receive: Receive, send: Send) -> None:
        actor = await actor_of(scope, self._pool, self._clock)
        # A HEAD or a probe gets no further: the stream begins when somebody is let in.
        await _body(receive)
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


# ────────────────────────────────────────────────── HTTP

# Made anew at each raise: an exception keeps the traceback of every place that it was raised at.


def _upgrade() -> HttpRefused:
    return HttpRefused(
        HTTPStatus.UPGRADE_REQUIRED, "upgrade_required", "This app is too old for this server."
    )


@contextmanager
def _nothing_applied(scope: Scope) -> Iterator[None]:
    """Let the device try again after a failure behind; nothing is wrong with what it sent."""
    try:
        yield
    except (Refused, HttpRefused, msgspec.ValidationError):
        raise
    except Exception as error:
        log_crash(scope, error)
        raise HttpRefused(
            HTTPStatus.SERVICE_UNAVAILABLE, "try_again", "Nothing was applied. Send it again."
        ) from error


def _malformed() -> HttpRefused:
    return HttpRefused(HTTPStatus.BAD_REQUEST, "malformed", "This cannot be read.")


_EVENT_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would gather a stream into blocks.
    (b"x-accel-buffering", b"no"),
]


def _require_method(scope: Scope, method: str) -> None:
    if scope["method"] != method:
        raise HttpRefused(HTTPStatus.METHOD_NOT_ALLOWED, "method", f"Use {method}.")


def _require_device(actor: Actor, device: UUID) -> None:
    """Let a session speak for its own device only: the order of a device's ops rests on it."""
    if actor.device is not None and actor.device != device:
        raise Unauthenticated("This session belongs to another device.", code="other_device")


def _decode(body: bytes, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed() from error


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpRefused(HTTPStatus.BAD_REQUEST, "malformed", "The body was cut short.")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_json(scope: Scope, send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"vary", b"accept-encoding")]
    if len(body) >= _GZIP_FROM_BYTES and "gzip" in (header(scope, b"accept-encoding") or ""):
        large = len(body) >= _THREAD_FROM_BYTES
        body = await asyncio.to_thread(_gzip, body) if large else _gzip(body)
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(level=5, wbits=zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()


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

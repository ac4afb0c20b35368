"""`/sync/v1/*`: MOS-Sync 1 over HTTP (docs/sync.md). Raw ASGI, because it is the hot path.

`mos.web.edge` stands in front: it bounds bodies, checks the origin and turns errors into answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

import msgspec

from mos.care import store
from mos.care.actions import devices
from mos.care.actions.devices import Wiped
from mos.care.actions.session_keys import SessionKeys
from mos.care.actions.sessions import DeviceRevoked
from mos.care.model import Actor, Role
from mos.db import Pool
from mos.db import Scope as DbScope
from mos.kernel.clock import Clock
from mos.kernel.errors import Refused, Unauthenticated, Unavailable
from mos.sync import actions
from mos.sync.actions import HookFailed, TooManyProposals
from mos.sync.apart import push_apart
from mos.sync.authorship import LATE
from mos.sync.model import (
    MAX_OPS,
    MAX_SAFETY,
    PROTO,
    Collections,
    Hello,
    Pull,
    Pushed,
    PushHead,
    SchemaRange,
)
from mos.sync.pokes import Hub
from mos.sync.rules import schema_range
from mos.web.edge import App, Receive, Scope, Send, log_crash
from mos.web.errors import HttpRefused, not_allowed
from mos.web.session import actor_of, closed_actor_of
from mos.web.sync_access import grants
from mos.web.sync_author import Writer, author_of, signed_writer
from mos.web.sync_http import decode, malformed, read_body, send_json
from mos.web.sync_log import Reads
from mos.web.sync_poke import Pokes
from mos.web.sync_room import Room
from mos.web.sync_snapshot import ROUTE as SNAPSHOT_ROUTE
from mos.web.sync_snapshot import Snapshots, space_of

# How long a device may keep what it has without meeting the server.
_LEASE = timedelta(days=14)
_RESIDENT_LEASE = timedelta(days=60)

# Requests whose bodies are held at once. Beyond that, waiting would only starve those inside.
_MAX_BUSY = 128
# A device has one tab that speaks, and a service worker.
_MAX_BUSY_OF_SESSION = 8
# Snapshots stay for as long as their reader reads, so they have a room of their own: after a
# restore all devices come for one at once, and what people do must get in all the same.
_MAX_READING = 64
_MAX_READING_OF_SESSION = 4


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
        self._busy = Room(_MAX_BUSY, of_session=_MAX_BUSY_OF_SESSION)
        self._reading = Room(_MAX_READING, of_session=_MAX_READING_OF_SESSION)
        self._reads = Reads()
        self._snapshots = Snapshots(pool, clock, self._reads)
        self._pokes = Pokes(pool, clock, hub)
        self._posts = {"hello": self._hello, "push": self._push, "pull": self._pull}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].rpartition("/v1/")[2]
        if name == "poke":
            _require_method(scope, "GET")
            await self._pokes.send(scope, receive, send)
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
        with self._busy.place(), _nothing_applied(scope):
            writer = await self._let_in(name, scope)
            with self._busy.turn(writer.actor.session):
                body = await read_body(receive)
                answer = msgspec.json.encode(await self._posts[name](scope, writer, body))
        await send_json(scope, send, answer)

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
        with self._busy.place():
            said = decode(await read_body(receive), Wiped)
            async with self._pool.transaction() as db:
                await devices.wiped(db, said, self._clock())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _snapshot(self, scope: Scope, receive: Receive, send: Send, space: UUID) -> None:
        actor = await actor_of(scope, self._pool, self._clock)
        await read_body(receive)
        with self._reading.place(), self._reading.turn(actor.session):
            await self._snapshots.send(scope, send, actor, space)

    async def _hello(self, _scope: Scope, writer: Writer, body: bytes) -> Any:
        actor = writer.actor
        request = decode(body, Hello)
        _require_device(actor, request.device_id)
        if not request.proto[0] <= PROTO <= request.proto[1]:
            raise _upgrade()
        now = self._clock()
        lease = _RESIDENT_LEASE if actor.role is Role.RESIDENT else _LEASE
        async with self._pool.transaction(DbScope(actor.org)) as db:
            granted = grants(actor, await store.access(db, actor, now))
            if request.purged:
                # What one never saw one has not forgotten either.
                purged = await store.once_reached(db, actor, request.purged)
                request = msgspec.structs.replace(request, purged=purged)
            answer = await actions.hello(db, actor.org, actor.account, granted, request, now)
            # From now on the device may show what it has of each of them, until its lease ends.
            read = await self._reads.log(db, actor, granted.values(), now)
        self._reads.logged(actor, read, now)
        return msgspec.structs.replace(
            answer, lease_until=now + lease, schema=schema_range(self._collections)
        )

    async def _push(self, scope: Scope, sender: Writer, body: bytes) -> Any:
        request = decode(body, PushHead)
        _require_device(sender.actor, request.device_id)
        if request.proto != PROTO:
            raise _upgrade()
        if len(request.ops) > MAX_OPS:
            raise _too_large(f"Send at most {MAX_OPS} ops.")
        writer = await self._writer(sender, request)
        try:
            pushed = await self._take(scope, writer, request)
        except msgspec.ValidationError as error:
            raise malformed() from error
        except TooManyProposals as error:
            raise _too_large(
                f"Send at most {MAX_SAFETY} proposals and decisions, or one group."
            ) from error
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
            author = await author_of(db, writer, request, self._collections, now)
            return await actions.push(
                db, author, request, self._collections, now, set_aside=set_aside
            )

    async def _pull(self, _scope: Scope, writer: Writer, body: bytes) -> Any:
        actor = writer.actor
        request = decode(body, Pull)
        _require_device(actor, request.device_id)
        if request.proto != PROTO or request.schema < SchemaRange().min_pull:
            raise _upgrade()
        now = self._clock()
        async with self._pool.transaction(DbScope(actor.org)) as db:
            granted = grants(actor, await store.access(db, actor, now))
            answer = await actions.pull(db, actor.org, granted, request, now)
            asked = [granted[space] for space in request.spaces if space in granted]
            read = await self._reads.log(db, actor, asked, now)
        self._reads.logged(actor, read, now)
        return answer


# ────────────────────────────────────────────────── HTTP

# Made anew at each raise: an exception keeps the traceback of every place that it was raised at.


def _too_large(detail: str) -> HttpRefused:
    return HttpRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail)


def _upgrade() -> HttpRefused:
    return HttpRefused(
        HTTPStatus.UPGRADE_REQUIRED, "upgrade_required", "This app is too old for this server."
    )


def _try_again() -> HttpRefused:
    return HttpRefused(
        HTTPStatus.SERVICE_UNAVAILABLE, "try_again", "Nothing was applied. Send it again."
    )


@contextmanager
def _nothing_applied(scope: Scope) -> Iterator[None]:
    """Let the device try again after a failure behind; nothing is wrong with what it sent."""
    try:
        yield
    except (Refused, HttpRefused, msgspec.ValidationError) as error:
        if not isinstance(error, Unavailable):
            raise
        raise _try_again() from error
    except Exception as error:
        log_crash(scope, error)
        raise _try_again() from error


def _require_method(scope: Scope, method: str) -> None:
    if scope["method"] != method:
        raise not_allowed(method)


def _require_device(actor: Actor, device: UUID) -> None:
    """Let a session speak for its own device only: the order of a device's ops rests on it."""
    if actor.device is not None and actor.device != device:
        raise Unauthenticated("This session belongs to another device.", code="other_device")

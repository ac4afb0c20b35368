"""One ASGI application: the app's files, the API, synchronisation, and what monitors ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cache
from typing import Any

import msgspec
from msgspec import structs

from mos.care.actions.doorkeeper import Doorkeeper
from mos.care.actions.oidc.directory import Directory
from mos.care.actions.passwords import STANDARD, STRONG, Passwords
from mos.care.actions.relying_party import relying_party
from mos.care.actions.session_keys import SessionKeys
from mos.care.routes.given import Given
from mos.db import Pool, connect
from mos.dispatch import vapid, webpush
from mos.dispatch.channels.messengers import open_messengers
from mos.dispatch.outward import open_outward
from mos.kernel.clock import Clock
from mos.kernel.errors import NotFound
from mos.kernel.settings import Settings
from mos.privacy import seals
from mos.privacy.keyring import open_keyring
from mos.sync.pokes import Hub
from mos.web import calendar
from mos.web.api import create_api, document
from mos.web.came_back import CALLBACK, came_back
from mos.web.edge import App, Edge, Receive, Scope, Send
from mos.web.errors import not_allowed
from mos.web.health import Answer, Health
from mos.web.metrics import Metrics
from mos.web.static import StaticFiles
from mos.web.sync import sync_app
from mos.web.watch import answering
from mos.wiring import COLLECTIONS

_POOL_SIZE = 16
_COST = {"standard": STANDARD, "strong": STRONG}


def create_app(settings: Settings, clock: Clock) -> "Application":
    """Return the application. It opens its connections when the server starts it (lifespan)."""
    return Application(settings, clock)


class Application:
    """Routes by the first part of the path; everything passes the Edge. Use `create_app`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Prepare everything that needs no connection."""
        self._settings = settings
        self._clock = clock
        self._given: Given | None = None
        self._sync: App | None = None
        metrics = Metrics()
        self._health = Health(lambda: self._started().pool, clock, settings, metrics)
        self._calendar = calendar.CalendarFeeds(lambda: self._started().pool, clock)
        self._api: Any = create_api(self._now)
        self._static = StaticFiles(settings.app_dir)
        self._edge = Edge(self._route, settings, metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak ASGI 3: http and lifespan."""
        if scope["type"] == "http":
            await self._edge(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    def drain(self) -> None:
        """Send every open stream away, to come back later: the server is about to stop."""
        if self._given is not None:
            self._given.hub.drain()

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        page = self._health.pages.get(path)
        if path.startswith("/sync/") and self._sync is not None:
            await self._sync(scope, receive, send)
        elif path == "/api/openapi.json":
            scope["route"] = path
            _require_get(scope)
            await _send(send, Answer(200, b"application/json", _document()))
        elif path.startswith("/api/"):
            await self._api(scope, receive, send)
        elif path.startswith(calendar.PREFIX):
            scope["route"] = calendar.PREFIX
            _require_get(scope)
            await _send(send, await self._calendar.answer(scope))
        elif path == CALLBACK:
            scope["route"] = path
            _require_get(scope)
            await _send(send, came_back(scope))
        elif page is not None:
            scope["route"] = path
            _require_get(scope)
            await _send(send, await page(scope))
        else:
            scope["route"] = "static"
            _require_get(scope)
            await self._static(scope, receive, send)

    def _started(self) -> Given:
        if self._given is None:
            raise RuntimeError("the application has not been started")
        return self._given

    def _now(self) -> Given:
        return structs.replace(self._started(), now=self._clock())

    async def _live(self, receive: Receive, send: Send) -> None:
        """Speak the lifespan protocol: open everything, wait, close everything."""
        await receive()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._running())
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        settings = self._settings
        async with AsyncExitStack() as stack:
            ring = await stack.enter_async_context(open_keyring(settings))
            pool = await connect(
                settings.app_url, role=settings.app_role, size=_POOL_SIZE, keyring=ring
            )
            stack.push_async_callback(pool.close)
            key = vapid.load_or_make(settings.secrets / "vapid.pem", contact=_contact(settings))
            older = vapid.load_older(settings.secrets, contact=_contact(settings))
            push = await stack.enter_async_context(webpush.open_post(key, settings, older=older))
            keys = seals.load(settings.secrets / "seal.key")
            messengers = await stack.enter_async_context(open_messengers(settings, keys))
            outward = await stack.enter_async_context(open_outward(settings.channel_networks))
            hub = await stack.enter_async_context(_listening(pool))
            await stack.enter_async_context(answering(hub, pool, self._clock))
            door = Doorkeeper(
                Passwords(_COST[settings.password_cost]),
                (settings.secrets / "limits.key").read_bytes(),
                SessionKeys((settings.secrets / "sync.key").read_bytes()),
                relying_party(settings.public_url),
            )
            self._given = Given(
                settings,
                pool,
                door,
                push,
                messengers,
                Directory(outward),
                hub,
                COLLECTIONS,
                self._clock(),
            )
            self._sync = sync_app(pool, self._clock, COLLECTIONS, hub, door.session_keys)
            yield


@asynccontextmanager
async def _listening(pool: Pool) -> AsyncIterator[Hub]:
    hub = Hub(pool)
    ear = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        hub.drain()
        ear.cancel()
        with suppress(asyncio.CancelledError):
            await ear


def _contact(settings: Settings) -> str:
    """Return whom a push service may write to: the public address, if it is one."""
    return settings.public_url if settings.public_url.startswith("https://") else ""


@cache
def _document() -> bytes:
    return msgspec.json.encode(document())


def _require_get(scope: Any) -> None:
    if scope["method"] not in {"GET", "HEAD"}:
        if scope["route"] == "static":
            raise NotFound("There is nothing here.")
        raise not_allowed("GET, HEAD")


async def _send(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.kind),
        (b"content-length", str(len(answer.body)).encode()),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

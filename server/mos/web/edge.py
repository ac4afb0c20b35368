"""What every request passes first and every answer last. Raw ASGI, so that streams stay streams.

In: an id, the scheme of the public address, the client's true address, the same-origin check, a
body that is bounded in size and time. Out: security headers, one shape of error, a line in the log
and a count, both without people: no addresses, no queries, no ids of theirs.
"""

import asyncio
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any

import structlog

from mos.kernel.errors import Refused
from mos.kernel.settings import Settings
from mos.web.errors import HttpRefused, problem, send_problem
from mos.web.metrics import Metrics
from mos.web.session import SAFE_METHODS, header, require_same_origin

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 1_048_576
BODY_SECONDS = 30

# What is not named (fonts, media, workers, connections) follows default-src: our own, nothing else.
_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
_SECURITY_HEADERS = {
    "content-security-policy": _CSP,
    "permissions-policy": "camera=(self), geolocation=(), microphone=(self), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_HSTS = "max-age=63072000; includeSubDomains"

_FORWARDED = b"x-forwarded-for"

_log = structlog.get_logger("mos.web")


class Edge:
    """Wraps the application that answers; see the module's first paragraphs."""

    def __init__(self, app: App, settings: Settings, metrics: Metrics) -> None:
        """Serve `app` under the public address of `settings`."""
        self._app = app
        self._metrics = metrics
        self._scheme = settings.public_url.partition(":")[0]
        self._proxies = [ip_network(network) for network in settings.trusted_proxies]
        headers = dict(_SECURITY_HEADERS)
        if self._scheme == "https":
            headers["strict-transport-security"] = _HSTS
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, whatever happens inside."""
        exchange = _Exchange(scope, receive, send, self._headers)
        scope["scheme"] = self._scheme
        scope["client"] = (self._client(scope), 0)
        scope["request_id"] = exchange.request_id
        started = time.perf_counter()
        try:
            require_same_origin(scope)
            _require_json(scope)
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001  the last place that can still answer
            await exchange.fail(error)
        finally:
            self._account(exchange, time.perf_counter() - started)

    def _client(self, scope: Scope) -> str:
        """Return the address that asks: the last one that no trusted proxy vouches for."""
        peer: str = scope["client"][0] if scope.get("client") else ""
        # Some proxies add a line of their own below the one that came: all count, in order.
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == _FORWARDED]
        chain = [part.strip() for part in ",".join(lines).split(",") if part.strip()]
        while chain and self._is_proxy(peer):
            peer = chain.pop()
        return peer

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)

    def _account(self, exchange: "_Exchange", seconds: float) -> None:
        method, route = exchange.scope["method"], route_of(exchange.scope)
        self._metrics.request(method, route, exchange.status, seconds)
        _log.info(
            "request",
            method=method,
            route=route,
            status=exchange.status,
            ms=round(seconds * 1000, 1),
            request_id=exchange.request_id,
        )


class _Exchange:
    """One request and its answer, as they pass the edge."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, headers: list[tuple[bytes, bytes]]
    ) -> None:
        self.scope = scope
        self.request_id = secrets.token_hex(8)
        # 499, as proxies write it: the client left before there was an answer.
        self.status = 499
        self._receive = receive
        self._send = send
        self._headers = [*headers, (b"x-request-id", self.request_id.encode())]
        self._started = False
        self._left = MAX_BODY_BYTES
        self._deadline: float | None = None
        self._body_done = False

    async def receive(self) -> Message:
        """Pass on the next part of the body; raises HttpRefused when it breaks its bounds.

        After the body, this waits for the client to leave, for as long as a stream lives.
        """
        if self._body_done:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._deadline = self._deadline or now + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as error:
            raise HttpRefused(
                HTTPStatus.REQUEST_TIMEOUT, "slow_body", "The body took too long to arrive."
            ) from error
        if message["type"] == "http.disconnect":
            raise HttpRefused(HTTPStatus.BAD_REQUEST, "malformed", "The body was cut short.")
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HttpRefused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too_large",
                f"Send at most {MAX_BODY_BYTES} bytes.",
            )
        self._body_done = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass on the answer, with the headers that all answers carry."""
        if message["type"] == "http.response.start":
            self._started = True
            self.status = message["status"]
            given = list(message.get("headers", []))
            names = {name.lower() for name, _ in given}
            given += [pair for pair in self._headers if pair[0] not in names]
            if b"cache-control" not in names:
                given.append((b"cache-control", b"no-store"))
            message = {**message, "headers": given}
        await self._send(message)

    async def fail(self, error: Exception) -> None:
        """Answer with an error; one that cannot be answered any more cuts the connection."""
        if not isinstance(error, Refused | HttpRefused) and problem(error)[0] >= 500:
            log_crash(self.scope, error)
        if self._started:
            raise error
        await send_problem(self.send, error)


def log_crash(scope: Any, error: BaseException) -> None:
    """Log where a crash happened. Not its message: that may quote what a person wrote."""
    where = traceback.extract_tb(error.__traceback__)
    _log.error(
        "crash",
        kind=type(error).__name__,
        sqlstate=getattr(error, "sqlstate", None),
        at=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in where[-12:]],
        route=route_of(scope),
        request_id=scope.get("request_id"),
    )


_SYNC_ROUTES = frozenset(f"/sync/v1/{name}" for name in ("hello", "push", "pull", "poke", "wiped"))


def route_of(scope: Any) -> str:
    """Return the template of the request's path, never an id: what counts and logs are kept by."""
    template: str = scope.get("path_template") or scope.get("route") or ""
    if template:
        return template
    return scope["path"] if scope["path"] in _SYNC_ROUTES else "unmatched"


def _require_json(scope: Scope) -> None:
    if scope["method"] in SAFE_METHODS:
        return
    kind = (header(scope, b"content-type") or "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        raise HttpRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", "Send application/json.")
    # Nobody needs it, and what is packed can be any size once it is opened.
    if (header(scope, b"content-encoding") or "identity").strip().lower() != "identity":
        raise HttpRefused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", "Send bodies uncompressed."
        )
    length = header(scope, b"content-length") or "0"
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise HttpRefused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"Send at most {MAX_BODY_BYTES} bytes.",
        )

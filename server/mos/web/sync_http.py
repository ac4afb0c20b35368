"""How synchronisation reads requests and writes answers (docs/sync.md)."""

import asyncio
import zlib
from http import HTTPStatus
from typing import TypeVar

import msgspec

from mos.web.edge import Receive, Scope, Send
from mos.web.errors import HttpRefused
from mos.web.session import header

# Below this a gzip header costs more than it saves; above that, compressing holds up the others.
_GZIP_FROM_BYTES = 1_400
_THREAD_FROM_BYTES = 65_536

_Body = TypeVar("_Body")


def malformed() -> HttpRefused:
    """Return the error for a message that cannot be read, made anew at each raise."""
    return HttpRefused(HTTPStatus.BAD_REQUEST, "malformed", "This cannot be read.")


def decode(body: bytes, kind: type[_Body]) -> _Body:
    """Return the message that a body is; raises HttpRefused where it cannot be read."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed() from error


async def read_body(receive: Receive) -> bytes:
    """Return a request's whole body; raises HttpRefused where it was cut short."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpRefused(HTTPStatus.BAD_REQUEST, "malformed", "The body was cut short.")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def send_json(scope: Scope, send: Send, body: bytes) -> None:
    """Answer with JSON, compressed for who takes it."""
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

"""A client that costs little: it shares the machine's cores with what it measures."""

import asyncio
import base64
import zlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import NamedTuple, Self

_PATIENCE_S = 60


class Answer(NamedTuple):
    """An HTTP answer; `body` as it travelled, still compressed where the server did so."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    def text(self) -> bytes:
        """Return the body as it was meant."""
        if self.headers.get(b"content-encoding") != b"gzip":
            return self.body
        return zlib.decompress(self.body, wbits=zlib.MAX_WBITS | 16)


class BenchError(Exception):
    """A server answered in a way that makes the measurement worthless."""


class Client:
    """One kept-alive connection to a port of this machine, with headers that go with everything."""

    def __init__(self, port: int, *headers: bytes) -> None:
        """Prepare; the first request connects."""
        self._port = port
        self._head = b"".join(header + b"\r\n" for header in (b"host: 127.0.0.1", *headers))
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        if self._writer is not None:
            self._writer.close()

    async def request(self, method: str, path: str, body: bytes = b"", *headers: bytes) -> Answer:
        """Send a request and return its answer. Raises BenchError when there is none in time."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._answer(method, path, body, headers)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            raise BenchError(f"{method} {path}: {type(error).__name__}") from error
        if answer.headers.get(b"connection", b"").lower() == b"close":
            await self._connect()
        return answer

    async def _answer(
        self, method: str, path: str, body: bytes, headers: tuple[bytes, ...]
    ) -> Answer:
        reader = await self._send(method, path, body, headers)
        status, found = await _head(reader)
        if found.get(b"transfer-encoding") == b"chunked":
            return Answer(status, found, b"".join([part async for part in _chunks(reader)]))
        # An answer "not modified" tells the length of what it does not send.
        length = 0 if status == 304 else int(found.get(b"content-length", b"0"))
        return Answer(status, found, await reader.readexactly(length))

    async def stream(self, method: str, path: str, body: bytes = b"") -> AsyncIterator[bytes]:
        """Yield what a server says in an answer that does not end. Raises BenchError."""
        reader = await self._send(method, path, body, ())
        status, _ = await _head(reader)
        if status != 200:
            raise BenchError(f"{path}: {status}")
        async for part in _chunks(reader):
            yield part

    async def _send(
        self, method: str, path: str, body: bytes, headers: tuple[bytes, ...]
    ) -> asyncio.StreamReader:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            await self._connect()
        assert self._reader is not None
        assert self._writer is not None
        extra = b"".join(header + b"\r\n" for header in headers)
        start = f"{method} {path} HTTP/1.1\r\ncontent-length: {len(body)}\r\n".encode()
        self._writer.write(
            start + self._head + extra + b"content-type: application/json\r\n\r\n" + body
        )
        return self._reader

    async def _connect(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, limit=2**20
        )


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[bytes, bytes]]:
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.split(b"\r\n")
    pairs = (line.partition(b":") for line in lines if line)
    return int(first.split(b" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readline()).split(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()


def basic(name: str) -> bytes:
    """Return the header by which `name` says who it is to a peer that believes everybody."""
    return b"authorization: Basic " + base64.b64encode(f"{name}:bench".encode())

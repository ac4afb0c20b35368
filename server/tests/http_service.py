"""An HTTP service that answers whatever a test wants, also what no service should."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

GIGABYTE = 1_000_000_000
_CHUNK = b"x" * 65_536


@dataclass
class Heard:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpService:
    """Answers on a bare socket: (status, headers, body), raw bytes, or one of the words below."""

    url: str = ""
    answer: Any = (200, {}, b"{}")
    heard: list[Heard] = field(default_factory=list)
    # How much of an endless answer it got rid of.
    poured: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take requests on one connection."""
        self._writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                self.heard.append(await self._request(reader))
                await self._say(writer)
        writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> Heard:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Heard(first.split(" ")[1], headers, body)

    async def _say(self, writer: asyncio.StreamWriter) -> None:
        match self.answer:
            case "hangs":
                await asyncio.Event().wait()
            case "drips":
                # One byte now and then: each of them resets a limit that is for each read.
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.02)
            case "floods":
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {GIGABYTE}\r\n\r\n".encode())
                while self.poured < GIGABYTE:
                    writer.write(_CHUNK)
                    await writer.drain()
                    self.poured += len(_CHUNK)
            case bytes() as raw:
                writer.write(raw)
                await writer.drain()
                raise ConnectionError
            case (status, headers, body):
                lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
                lines += [f"{name}: {value}" for name, value in headers.items()]
                writer.write("\r\n".join([*lines, "", ""]).encode() + body)
                await writer.drain()

    def close(self) -> None:
        """Let go of every connection."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def http_service() -> AsyncIterator[HttpService]:
    """Yield a service on a port of its own."""
    service = HttpService()
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(service.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        service.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""A push service that takes everything and remembers when. `[CERTIFICATE KEY]`: over TLS.

It says on which ports it listens. Of `GET /count` the answer is how many messages it took, of
`GET /take` when each came (seconds as float64), and then it forgets them.
"""

import asyncio
import json
import ssl
import sys
import time
from array import array
from typing import cast

import uvloop

# As many as there are large push services.
PORTS = 3

_TAKEN = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"

_arrivals = array("d")


class _Service(asyncio.Protocol):
    """One connection. Knows as much HTTP as its clients speak."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport to isinstance.
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _length(head)
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"POST"):
            _arrivals.append(time.time())
            self._transport.write(_TAKEN)
            return
        body = str(len(_arrivals)).encode()
        if head.startswith(b"GET /take"):
            body = _arrivals.tobytes()
            del _arrivals[:]
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def main(*certificate: str) -> None:
    """Serve until the end."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(_Service, "127.0.0.1", 0, ssl=context, backlog=1024)
        for _ in range(PORTS)
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))

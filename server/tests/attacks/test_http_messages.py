"""Whoever bends the form of HTTP itself meets the real server: each message has one meaning."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest
from builders import a_home
from serving import serving

_POST = b"POST /api/v1/session HTTP/1.1\r\nHost: mos.test\r\nx-mos: 1\r\n"
_SMUGGLED = b"GET /__version__ HTTP/1.1\r\nHost: mos.test\r\n\r\n"

# Where a message ends must not be a matter of who reads it: a proxy in front, or the server.
_AMBIGUOUS = {
    "two kinds of length": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 30\r\n\r\nabcd",
    "chunked, and then something": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a coding that is none": b"Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc",
    "a blank before the colon": b"Content-Length : 4\r\n\r\nabcd",
    "a length with a sign": b"Content-Length: +4\r\n\r\nabcd",
    "a coding after an odd blank": b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "a line that ends by itself": b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.fixture
async def server(database, tmp_path):
    await a_home(database)
    async with serving(database, tmp_path) as running:
        yield running


async def _answers(server, message):
    """Send bytes as they are, and return the status of each answer until the server hangs up."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(message)
    try:
        async with asyncio.timeout(20):
            said = await reader.read()
    finally:
        writer.close()
    return re.findall(rb"HTTP/1\.1 (\d{3}) ", said)


async def test_a_message_that_could_end_in_two_places_is_refused_with_what_follows_it(server):
    for what, ambiguous in _AMBIGUOUS.items():
        assert await _answers(server, _POST + ambiguous + _SMUGGLED) == [b"400"], what

    last = _SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert await _answers(server, _SMUGGLED + last) == [b"200", b"200"]
    assert "crash" not in server.log.read_text()


async def test_nobody_is_sent_back_what_they_sent_or_taken_along_by_other_methods(server):
    for path in (b"/", b"/api/v1/session", b"/sync/v1/hello", b"/__version__", b"/metrics"):
        for method in (b"TRACE", b"TRACK", b"CONNECT", b"PROPFIND", b"DEBUG"):
            for header in (b"x-mos: 1\r\n", b""):
                target = b"mos.test:443" if method == b"CONNECT" else path
                message = method + b" " + target + b" HTTP/1.1\r\nHost: mos.test\r\n" + header
                [status] = await _answers(
                    server, message + b"X-Secret: hush\r\nConnection: close\r\n\r\n"
                )
                assert status in {b"400", b"403", b"404", b"405"}, (method, path, header)

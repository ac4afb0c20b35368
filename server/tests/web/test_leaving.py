"""Clients that leave, and a server that stops."""

import asyncio

import structlog
from browsers import started


def _scope(method, path):
    return {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": [
            (b"x-mos", b"1"), (b"content-type", b"application/json"), (b"content-length", b"10"),
        ], "query_string": b"", "client": ("127.0.0.1", 1), "server": ("mos.test", 80),
        "scheme": "http", "root_path": "", "http_version": "1.1",
    }  # fmt: skip


async def test_a_client_that_leaves_while_it_sends_is_no_crash(site):
    parts = [
        {"type": "http.request", "body": b'{"na', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent = []

    async def receive():
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    with structlog.testing.capture_logs() as logs:
        await site.app(_scope("POST", "/api/v1/session"), receive, send)

    assert [line["event"] for line in logs] == ["request"]
    assert logs[0]["status"] == 400


async def test_a_stopping_server_sends_its_streams_away(site, database, clock):
    from builders import a_home

    home = await a_home(database)
    browser = await site.as_account(home.org, home.caregiver)
    scope = _scope("GET", "/sync/v1/poke")
    scope["headers"] = [(b"cookie", f"mos={browser.http.cookies['mos']}".encode())]
    sent: asyncio.Queue = asyncio.Queue()

    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive():
        return next(asked, None) or await asyncio.Event().wait()

    async with started(database.settings, clock) as app:
        stream = asyncio.create_task(app(scope, receive, sent.put))
        assert (await sent.get())["status"] == 200

        app.drain()

        await asyncio.wait_for(stream, 5)
    said = b"".join([sent.get_nowait().get("body", b"") for _ in range(sent.qsize())])
    assert b"event: bye" in said

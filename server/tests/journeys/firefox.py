"""A real Firefox and the push service that it listens to: what a browser really makes of a push.

Firefox lets its push service be chosen, which Chromium does not. It is driven by WebDriver BiDi, a
WebSocket that it opens itself, so that no driver has to be installed.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import ClientSession, ClientWebSocketResponse, web
from push_service import PushService, b64

from mos.ops.chromium import debian_installs

START_S = 60
SOON_S = 30

MISSING = "no Firefox for the journey of a push: install it (Debian: apt-get install firefox-esr)"

_PREFERENCES = {
    "remote.prefs.recommended": False,  # they turn push off
    "dom.push.enabled": True,
    "dom.push.connection.enabled": True,
    "dom.push.testing.allowInsecureServerURL": True,
    # Firefox's own notifications: a bare machine has no desktop that would show them.
    "alerts.useSystemBackend": False,
    "intl.accept_languages": "sv-SE,sv",
    # Not a word to the rest of the world.
    "network.proxy.type": 0,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
}


def find() -> str | None:
    """Return the browser's program, installing Debian's when we are root; None without one."""
    present = shutil.which("firefox-esr") or shutil.which("firefox")
    if present is None and debian_installs("firefox-esr"):
        return shutil.which("firefox-esr")
    return present


async def until(holds: Callable[[], Any], seconds: float = SOON_S) -> Any:
    """Return what `holds` answers as soon as it is true; raises TimeoutError after a while."""
    async with asyncio.timeout(seconds):
        while not (found := holds()):  # noqa: ASYNC110  another process does it
            await asyncio.sleep(0.1)
    return found


@dataclass
class _Subscription:
    """What a real browser subscribed to; it opens its messages itself."""

    channel: str
    socket: web.WebSocketResponse

    async def take(self, body: bytes) -> None:
        """Hand a message to the browser, sealed as it came."""
        await self.socket.send_json(
            {
                "messageType": "notification", "channelID": self.channel, "version": uuid4().hex,
                "ttl": 60, "data": b64(body), "headers": {"encoding": "aes128gcm"},
            }
        )  # fmt: skip


@dataclass
class Autopush(PushService):
    """The test's push service, with the side on which Firefox listens."""

    # No browser has another than https; the server takes a detour to `here`.
    url: str = "https://push.example"
    # How the browser settled each message: 100 is "the service worker has it".
    acknowledged: list[int] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers to servers and to browsers."""
        return [*super().routes(), web.get("/", self.listen)]

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with one browser until it goes."""
        socket = web.WebSocketResponse(protocols=["push-notification"])
        await socket.prepare(request)
        async for message in socket:
            asked = json.loads(message.data)
            kind = asked.get("messageType")
            answer = {"messageType": kind, "status": 200}
            if kind == "hello":
                answer |= {"uaid": uuid4().hex, "use_webpush": True, "broadcasts": {}}
            elif kind == "register":
                name, channel = uuid4().hex, asked["channelID"]
                self.browsers[name] = _Subscription(channel, socket)
                answer |= {"channelID": channel, "pushEndpoint": f"{self.url}/push/{name}"}
            elif kind == "unregister":
                answer |= {"channelID": asked["channelID"]}
            elif kind == "ack":
                self.acknowledged += [update.get("code") for update in asked["updates"]]
                continue
            await socket.send_json(answer if kind else {})
        return socket


class Firefox:
    """One browser window."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        """Use `a_firefox`; this only keeps its arguments."""
        self._socket = socket
        self._commands = 0
        self._window = ""

    async def begin(self) -> None:
        """Start a session in the window that is there."""
        await self._ask("session.new", capabilities={})
        self._window = (await self._ask("browsingContext.getTree"))["contexts"][0]["context"]

    async def _ask(self, method: str, **params: Any) -> Any:
        self._commands += 1
        number = self._commands
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=SOON_S)
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    async def open(self, address: str) -> None:
        """Go to an address and wait until it has loaded."""
        where = {"context": self._window, "url": address}
        await self._ask("browsingContext.navigate", wait="complete", **where)

    async def allow_notifications(self, origin: str) -> None:
        """Allow a page to show notifications, as if its question had been answered."""
        what = {"descriptor": {"name": "notifications"}, "origin": origin}
        await self._ask("permissions.setPermission", state="granted", **what)

    async def evaluate(self, expression: str) -> Any:
        """Return what an expression comes to, as if a person had just touched the page."""
        whole = f"Promise.resolve({expression}).then(JSON.stringify)"
        said = await self._ask(
            "script.evaluate", target={"context": self._window}, expression=whole,
            awaitPromise=True, userActivation=True,
        )  # fmt: skip
        assert said["type"] == "success", said
        return json.loads(said["result"].get("value", "null"))

    async def until(self, expression: str) -> Any:
        """Return what an expression comes to as soon as that is true."""
        async with asyncio.timeout(SOON_S):
            while not (found := await self.evaluate(expression)):  # noqa: ASYNC110  as above
                await asyncio.sleep(0.1)
        return found

    async def press(self, selector: str, text: str) -> None:
        """Click what a selector finds and a text stands in, as soon as it is there."""
        find = f"[...document.querySelectorAll({json.dumps(selector)})]"
        which = f".find((it) => it.textContent.includes({json.dumps(text)}))"
        await self.until(f"(() => {{ const it = {find}{which}; it?.click(); return !!it; }})()")


@asynccontextmanager
async def a_firefox(program: str, profile: Path, service: PushService) -> AsyncIterator[Firefox]:
    """Yield a Firefox without a screen that takes its messages from `service`."""
    profile.mkdir()
    listens = {"dom.push.serverURL": service.here.replace("http:", "ws:") + "/"}
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});"
        for name, value in (_PREFERENCES | listens).items()
    ]
    (profile / "user.js").write_text("\n".join(lines))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        program, "--headless", "--no-remote", "--profile", str(profile),
        "--remote-debugging-port", "0",
        env=os.environ | {"HOME": str(profile)}, stdout=quiet, stderr=quiet,
    )  # fmt: skip
    try:
        where = profile / "WebDriverBiDiServer.json"
        said = await until(lambda: where.exists() and where.read_text(), START_S)
        address = f"ws://127.0.0.1:{json.loads(said)['ws_port']}/session"
        async with ClientSession() as session, session.ws_connect(address) as socket:
            browser = Firefox(socket)
            await browser.begin()
            yield browser
    finally:
        process.terminate()
        async with asyncio.timeout(START_S):
            await process.wait()

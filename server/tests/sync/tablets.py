"""A tablet at the protocol's door: a signed-in browser, and the device in it that writes ops."""

import hmac
import json
from base64 import urlsafe_b64decode
from hashlib import sha256
from typing import Any
from uuid import uuid4

from browsers import Browser, MovedClock, Site
from builders import Home
from devices import COLLECTIONS, Device

from mos.care.actions.session_keys import SessionKeys
from mos.sync.pokes import Hub
from mos.web.edge import Edge
from mos.web.metrics import Metrics
from mos.web.sync import sync_app

# What sessions' keys are made of here.
KEYS = SessionKeys(b"not so secret")


def app_of(database, clock, collections=COLLECTIONS):
    """Synchronisation behind the edge, with collections of the test's own."""
    sync = sync_app(database.app, clock, collections, Hub(database.app), KEYS)
    return Edge(sync, database.settings, Metrics())


class Tablet:
    """Asks what a device asks, and may ask wrongly."""

    def __init__(self, browser: Browser, device: Device, clock: MovedClock) -> None:
        self.browser, self.device, self.clock = browser, device, clock

    def frame(self, **more):
        return {
            "proto": 1, "schema": 1, "device_id": str(self.device.id),
            "client_now": self.clock().isoformat(),
        } | more  # fmt: skip

    async def post(self, name, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.browser.http.post(
            f"/sync/v1/{name}",
            content=content,
            headers={"x-mos": "1", "content-type": "application/json"} | headers,
        )

    async def push(self, *ops, **more):
        return await self.post("push", self.frame(batch=str(uuid4()), ops=ops, **more))

    async def pull(self, **spaces):
        return await self.post("pull", self.frame(spaces=spaces, check=True))

    async def hello(self, **more):
        return await self.post("hello", self.frame(proto=[1, 1], **more))

    async def snapshot(self, space, query="", **headers):
        return await self.browser.http.get(f"/sync/v1/snapshot/{space}{query}", headers=headers)

    @property
    def now_ms(self) -> int:
        return int(self.clock().timestamp() * 1000)

    def op(self, title="Frukost", **more):
        return self.device.set(uuid4(), {"title": title}, ms=self.now_ms, **more)

    def event(self, v: Any = None, **more):
        return self.device.event({"occ": "x"} if v is None else v, ms=self.now_ms, **more)


async def a_tablet(site: Site, home: Home, account=None) -> Tablet:
    """A tablet on which the caregiver, or somebody else, is signed in."""
    account = account or home.caregiver
    browser = await site.as_account(home.org, account)
    spaces = tuple(space for r in home.residents for space in (r.space, r.medication))
    device = Device(site.database, home.org, spaces, account=account, id=browser.device)
    return Tablet(browser, device, site.clock)


def batch_of(tablet, body, *ops, **more):
    """A push that the session of `body` signs."""
    texts = [json.dumps(op) for op in ops]
    batch = more.get("batch", str(uuid4()))
    text = "\n".join([str(tablet.device.id), batch, *texts])
    key = urlsafe_b64decode(body["sync_key"] + "=")
    mac = hmac.digest(key, text.encode(), sha256).hex()
    frame = tablet.frame(batch=batch, ops=[], **{"as": {"sid": body["sid"], "mac": mac} | more})
    return json.dumps(frame).replace('"ops": []', f'"ops": [{", ".join(texts)}]').encode()

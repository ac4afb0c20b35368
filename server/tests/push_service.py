"""A Web Push service and the browsers behind it: it checks what a real one does, and decrypts.

The receiver's side of RFC 8291 is written here from the RFC, apart from the sender that it tests.
"""

import asyncio
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def unb64(text: str) -> bytes:
    """Decode base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64(raw: bytes) -> str:
    """Encode base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the 65 bytes of a public key."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 for one block."""
    prk = hmac.new(salt, secret, sha256).digest()
    return hmac.new(prk, info + b"\x01", sha256).digest()[:length]


def decrypt(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Open a message as a browser does (RFC 8291 §3.4, RFC 8188 §2)."""
    salt, size, key_length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, sealed = body[21 : 21 + key_length], body[21 + key_length :]
    assert key_length == 65
    assert size >= len(sealed) > 17
    shared = key.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    )
    info = b"WebPush: info\x00" + point(key.public_key()) + sender
    ikm = hkdf(auth, shared, info, 32)
    content_key = hkdf(salt, ikm, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = hkdf(salt, ikm, b"Content-Encoding: nonce\x00", 12)
    opened = AESGCM(content_key).decrypt(nonce, sealed, None).rstrip(b"\x00")
    assert opened[-1:] == b"\x02", "the last record ends with its delimiter"
    return opened[:-1]


@dataclass
class Browser:
    """One subscription: its keys, its endpoint, what it was told."""

    name: str
    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    told: list[Any] = field(default_factory=list)

    @property
    def p256dh(self) -> bytes:
        """What the browser shows the app as its public key."""
        return point(self.key.public_key())

    async def take(self, body: bytes) -> None:
        """Open a message and keep what it says; None: it has no content (RFC 8030 §5)."""
        self.told.append(None if not body else json.loads(decrypt(body, self.key, self.auth)))


@dataclass
class PushService:
    """Answers like a real one; `answers` are statuses to give before it is well again.

    Browsers are told the address `url`; it listens at `here`, which is the same unless asked.
    """

    url: str = ""
    here: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    answers: list[int] = field(default_factory=list)
    retry_after: str = "1"
    hangs: asyncio.Event | None = None
    posts: list[dict[str, str]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def subscribe(self) -> Browser:
        """Let a browser subscribe."""
        name = secrets.token_urlsafe(16)
        browser = Browser(name, f"{self.url}/push/{name}")
        self.browsers[name] = browser
        return browser

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers."""
        return [web.post("/push/{name}", self.post)]

    async def post(self, request: web.Request) -> web.Response:
        """Take a message (RFC 8030 §5), if everything about it is right."""
        name, body = request.match_info["name"], await request.read()
        self.posts.append({key.lower(): value for key, value in request.headers.items()})
        self.heard.set()
        if self.hangs is not None:
            await self.hangs.wait()
        if self.answers:
            return web.Response(
                status=self.answers.pop(0), headers={"Retry-After": self.retry_after}
            )
        if name in self.gone:
            return web.Response(status=410)
        browser = self.browsers.get(name)
        if browser is None:
            return web.Response(status=404)
        fault = self._fault(request, body)
        if fault is not None:
            return web.Response(status=fault)
        await browser.take(body)
        return web.Response(status=201)

    def _fault(self, request: web.Request, body: bytes) -> int | None:
        if not request.headers.get("TTL", "").isdigit():
            return 400
        if body and request.headers.get("Content-Encoding") != "aes128gcm":
            return 400
        topic = request.headers.get("Topic", "")
        if len(topic) > 32 or not all(c.isalnum() or c in "-_" for c in topic):
            return 400
        if len(body) > 4096:
            return 413
        return None if self._is_signed(request) else 403

    def _is_signed(self, request: web.Request) -> bool:
        """RFC 8292: an ES256 token for exactly this origin, not for too long."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme != "vapid":
            return False
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        head, claims, signature = given["t"].split(".")
        said = json.loads(unb64(claims))
        if said["aud"] != self.url or not 0 < said["exp"] - time.time() <= 86_400:
            return False
        raw = unb64(signature)
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(given["k"]))
        try:
            key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


@asynccontextmanager
async def push_service(service: PushService | None = None) -> AsyncIterator[PushService]:
    """Yield a running push service on a port of its own."""
    service = service or PushService()
    app = web.Application()
    app.add_routes(service.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    service.here = f"http://{host}:{port}"
    service.url = service.url or service.here
    try:
        yield service
    finally:
        if service.hangs is not None:
            service.hangs.set()
        await runner.cleanup()

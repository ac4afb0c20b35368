"""A push service that is now well and now not, and opens what it is sent as browsers do."""

import base64
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# busy: 503; full: 429 and be patient; deaf: takes nothing and cuts; lossy: takes it, then cuts.
Mood = Literal["well", "busy", "full", "deaf", "lossy"]


@dataclass(frozen=True)
class Heard:
    """One message that a browser showed, or took away (`close`)."""

    subscription: str
    kind: str
    subject: str
    at: datetime


@dataclass
class PushService:
    """All browsers share a key here, for the sake of speed; each has an address of its own."""

    now: Callable[[], datetime]
    mood: Mood = "well"
    url: str = ""
    gone: set[str] = field(default_factory=set)
    heard: list[Heard] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    # Shown, and the answer did not reach the sender: it must send them once more.
    unanswered: set[tuple[str, str, str]] = field(default_factory=set)
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def p256dh(self) -> bytes:
        """The public key of every browser."""
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscribe(self) -> str:
        """Return the name of a new subscription."""
        return secrets.token_urlsafe(12)

    def endpoint(self, subscription: str) -> str:
        """Return the address of a subscription."""
        return f"{self.url}/push/{subscription}"

    async def post(self, request: web.Request) -> web.Response:
        """Take a message, or not."""
        name, body = request.match_info["name"], await request.read()
        if self.mood == "busy":
            return web.Response(status=503)
        if self.mood == "full":
            return web.Response(status=429, headers={"Retry-After": "20"})
        if self.mood == "deaf":
            return self._hang_up(request)
        if name in self.gone:
            return web.Response(status=410)
        shown = self._show(name, body, request.headers.get("Topic", ""))
        if self.mood == "lossy":
            self.unanswered.add(shown)
            return self._hang_up(request)
        if request.transport is None or request.transport.is_closing():
            # The sender was killed, or waited longer than it does: this machine is busy.
            self.unanswered.add(shown)
        return web.Response(status=201)

    @staticmethod
    def _hang_up(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _show(self, name: str, body: bytes, topic: str) -> tuple[str, str, str]:
        said = json.loads(self._opened(body))
        subject = said.get("occ") or said.get("alert") or said["tag"]
        # One thing on the screen for all that is said of one subject: by the same topic.
        if topic != _topic(subject):
            self.wrong.append(f"{said['kind']} of {subject} has topic {topic!r}")
        self.heard.append(Heard(name, said["kind"], subject, self.now()))
        return name, said["kind"], subject

    def _opened(self, body: bytes) -> bytes:
        """Open a message as a browser does (RFC 8291 §3.4, RFC 8188 §2)."""
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        info = b"WebPush: info\x00" + self.p256dh + sender
        seed = _hkdf(self.auth, self._key.exchange(ec.ECDH(), theirs), info, 32)
        key = _hkdf(salt, seed, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _hkdf(salt, seed, b"Content-Encoding: nonce\x00", 12)
        return AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")[:-1]


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    prk = hmac.digest(salt, secret, "sha256")
    return hmac.digest(prk, info + b"\x01", "sha256")[:length]


def _topic(subject: str) -> str:
    return base64.urlsafe_b64encode(sha256(subject.encode()).digest()).decode()[:32]


@asynccontextmanager
async def push_service(now: Callable[[], datetime]) -> AsyncIterator[PushService]:
    """Yield a running push service on a port of its own; moments are those of `now`."""
    service = PushService(now)
    app = web.Application()
    app.add_routes([web.post("/push/{name}", service.post)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        service.url = f"http://{host}:{port}"
        yield service
    finally:
        await runner.cleanup()

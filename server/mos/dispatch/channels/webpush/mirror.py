"""The receiving end of MOS's own push messages: what a browser and its service do, in one.

By it the chain is watched up to the push message (mos.dispatch.watch). It is nobody's
subscription: it listens on a socket file that only this process knows, and is called through a way
out of its own. So the guard of the way to real services stays shut, and no endpoint that a browser
or a person could name leads here (`.invalid` resolves nowhere, RFC 2606).
"""

import asyncio
import hmac
import json
import secrets
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import structlog
from aiohttp import web
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mos.dispatch.channels.result import Result
from mos.dispatch.outward import LIMIT_S
from mos.dispatch.vapid import Vapid
from mos.dispatch.webpush import Message, Post, Subscription, send
from mos.kernel.settings import Settings

_log = structlog.get_logger(__name__)
_ORIGIN = "https://watch.mos.invalid"


class Mirror:
    """A browser of nobody's: takes what is sent to it if everything about it is right."""

    def __init__(self, post: Post) -> None:
        """Use `open_mirror`; this only makes the keys, which live as long as the process."""
        self._post = post
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = secrets.token_bytes(16)
        self._path = "/" + secrets.token_urlsafe(16)
        self._awaits: set[str] = set()
        self.subscription = Subscription(_ORIGIN + self._path, self._point, self._auth)

    @property
    def _point(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    async def send(self, message: Message) -> Result:
        """Send it encrypted and signed, as to any browser; `sent` only where it was opened here."""
        self._awaits.add(message.tag)
        try:
            return await send(self._post, self.subscription, message)
        finally:
            self._awaits.discard(message.tag)

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer 201 to what is meant for us, signed by us and holds the name that is awaited."""
        if not hmac.compare_digest(request.path, self._path):
            return web.Response(status=404)
        if not self._is_signed(request.headers.get("Authorization", "")):
            return web.Response(status=403)
        try:
            said = json.loads(self._open(await request.read()))
        except (ValueError, InvalidTag):
            return web.Response(status=400)
        name = said.get("occ") or said.get("tag")
        return web.Response(status=201 if name in self._awaits else 409)

    def _open(self, body: bytes) -> bytes:
        """Open a message as a browser does (RFC 8291 §3.4, RFC 8188 §2)."""
        salt, ours, sealed = body[:16], body[21:86], body[86:]
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), ours)
        shared = self._key.exchange(ec.ECDH(), sender)
        seed = _hkdf(self._auth, shared, b"WebPush: info\x00" + self._point + ours, 32)
        key = _hkdf(salt, seed, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _hkdf(salt, seed, b"Content-Encoding: nonce\x00", 12)
        return AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00").removesuffix(b"\x02")

    def _is_signed(self, authorization: str) -> bool:
        """Say whether it bears a token of ours for this origin (RFC 8292), as services ask."""
        try:
            token = authorization.removeprefix("vapid t=").partition(",")[0]
            head, claims, signature = token.split(".")
            raw = _unb64(signature)
            ours = self._post.vapid.key.public_key()
            pair = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            signed = f"{head}.{claims}".encode()
            ours.verify(encode_dss_signature(*pair), signed, ec.ECDSA(SHA256()))
            said = json.loads(_unb64(claims))
        except (ValueError, InvalidSignature):
            return False
        now = self._post.vapid.clock().timestamp()
        return bool(said["aud"] == _ORIGIN and said["exp"] > now)


@asynccontextmanager
async def open_mirror(vapid: Vapid, settings: Settings) -> AsyncIterator[Mirror | None]:
    """Yield the receiving end, which closes at the end; None where no socket can be had.

    That is logged, and push messages are then not watched: no reminder waits for it.
    """
    async with AsyncExitStack() as stack:
        try:
            folder = stack.enter_context(TemporaryDirectory(prefix="mos-"))
            mirror = await stack.enter_async_context(_listening(folder, vapid, settings))
        except OSError as error:
            _log.error("push_not_watched", why=error.strerror)
            mirror = None
        yield mirror


@asynccontextmanager
async def _listening(folder: str, vapid: Vapid, settings: Settings) -> AsyncIterator[Mirror]:
    path = str(Path(folder) / "push")
    async with aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(path),
        timeout=aiohttp.ClientTimeout(total=LIMIT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        mirror = Mirror(Post(session, vapid, (), settings))
        runner = web.ServerRunner(web.Server(mirror.take, access_log=None))
        await runner.setup()
        try:
            await web.UnixSite(runner, path).start()
            yield mirror
        finally:
            await asyncio.shield(runner.cleanup())


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """Return one block of RFC 5869."""
    return hmac.digest(hmac.digest(salt, secret, "sha256"), info + b"\x01", "sha256")[:length]


def _unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

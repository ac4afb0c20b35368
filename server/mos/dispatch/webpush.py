"""Web Push: one encrypted, signed message to one browser (RFC 8030, 8188, 8291, 8292).

The payload holds ids only, although the push service cannot read it: what a resident should do is
on the device already. Endpoints come from browsers and are therefore not trusted: a message goes to
public addresses over https, never into the network that the server stands in.
"""

import hmac
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from hashlib import sha256
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct, structs

from mos.dispatch.channels.asked import unanswered
from mos.dispatch.channels.result import Result
from mos.dispatch.outward import LIMIT_S, Blocked, Guard, GuardedResolver, wish
from mos.dispatch.vapid import Vapid, base64url
from mos.kernel.settings import Settings

# One record of RFC 8188; every push service takes this much.
_RECORD_SIZE = 4096
_MAX_PAYLOAD = _RECORD_SIZE - 16 - 1 - 86


class Subscription(Struct, frozen=True):
    """Where a browser takes its messages, and the keys that only it can open them with."""

    endpoint: str
    p256dh: bytes  # the browser's public key, 65 bytes
    auth: bytes  # 16 bytes
    key: bytes | None = None  # the public key of ours that it is bound to; None: the present one


class Message(Struct, frozen=True, kw_only=True):
    """What is sent. A later message of the same `tag` replaces one that still waits."""

    payload: bytes
    ttl_s: int
    tag: str
    urgency: Literal["normal", "high"] = "high"


# ───────────────────────────────────────────────────────────── encryption (RFC 8291)
def _hmac(key: bytes, *parts: bytes) -> bytes:
    return hmac.digest(key, b"".join(parts), "sha256")


@lru_cache(maxsize=20_000)
def _public_key(raw: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)


def encrypt(
    payload: bytes,
    subscription: Subscription,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the body of the message: a header and one sealed record.

    `key` and `salt` are new for each message; only a test gives them. Raises ValueError for keys
    that no browser makes and for a payload above 3993 bytes.
    """
    if len(payload) > _MAX_PAYLOAD:
        raise ValueError("the payload does not fit into one record")
    key = key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or secrets.token_bytes(16)
    ours = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    theirs = subscription.p256dh
    shared = key.exchange(ec.ECDH(), _public_key(theirs))
    seed = _hmac(_hmac(subscription.auth, shared), b"WebPush: info\x00", theirs, ours, b"\x01")
    secret = _hmac(salt, seed)
    content_key = _hmac(secret, b"Content-Encoding: aes128gcm\x00\x01")[:16]
    nonce = _hmac(secret, b"Content-Encoding: nonce\x00\x01")[:12]
    # 0x02 ends the last record.
    sealed = AESGCM(content_key).encrypt(nonce, payload + b"\x02", None)
    return b"".join((salt, _RECORD_SIZE.to_bytes(4, "big"), bytes([len(ours)]), ours, sealed))


class _OpenResolver(aiohttp.ThreadedResolver):
    """Resolves names to any address; for a push service of the test's own."""


# ───────────────────────────────────────────────────────────── sending
class Post:
    """Kept-alive connections to push services, and the key that signs. One for each process."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        vapid: Vapid,
        older: Sequence[Vapid],
        settings: Settings,
    ) -> None:
        """Use `open_post`; this only keeps its arguments."""
        self.session = session
        self.vapid = vapid
        self._keys = {key.point: key for key in (*older, vapid)}
        self.private_hosts = settings.push_private_hosts
        self._rewrite = settings.push_rewrite

    def key_of(self, point: bytes | None) -> Vapid | None:
        """Return the key that a subscription is bound to, or None when we have lost it."""
        return self.vapid if point is None else self._keys.get(point)

    def target(self, endpoint: str) -> tuple[str, str]:
        """Return the address to post to, and the origin to sign for. Raises Blocked."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        if self._rewrite is not None and origin == self._rewrite[0]:
            return self._rewrite[1] + endpoint.removeprefix(origin), origin
        if not self.private_hosts:
            if parts.scheme != "https" or parts.hostname is None or parts.username is not None:
                raise Blocked
            Guard().require(parts.hostname)
        return endpoint, origin


@asynccontextmanager
async def open_post(
    vapid: Vapid, settings: Settings, *, older: Sequence[Vapid] = (), limit_s: float = LIMIT_S
) -> AsyncIterator[Post]:
    """Yield a Post whose connections close at the end.

    New subscriptions are bound to `vapid`; some may still be to the `older` ones.
    """
    trusted = frozenset(
        name for name in [urlsplit((settings.push_rewrite or ("", ""))[1]).hostname] if name
    )
    resolver = (
        _OpenResolver() if settings.push_private_hosts else GuardedResolver(Guard(trusted=trusted))
    )
    connector = aiohttp.TCPConnector(
        limit=0, limit_per_host=64, ttl_dns_cache=300, keepalive_timeout=60, resolver=resolver
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=limit_s, connect=5),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield Post(session, vapid, older, settings)


def topic(tag: str) -> str:
    """Return the Topic header of `tag`: 32 characters that tell the service nothing about it."""
    return base64url(sha256(tag.encode()).digest())[:32]


async def send(post: Post, subscription: Subscription, message: Message) -> Result:
    """Send one message and say what became of it. Never raises for what the network does."""
    key = post.key_of(subscription.key)
    if key is None:
        # No service takes anything for it from us any more: the device has to subscribe anew.
        return Result("gone", "key_lost")
    try:
        result = await _deliver(post, key, subscription, message)
        if result.code == "http_413" and message.urgency == "high":
            # Better a device that only knows that something waits than one that knows nothing.
            result = await _deliver(post, key, subscription, structs.replace(message, payload=b""))
    except (Blocked, TimeoutError, aiohttp.ClientError) as error:
        return unanswered(error)
    except ValueError:
        # After those: a certificate that does not hold is a ValueError, too, and may be renewed.
        return Result("refused", "bad_subscription")
    return result


async def _deliver(post: Post, key: Vapid, subscription: Subscription, message: Message) -> Result:
    url, origin = post.target(subscription.endpoint)
    headers = {
        "Authorization": key.authorization(origin),
        "TTL": str(max(0, message.ttl_s)),
        "Urgency": message.urgency,
        "Topic": topic(message.tag),
    }
    body = b""
    if message.payload:
        headers["Content-Encoding"] = "aes128gcm"
        headers["Content-Type"] = "application/octet-stream"
        body = encrypt(message.payload, subscription)
    # A redirect could lead anywhere, and no push service needs one.
    async with post.session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
        return _result(answer.status, answer.headers.get("Retry-After"))


def _result(status: int, retry_after: str | None) -> Result:
    code = f"http_{status}"
    if status in (200, 201, 202, 204):
        return Result("sent", code)
    if status in (404, 410):
        return Result("gone", code)
    if status == 429 or status >= 500:
        return Result("later", code, wish(retry_after))
    return Result("refused", code)

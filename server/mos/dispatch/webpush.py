"""Web Push: one encrypted, signed message to one browser (RFC 8030, 8188, 8291, 8292).

The payload holds ids only, although the push service cannot read it: what a resident should do is
on the device already. Endpoints come from browsers and are therefore not trusted: a message goes to
public addresses over https, never into the network that the server stands in.
"""

import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import AddressFamily
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from mos.dispatch.vapid import Vapid, base64url
from mos.kernel.settings import Settings

# One record of RFC 8188; every push service takes this much.
_RECORD_SIZE = 4096
_MAX_PAYLOAD = _RECORD_SIZE - 16 - 1 - 86

# Longer than any healthy service needs, shorter than the lease of a delivery (store.LEASE).
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


class Subscription(Struct, frozen=True):
    """Where a browser takes its messages, and the keys that only it can open them with."""

    endpoint: str
    p256dh: bytes  # the browser's public key, 65 bytes
    auth: bytes  # 16 bytes


class Message(Struct, frozen=True, kw_only=True):
    """What is sent. A later message of the same `tag` replaces one that still waits."""

    payload: bytes
    ttl_s: int
    tag: str
    urgency: Literal["normal", "high"] = "high"


class Result(Struct, frozen=True):
    """What became of it: `sent`, `gone` (no such subscription any more), `later`, or `refused`.

    `code` is a short word for logs and metrics; `retry_after_s` is the service's own wish.
    """

    outcome: Literal["sent", "gone", "later", "refused"]
    code: str
    retry_after_s: float | None = None


class Blocked(Exception):
    """The endpoint points to where no push service is."""


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


# ───────────────────────────────────────────────────────────── where a message may go
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether `address` is on the public internet, looking through IPv6 that carries IPv4."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


class _GuardedResolver(AbstractResolver):
    """Resolves names, and refuses one that any non-public address answers to.

    It sits inside the connection, so the address that was looked at is the one that is used.
    """

    def __init__(self, trusted: frozenset[str]) -> None:
        self._inner = aiohttp.ThreadedResolver()
        self._trusted = trusted

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if host not in self._trusted:
            for answer in found:
                _require_public(answer["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


def _require_public(host: str) -> None:
    """Raise Blocked when `host` is an address, and not a public one. A name passes."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return
    if not is_public(address):
        raise Blocked


class _OpenResolver(aiohttp.ThreadedResolver):
    """Resolves names to any address; for a push service of the test's own."""


# ───────────────────────────────────────────────────────────── sending
class Post:
    """Kept-alive connections to push services, and the key that signs. One for each process."""

    def __init__(self, session: aiohttp.ClientSession, vapid: Vapid, settings: Settings) -> None:
        """Use `open_post`; this only keeps its arguments."""
        self.session = session
        self.vapid = vapid
        self._private_hosts = settings.push_private_hosts
        self._rewrite = settings.push_rewrite

    def target(self, endpoint: str) -> tuple[str, str]:
        """Return the address to post to, and the origin to sign for. Raises Blocked."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        if self._rewrite is not None and origin == self._rewrite[0]:
            return self._rewrite[1] + endpoint.removeprefix(origin), origin
        if not self._private_hosts:
            if parts.scheme != "https" or parts.hostname is None or parts.username is not None:
                raise Blocked
            _require_public(parts.hostname)
        return endpoint, origin


@asynccontextmanager
async def open_post(vapid: Vapid, settings: Settings) -> AsyncIterator[Post]:
    """Yield a Post whose connections close at the end."""
    trusted = frozenset(
        name for name in [urlsplit((settings.push_rewrite or ("", ""))[1]).hostname] if name
    )
    resolver = _OpenResolver() if settings.push_private_hosts else _GuardedResolver(trusted)
    connector = aiohttp.TCPConnector(
        limit=0, limit_per_host=64, ttl_dns_cache=300, keepalive_timeout=60, resolver=resolver
    )
    async with aiohttp.ClientSession(
        connector=connector, timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Post(session, vapid, settings)


def topic(tag: str) -> str:
    """Return the Topic header of `tag`: 32 characters that tell the service nothing about it."""
    return base64url(sha256(tag.encode()).digest())[:32]


async def send(post: Post, subscription: Subscription, message: Message) -> Result:
    """Send one message and say what became of it. Never raises for what the network does."""
    try:
        url, origin = post.target(subscription.endpoint)
        return await _deliver(post, url, origin, subscription, message)
    except Blocked:
        return Result("refused", "blocked")
    except ValueError:
        return Result("refused", "bad_subscription")
    except TimeoutError:
        return Result("later", "timeout")
    except aiohttp.ClientError:
        return Result("later", "unreachable")


async def _deliver(
    post: Post, url: str, origin: str, subscription: Subscription, message: Message
) -> Result:
    headers = {
        "Authorization": post.vapid.authorization(origin),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(max(0, message.ttl_s)),
        "Urgency": message.urgency,
        "Topic": topic(message.tag),
    }
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
        # The date form is not worth a parser: our own back-off is used for it.
        wish = float(retry_after) if retry_after is not None and retry_after.isdigit() else None
        return Result("later", code, wish)
    return Result("refused", code)

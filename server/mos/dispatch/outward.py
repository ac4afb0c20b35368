"""The way out to services that others have named: public addresses only, in time, and no flood in.

Push endpoints come from browsers; webhooks, gateways and mail servers from an organisation's
administrator. None of them may lead into the network that the server stands in. The address is
looked at inside the connection, so that the one that was judged is the one that is used.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AddressFamily
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct

from mos.kernel.clock import system_clock

# Longer than any healthy service needs, shorter than the lease of a delivery (store.LEASE).
LIMIT_S = 10.0
_CONNECT_S = 5.0
# No service that we ask has more to say.
_MOST_ANSWER = 64 * 1024
_NAT64 = IPv6Network("64:ff9b::/96")


class Blocked(Exception):
    """The address points to where no service of ours is."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether `address` is on the public internet, looking through IPv6 that carries IPv4."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def is_public_name(host: str) -> bool:
    """Say whether a host's name or address looks public, for a form; sending looks again."""
    try:
        return is_public(ip_address(host.partition("%")[0]))
    except ValueError:
        local = host.endswith((".localhost", ".local", ".internal", ".home.arpa", ".lan"))
        return "." in host.strip(".") and not local and not host[-1].isdigit()


@dataclass(frozen=True)
class Guard:
    """Which addresses may be called: public ones, and those in an operator's `networks`."""

    networks: tuple[str, ...] = ()
    # Names that are believed whatever they lead to.
    trusted: frozenset[str] = frozenset()

    def require(self, host: str) -> None:
        """Raise Blocked when `host` is an address that may not be called. A name passes."""
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return
        if not self._is_named(address) and not is_public(address):
            raise Blocked

    def require_url(self, url: str) -> None:
        """Raise Blocked unless `url` is an address that may be called, over https.

        Without TLS only what an operator has named is called, by its address.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise Blocked from None
        if not host or parts.username is not None:
            raise Blocked
        if parts.scheme != "https" and not self.allows_clear(url):
            raise Blocked
        self.require(host)

    def allows(self, host: str) -> bool:
        """Say whether a host's name or address may be called as far as a form can tell."""
        try:
            return is_public_name(host) or self._is_named(ip_address(host))
        except ValueError:
            # With inner networks named, an inner name may lead into one: sending looks.
            return bool(self.networks)

    def allows_clear(self, url: str) -> bool:
        """Say whether `url` may be called without TLS: an address in the named networks."""
        try:
            parts = urlsplit(url)
            return parts.scheme == "http" and self._is_named(ip_address(parts.hostname or ""))
        except ValueError:
            return False

    def _is_named(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in ip_network(network, strict=False) for network in self.networks)


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses one that any address that may not be called answers to."""

    def __init__(self, guard: Guard) -> None:
        """Judge what names lead to by `guard`."""
        self._inner = aiohttp.ThreadedResolver()
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        """Return what `host` leads to; raises Blocked."""
        found = await self._inner.resolve(host, port, family)
        if host not in self._guard.trusted:
            for answer in found:
                self._guard.require(answer["host"])
        return found

    async def close(self) -> None:
        """Let go of the resolver inside."""
        await self._inner.close()


class Answer(Struct, frozen=True):
    """A service's answer; `body` is its first 64 kB."""

    status: int
    retry_after_s: float | None
    body: bytes


@dataclass(frozen=True)
class Outward:
    """Connections to services over https, and the rules for every other. One for each process."""

    session: aiohttp.ClientSession
    guard: Guard
    tls: ssl.SSLContext
    limit_s: float = LIMIT_S

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post and return the answer. Redirects are answers like any other.

        Raises Blocked, TimeoutError when it takes longer than `limit_s` in all, and
        aiohttp.ClientError for what the network does.
        """
        return await self._ask("POST", url, headers, body)

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Fetch and return the answer; raises as `post`."""
        return await self._ask("GET", url, headers, None)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        self.guard.require_url(url)
        async with (
            asyncio.timeout(self.limit_s),
            self.session.request(
                method, url, data=body, headers=headers, allow_redirects=False, ssl=self.tls
            ) as answer,
        ):
            read = bytearray()
            async for chunk in answer.content.iter_chunked(_MOST_ANSWER):
                read += chunk[: _MOST_ANSWER - len(read)]
                if len(read) == _MOST_ANSWER:
                    # The rest is nobody's business; the connection ends with it.
                    answer.close()
                    break
            return Answer(answer.status, wish(answer.headers.get("Retry-After")), bytes(read))

    async def connect(self, host: str, port: int, *, guarded: bool = True) -> socket.socket:
        """Return a connected socket; raises Blocked or OSError. The caller bounds the time."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if guarded:
            for *_, address in found:
                self.guard.require(str(address[0]))
        failure = OSError("the name leads nowhere")
        for family, kind, proto, _, address in found:
            connection = socket.socket(family, kind, proto)
            connection.settimeout(0)
            try:
                async with asyncio.timeout(_CONNECT_S):
                    await loop.sock_connect(connection, address)
            except OSError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise failure


def wish(retry_after: str | None) -> float | None:
    """Return the seconds that a Retry-After asks for, as a number or as a date; else None."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        at = parsedate_to_datetime(retry_after)
        # The service's date is compared with real time, not with a clock that a test moves.
        return max((at - system_clock()).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


@asynccontextmanager
async def open_outward(
    networks: tuple[str, ...] = (), *, limit_s: float = LIMIT_S
) -> AsyncIterator[Outward]:
    """Yield the way out; its connections close at the end.

    Certificates are trusted as the system does (or the file that SSL_CERT_FILE names).
    """
    guard = Guard(networks)
    connector = aiohttp.TCPConnector(
        limit=200, limit_per_host=16, ttl_dns_cache=60, resolver=GuardedResolver(guard)
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=limit_s, connect=_CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as session:
        yield Outward(session, guard, ssl.create_default_context(), limit_s)

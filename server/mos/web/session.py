"""Who is asking, from the cookie; and that the request comes from our own page.

The cookie is called `__Host-mos` (Secure) when the scheme is https, else `mos`. `mos.web.app` gives
each request the scheme of the public address, so that a proxy in front changes nothing here.
"""

from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from mos.care.actions.sessions import authenticate, authenticate_closed
from mos.care.model import Actor
from mos.db import Pool
from mos.kernel.clock import Clock
from mos.kernel.errors import Forbidden, Unauthenticated

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Longer than any session may live: the server's row decides, the cookie only has to outlast it.
COOKIE_LIFE_S = int(timedelta(days=400).total_seconds())


async def actor_of(scope: Any, pool: Pool, clock: Clock) -> Actor:
    """Return who sent this request, from its session cookie. Raises Unauthenticated."""
    token = cookie_token(scope)
    if token is None:
        raise Unauthenticated("Sign in first.", code="signed_out")
    return await authenticate(pool, token, clock())


async def closed_actor_of(
    scope: Any, pool: Pool, *, after: datetime, now: datetime
) -> Actor | None:
    """Return whose account was closed later than `after` while they were signed in here, or None.

    They may do nothing any more but send what they did before.
    """
    token = cookie_token(scope)
    if token is None:
        return None
    return await authenticate_closed(pool, token, after=after, now=now)


def require_same_origin(scope: Any) -> None:
    """Let safe methods and our own page's requests pass; raises Forbidden for all others.

    A foreign page can neither set `x-mos` without a preflight, which is never answered, nor forge
    `Sec-Fetch-Site` or `Origin`. A program that sends neither of the two (curl) carries no cookie
    that it was not given.
    """
    if scope["method"] in SAFE_METHODS:
        return
    if header(scope, b"x-mos") != "1":
        raise Forbidden("Send the header x-mos: 1.", code="cross_site")
    site = header(scope, b"sec-fetch-site")
    origin = header(scope, b"origin")
    if site is not None and site != "same-origin":
        raise Forbidden("This request came from another site.", code="cross_site")
    # Browsers send Sec-Fetch-Site to trustworthy addresses only; over plain HTTP Origin must do.
    if site is None and origin is not None and urlsplit(origin).netloc != header(scope, b"host"):
        raise Forbidden("This request came from another site.", code="cross_site")


def header(scope: Any, name: bytes) -> str | None:
    """Return the first value of a header (name in lower case), or None."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


def cookie_token(scope: Any) -> str | None:
    """Return the session token that the request carries, or None."""
    return _value(scope, _cookie_name(scope))


def _value(scope: Any, name: str) -> str | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(header(scope, b"cookie") or "")
    except CookieError:
        return None
    morsel = cookies.get(name)
    return morsel.value if morsel is not None and morsel.value else None


def known_token(scope: Any) -> str | None:
    """Return what the browser keeps of who has signed in on it before, or None."""
    return _value(scope, known_name(scope))


def known_name(scope: Any) -> str:
    """Return the name of the cookie by which a device is known again."""
    return "__Host-mos-known" if scope["scheme"] == "https" else "mos-known"


def bound_token(scope: Any) -> str | None:
    """Return the cookie that stands for this device, or None."""
    return _value(scope, bound_name(scope))


def bound_name(scope: Any) -> str:
    """Return the name of the cookie that binds PINs to this device."""
    return "__Host-mos-device" if scope["scheme"] == "https" else "mos-device"


def trip_token(scope: Any) -> str | None:
    """Return the cookie of whoever is away at their identity provider, or None."""
    return _value(scope, trip_name(scope))


def trip_name(scope: Any) -> str:
    """Return the name of the cookie that goes along to an identity provider."""
    return "__Host-mos-oidc" if scope["scheme"] == "https" else "mos-oidc"


def set_cookie(scope: Any, token: str) -> str:
    """Return the Set-Cookie value that opens a session in the browser."""
    return _cookie(scope, token, COOKIE_LIFE_S)


def clear_cookie(scope: Any) -> str:
    """Return the Set-Cookie value that forgets the session."""
    return _cookie(scope, "", 0)


def _cookie(scope: Any, value: str, max_age_s: int) -> str:
    secure = "; Secure" if scope["scheme"] == "https" else ""
    life = f"Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}"
    return f"{_cookie_name(scope)}={value}; {life}"


def _cookie_name(scope: Any) -> str:
    return "__Host-mos" if scope["scheme"] == "https" else "mos"

"""Devices that somebody has signed in on before: what strangers lock, does not lock them.

A browser keeps a cookie with an entry for each of the last people who signed in there: random bytes
and a MAC that binds them to one address of one organisation. It names nobody and opens nothing. A
try that brings its entry along is counted for that entry alone, and not with those of strangers.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from uuid import UUID

# Makes the keyed hash of a kind and a value (Doorkeeper.key).
Key = Callable[[str, str], bytes]

_RANDOM, _MAC = 8, 16
_MOST_PEOPLE = 5
_SEPARATOR = "."


def entry_for(key: Key, cookie: str | None, org: UUID, email: str) -> str | None:
    """Return the cookie's entry for this address in lower case, or None."""
    return next((entry for entry in _entries(cookie) if _is_for(key, entry, org, email)), None)


def remembered(key: Key, cookie: str | None, org: UUID, email: str) -> str:
    """Return the cookie with an entry for this address in lower case, the latest person first."""
    there = _entries(cookie)
    own = entry_for(key, cookie, org, email)
    others = [entry for entry in there if entry != own]
    return _SEPARATOR.join([own or _new(key, org, email), *others][:_MOST_PEOPLE])


def _entries(cookie: str | None) -> list[str]:
    return (cookie or "").split(_SEPARATOR)[:_MOST_PEOPLE] if cookie else []


def _new(key: Key, org: UUID, email: str) -> str:
    head = secrets.token_bytes(_RANDOM)
    return urlsafe_b64encode(head + _mac(key, head, org, email)).decode()


def _is_for(key: Key, entry: str, org: UUID, email: str) -> bool:
    try:
        whole = urlsafe_b64decode(entry)
    except ValueError:
        return False
    head, mac = whole[:_RANDOM], whole[_RANDOM:]
    return hmac.compare_digest(mac, _mac(key, head, org, email))


def _mac(key: Key, head: bytes, org: UUID, email: str) -> bytes:
    return key("known", f"{head.hex()}|{org}|{email}")[:_MAC]

"""Who guards the doors: the keys that hide and sign, and how often somebody may try.

Every try is counted before it is made, under keyed hashes that tell nobody whose it is; what was
right takes its own try back.
"""

import hmac
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from mos.care import rules, store
from mos.care.actions.passwords import Passwords
from mos.care.actions.relying_party import RelyingParty
from mos.care.actions.session_keys import SessionKeys
from mos.care.model import Actor
from mos.db import Db, Pool
from mos.kernel.errors import TooMany, Unauthenticated


class Doorkeeper(Struct, frozen=True):
    """What guards the doors: how passwords are hashed, and the keys that hide and that sign."""

    passwords: Passwords
    limits_key: bytes
    session_keys: SessionKeys
    # Whose passkeys are asked for; None where browsers make none.
    party: RelyingParty | None = None

    def key(self, kind: str, value: str) -> bytes:
        """Return the key under which tries are counted; it tells nobody the address."""
        return hmac.digest(self.limits_key, f"{kind}:{value}".encode(), sha256)


class Limit(NamedTuple):
    """Under which key tries are counted, and how many pass before the first lock."""

    key: bytes
    free: int


def failed() -> Unauthenticated:
    """Return the one answer to whoever does not get in."""
    return Unauthenticated("The address or the password is wrong.", code="sign_in_failed")


class Tried(NamedTuple):
    """The key of a try that was counted, and whether the next one has to wait."""

    key: bytes
    locks: bool


async def require_try(  # noqa: PLR0913  what is tried, how often, and when
    db: Db, door: Doorkeeper, kind: str, value: str, *, free: int, now: datetime
) -> Tried:
    """Count a try of something of one's own kind; raises TooMany."""
    limit = Limit(door.key(kind, value), free)
    return Tried(limit.key, await count(db, limit, now))


async def require_client(pool: Pool, door: Doorkeeper, client: str, now: datetime) -> None:
    """Count a try of a network address at a door without passwords; raises TooMany."""
    async with pool.transaction() as db:
        await count(db, client_limit(door, client), now)
        await store.forget_old_tries(db, now)


async def forgiven(db: Db, door: Doorkeeper, client: str) -> None:
    """Take back the try of whoever got in."""
    limit = client_limit(door, client)
    await store.take_back_try(db, limit.key, free=limit.free)


async def forget_account_tries(db: Db, door: Doorkeeper, org: UUID, email: str | None) -> None:
    """Unlock an account whose person has proved who they are in another way."""
    if email is not None:
        await store.forget_tries(db, account_limit(door, org, email).key)


def account_limit(door: Doorkeeper, org: UUID, email: str) -> Limit:
    """Return the limit of an address, in lower case, of an organisation."""
    return Limit(door.key("account", f"{org}:{email}"), rules.FREE_TRIES_PER_ACCOUNT)


def session_limit(door: Doorkeeper, actor: Actor) -> Limit:
    """Return the limit of what is tried inside a session."""
    return Limit(door.key("session", str(actor.session)), rules.FREE_TRIES_PER_ACCOUNT)


def client_limit(door: Doorkeeper, client: str) -> Limit:
    """Return the limit of a network address."""
    return Limit(door.key("client", _network(client)), rules.FREE_TRIES_PER_ADDRESS)


def reset_limit(door: Doorkeeper, client: str) -> Limit:
    """Return the limit of a network address that asks for forgotten passwords."""
    return Limit(door.key("reset client", _network(client)), rules.FREE_TRIES_PER_ADDRESS)


async def count(db: Db, limit: Limit, now: datetime) -> bool:
    """Count a try; return whether the next one has to wait. Raises TooMany for one that has to."""
    failures = await store.count_try(db, limit.key, now)
    if failures is None:
        until = await store.locked_until(db, limit.key) or now
        wait = max(1, round((until - now).total_seconds()))
        raise TooMany("Too many tries. Wait a while.", retry_after_s=wait)
    lock = rules.lock_after(failures, free=limit.free)
    if lock is not None:
        await store.lock_until(db, limit.key, now + lock)
    return lock is not None


def _network(client: str) -> str:
    """Return what one household or attacker holds at least: an IPv4 address, an IPv6 /64."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)

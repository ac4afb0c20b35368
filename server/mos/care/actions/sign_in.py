"""Sign-in by e-mail and password: as slow for a stranger as for an account, and not to be hurried.

Every try is counted before it is made, under a keyed hash of the organisation with the address and
one of the client's network address; a right password takes its own try back. What happens in one
organisation says nothing of another: one address may stand in several, each time with a password
of its own.
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
from mos.care.actions.session_keys import SessionKeys
from mos.care.actions.sessions import Bearer, Opened, Where, open_session
from mos.care.actions.text import Password
from mos.care.model import Actor
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Invalid, TooMany, Unauthenticated
from mos.kernel.ids import new_id

# Where nobody is yet, tries are counted as if somebody were.
_NOWHERE = UUID(int=0)


class Doorkeeper(Struct, frozen=True):
    """What guards the doors: how passwords are hashed, and the keys that hide and that sign."""

    passwords: Passwords
    limits_key: bytes
    session_keys: SessionKeys

    def key(self, kind: str, value: str) -> bytes:
        """Return the key under which tries are counted; it tells nobody the address."""
        return hmac.digest(self.limits_key, f"{kind}:{value}".encode(), sha256)


class Attempt(Struct, frozen=True):
    """One try at the door; `client` is the network address that it comes from.

    `organisation` need not be named while there is only one, and is passed over then.
    """

    organisation: UUID | None
    email: str
    password: str
    client: str
    where: Where


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The password that is, and the one that is to be."""

    current: Password
    new: Password


class _Limit(NamedTuple):
    key: bytes
    free: int


async def sign_in(pool: Pool, door: Doorkeeper, attempt: Attempt, now: datetime) -> Opened:
    """Open a session for the right password; raises Unauthenticated, TooMany, Conflict or Invalid.

    An unknown organisation, an unknown address, a wrong password and a disabled account get the
    same answer after the same work.
    """
    with door.passwords.room():
        return await _sign_in(pool, door, attempt, now)


async def _sign_in(pool: Pool, door: Doorkeeper, attempt: Attempt, now: datetime) -> Opened:
    # Folded once, here: what is looked up must be what is counted.
    email = attempt.email.lower()
    async with pool.transaction() as db:
        org = await _destination(db, attempt.organisation)
    account_limit = _account_limit(door, org, email)
    client_limit = _client_limit(door, attempt.client)
    async with pool.transaction(Scope(org=org)) as db:
        await _count(db, account_limit, now)
        await _count(db, client_limit, now)
        # Last: what this takes away, it waits for nobody with.
        await store.forget_old_tries(db, now)
        known = await store.known_by_email(db, org, email)
    verdict = await door.passwords.verify(known.secret if known else None, attempt.password)
    if known is None or not verdict.right or known.disabled:
        raise Unauthenticated("The address or the password is wrong.", code="sign_in_failed")
    fresh = await door.passwords.hash(attempt.password) if verdict.outdated else None
    async with pool.transaction(Scope(org=org)) as db:
        await store.forget_tries(db, account_limit.key)
        await store.take_back_try(db, client_limit.key, free=client_limit.free)
        if fresh is not None:
            await _store_password(db, org, known.account, fresh, now)
        return await _enter(db, org, known.account, attempt.where, now)


async def _destination(db: Db, named: UUID | None) -> UUID:
    found = await store.sign_in_organisation(db, named)
    if found.several and named is None:
        raise Invalid("Say which organisation you belong to.", field="organisation")
    # Of an unknown one nobody is found, and the tries are counted all the same.
    return found.id or named or _NOWHERE


async def change_password(
    pool: Pool, door: Doorkeeper, actor: Actor, change: PasswordChange, now: datetime
) -> None:
    """Change one's own password and end one's other sessions; raises Invalid or TooMany.

    A stolen session must not be a way to guess: these tries are counted with those at the door.
    """
    with door.passwords.room():
        await _change_password(pool, door, actor, change, now)


async def _change_password(
    pool: Pool, door: Doorkeeper, actor: Actor, change: PasswordChange, now: datetime
) -> None:
    async with pool.transaction(Scope(org=actor.org)) as db:
        person = await store.account(db, actor.org, actor.account)
        if person is None:
            raise Unauthenticated("Sign in again.")
        rules.check_password(change.new, email=person.email, name=person.name, field="new")
        limit = _account_limit(door, actor.org, person.email or str(person.id))
        await _count(db, limit, now)
        secret = await store.password(db, actor.org, actor.account)
    if not (await door.passwords.verify(secret, change.current)).right:
        raise Invalid("This is not your password.", field="current", code="password_wrong")
    fresh = await door.passwords.hash(change.new)
    async with pool.transaction(Scope(org=actor.org)) as db:
        await store.forget_tries(db, limit.key)
        await _store_password(db, actor.org, actor.account, fresh, now)
        await store.end_sessions(db, actor.org, actor.account, now, kept=actor.session)


async def forget_account_tries(db: Db, door: Doorkeeper, org: UUID, email: str | None) -> None:
    """Unlock an account whose person has proved who they are in another way."""
    if email is not None:
        await store.forget_tries(db, _account_limit(door, org, email).key)


def _account_limit(door: Doorkeeper, org: UUID, email: str) -> _Limit:
    return _Limit(door.key("account", f"{org}:{email}"), rules.FREE_TRIES_PER_ACCOUNT)


def _client_limit(door: Doorkeeper, client: str) -> _Limit:
    return _Limit(door.key("client", _network(client)), rules.FREE_TRIES_PER_ADDRESS)


async def _enter(db: Db, org: UUID, whom: UUID, where: Where, now: datetime) -> Opened:
    # Read again: the account may have been disabled while the password was checked.
    account = await store.account(db, org, whom)
    if account is None or account.disabled:
        raise Unauthenticated("The address or the password is wrong.", code="sign_in_failed")
    return await open_session(db, Bearer(org, account.id, account.role), where, now)


async def _count(db: Db, limit: _Limit, now: datetime) -> None:
    failures = await store.count_try(db, limit.key, now)
    if failures is None:
        until = await store.locked_until(db, limit.key) or now
        wait = max(1, round((until - now).total_seconds()))
        raise TooMany("Too many tries. Wait a while.", retry_after_s=wait)
    lock = rules.lock_after(failures, free=limit.free)
    if lock is not None:
        await store.lock_until(db, limit.key, now + lock)


async def _store_password(db: Db, org: UUID, account: UUID, secret: str, now: datetime) -> None:
    await store.save_password(db, org, account, credential=new_id(now), secret=secret, now=now)


def _network(client: str) -> str:
    """Return what one household or attacker holds at least: an IPv4 address, an IPv6 /64."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)

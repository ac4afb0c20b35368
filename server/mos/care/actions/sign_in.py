"""Sign-in by e-mail and password: as slow for a stranger as for an account, and not to be hurried.

Every try is counted before it is made, under a keyed hash of the organisation with the address and
one of the client's network address; a right password takes its own try back. What happens in one
organisation says nothing of another: one address may stand in several, each time with a password
of its own.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import rules, store
from mos.care.actions import known_devices
from mos.care.actions.doorkeeper import (
    Doorkeeper,
    Limit,
    account_limit,
    client_limit,
    count,
    failed,
    session_limit,
)
from mos.care.actions.noting import chain_of, note, note_failed
from mos.care.actions.pin_ends import end_pins_of_account
from mos.care.actions.second_factor import (
    Door,
    TotpBegun,
    begin_at_door,
    note_recovery,
    second_step,
)
from mos.care.actions.sessions import Bearer, Opened, Where, open_session, step_up
from mos.care.actions.text import Password
from mos.care.model import Actor, Method
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Forbidden, Invalid, Unauthenticated
from mos.kernel.ids import new_id

# Where nobody is yet, tries are counted as if somebody were.
_NOWHERE = UUID(int=0)


class Attempt(Struct, frozen=True):
    """One try at the door; `client` is the network address that it comes from.

    `organisation` need not be named while there is only one, and is passed over then.
    """

    organisation: UUID | None
    email: str
    password: str
    client: str
    where: Where
    # What the browser keeps of who has signed in on it before (known_devices).
    known: str | None = None
    # From a phone or from paper, where the account has that too.
    code: str | None = None


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The password that is, and the one that is to be."""

    current: Password
    new: Password


async def sign_in(pool: Pool, door: Doorkeeper, attempt: Attempt, now: datetime) -> Opened:
    """Open a session for the right password; raises Unauthenticated, TooMany, Conflict or Invalid.

    An unknown organisation, an unknown address, a wrong password and a disabled account get the
    same answer after the same work.
    """
    with door.passwords.room():
        at = await _proved(pool, door, attempt, now)
        beside = await second_step(pool, door, at, attempt.code, now)
    by: tuple[Method, ...] = ("password", beside) if beside else ("password",)
    async with pool.transaction(Scope(org=at.org)) as db:
        return await _enter(db, at.org, at.account, attempt.where, now, by=by)


async def set_up_at_door(
    pool: Pool, door: Doorkeeper, attempt: Attempt, now: datetime
) -> TotpBegun:
    """Return what a phone is given of somebody who may not come in without a second step.

    Raises as `sign_in`, whose next try brings the phone's first code along.
    """
    with door.passwords.room():
        at = await _proved(pool, door, attempt, now)
    async with pool.transaction(Scope(org=at.org)) as db:
        return await begin_at_door(db, at, now)


async def _proved(pool: Pool, door: Doorkeeper, attempt: Attempt, now: datetime) -> Door:
    """Return whose password it was; raises as `sign_in`."""
    # Folded once, here: what is looked up must be what is counted.
    email = attempt.email.lower()
    async with pool.transaction() as db:
        org, is_known = await destination(db, attempt.organisation)
    of_account = account_limit(door, org, email)
    of_client = client_limit(door, attempt.client)
    entry = known_devices.entry_for(door.key, attempt.known, org, email)
    # A device that is known is counted alone: what strangers do elsewhere does not lock it.
    known_limit = Limit(door.key("entry", entry), rules.FREE_TRIES_PER_ACCOUNT) if entry else None
    async with pool.transaction(Scope(org=org)) as db:
        limits = [known_limit] if known_limit else [of_account, of_client]
        locks = [await count(db, limit, now) for limit in limits]
        # Last: what this takes away, it waits for nobody with.
        await store.forget_old_tries(db, now)
        known = await store.known_by_email(db, org, email)
    verdict = await door.passwords.verify(known.secret if known else None, attempt.password)
    if known is None or not verdict.right or known.disabled:
        chain = chain_of(org, is_known=is_known)
        async with pool.transaction(Scope(org=chain)) as db:
            whom = known.account if known else None
            note_failed(db, chain, whom, "password", now, locked=any(locks))
        raise failed()
    fresh = await door.passwords.hash(attempt.password) if verdict.outdated else None
    async with pool.transaction(Scope(org=org)) as db:
        if known_limit:
            await store.forget_tries(db, known_limit.key)
        else:
            await store.forget_tries(db, of_account.key)
            await store.take_back_try(db, of_client.key, free=of_client.free)
        if fresh is not None:
            await _store_password(db, org, known.account, fresh, now)
    return Door(org, known.account, entry)


async def destination(db: Db, named: UUID | None) -> tuple[UUID, bool]:
    """Return in which organisation somebody is looked for, and whether there is such a one.

    Raises Invalid where there are several and none was named. Needs no scope.
    """
    found = await store.sign_in_organisation(db, named)
    if found.several and named is None:
        raise Invalid("Say which organisation you belong to.", field="organisation")
    # Of an unknown one nobody is found, and the tries are counted all the same.
    return found.id or named or _NOWHERE, found.id is not None


async def change_password(
    pool: Pool, door: Doorkeeper, actor: Actor, change: PasswordChange, now: datetime
) -> None:
    """Change one's own password and end one's other sessions; raises Invalid or TooMany.

    A stolen session must not be a way to guess: tries are counted for the session, so that what
    strangers do at the door keeps nobody from changing theirs.
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
        limit = session_limit(door, actor)
        await count(db, limit, now)
        secret = await store.password(db, actor.org, actor.account)
    if not (await door.passwords.verify(secret, change.current)).right:
        await _note_wrong(pool, actor, now)
        raise Invalid("This is not your password.", field="current", code="password_wrong")
    fresh = await door.passwords.hash(change.new)
    async with pool.transaction(Scope(org=actor.org)) as db:
        await store.forget_tries(db, limit.key)
        await _store_password(db, actor.org, actor.account, fresh, now)
        await store.end_sessions(db, actor.org, actor.account, now, kept=actor.session)
        await store.void_invitations(db, actor.org, actor.account, now)
        note(db, actor, "password_changed", now, of=actor.account)
        await end_pins_of_account(db, actor, actor.account, now, why="password", kept=actor.device)


async def step_up_by_password(
    pool: Pool, door: Doorkeeper, actor: Actor, password: str, now: datetime
) -> Opened:
    """Step the actor's session up; raises Forbidden, TooMany or Unauthenticated.

    Where a passkey or codes are there, those are asked for: a password may have been seen.
    """
    by: tuple[Method, ...] = ("password",)
    with door.passwords.room():
        async with pool.transaction(Scope(org=actor.org)) as db:
            limit = session_limit(door, actor)
            await count(db, limit, now)
            has = await store.second_factors(db, actor.org, actor.account)
            secret = await store.password(db, actor.org, actor.account)
        if not (await door.passwords.verify(secret, password)).right:
            await _note_wrong(pool, actor, now)
            raise Forbidden("This is not your password.", code="password_wrong")
        if not rules.is_strong(by, has_passkey=has.passkey, has_totp=has.totp):
            code = "passkey_needed" if has.passkey else "code_needed"
            raise Forbidden("Use your passkey, or a code from your phone.", code=code)
        async with pool.transaction(Scope(org=actor.org)) as db:
            await store.forget_tries(db, limit.key)
            return await step_up(db, actor, "password", now)


async def _note_wrong(pool: Pool, actor: Actor, now: datetime) -> None:
    async with pool.transaction(Scope(org=actor.org)) as db:
        note(db, actor, "step_up_failed", now, of=actor.account)


async def _enter(  # noqa: PLR0913  who, where, when and by what
    db: Db, org: UUID, whom: UUID, where: Where, now: datetime, *, by: tuple[Method, ...]
) -> Opened:
    # Read again: the account may have been disabled while the password was checked.
    account = await store.account(db, org, whom)
    if account is None or account.disabled:
        raise failed()
    opened = await open_session(db, Bearer(org, account.id, account.role), where, now, by=by)
    note_recovery(db, opened.actor, now)
    return opened


async def _store_password(db: Db, org: UUID, account: UUID, secret: str, now: datetime) -> None:
    await store.save_password(db, org, account, credential=new_id(now), secret=secret, now=now)

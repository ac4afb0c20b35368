"""A second thing beside the password: codes from an app in one's phone, and codes on paper.

A password may have been seen, guessed or given away. Whoever has codes is asked for one after the
password and in a step-up, also by a link that lets them choose another password. Only whoever knows
the password gets as far as the code, so no stranger's tries close this door.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from mos.audit import log
from mos.audit.model import Happened
from mos.care import rules, store
from mos.care.actions.doorkeeper import Doorkeeper, Limit, count, session_limit
from mos.care.actions.noting import note, note_failed
from mos.care.actions.sessions import Opened, step_up
from mos.care.actions.step_up import require_step_up
from mos.care.actions.tokens import grouped, new_code, new_secret, typed
from mos.care.model import Actor, Method, Role
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Forbidden, Invalid, Unauthenticated
from mos.privacy.sealing import KeyGone

# A code from a phone, or one from paper.
SecondCode = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z -]+\Z")]


class TotpState(Struct, frozen=True):
    """Whether one has codes from a phone, since when, and how many codes on paper are left."""

    on: bool
    since: datetime | None
    codes_left: int
    # From when on the organisation asks for codes or a passkey; null: it does not.
    due: datetime | None


class TotpBegun(Struct, frozen=True):
    """What an app in a phone is given, shown this once: as a picture, and to be typed."""

    key: str
    url: str
    qr: str


class TotpCode(Struct, frozen=True, forbid_unknown_fields=True):
    """The code that the phone shows."""

    code: SecondCode


class RecoveryCodes(Struct, frozen=True):
    """Codes for the day when the phone is gone, shown this once: each is good for one time."""

    codes: list[str]


class Door(Struct, frozen=True):
    """Whose second step it is, and the entry of a device that knows them, if they are on one."""

    org: UUID
    account: UUID
    entry: str | None = None
    # By a link, whoever has nothing beside a password comes in once more, and sets it up inside.
    by_link: bool = False


async def state(db: Db, actor: Actor) -> TotpState:
    """Return what the actor has."""
    found = await store.totp_state(db, actor.org, actor.account)
    due = await store.second_factor_due(db, actor.org, actor.account)
    if found is None:
        return TotpState(on=False, since=None, codes_left=0, due=due)
    return TotpState(on=True, since=found.since, codes_left=found.codes_left, due=due)


async def begin(db: Db, actor: Actor, now: datetime) -> TotpBegun:
    """Make a secret for the actor's phone; it counts once `confirm` has heard a code of it.

    One that counts already does so until then. Raises Forbidden or StepUpNeeded.
    """
    if actor.role is Role.RESIDENT:
        raise Forbidden("A resident is signed in without a password.")
    await require_step_up(db, actor, now)
    return await _begun(db, actor.org, actor.account, now)


async def begin_at_door(db: Db, at: Door, now: datetime) -> TotpBegun:
    """Make a secret for somebody whose password was right and who may not come in without one.

    Raises Conflict for who need none, or has something already.
    """
    if not await _must_begin(db, at, now):
        raise Conflict("Sign in: nothing has to be set up first.", code="totp_off")
    return await _begun(db, at.org, at.account, now)


async def _begun(db: Db, org: UUID, whose: UUID, now: datetime) -> TotpBegun:
    account = await store.account(db, org, whose)
    if account is None:
        raise Unauthenticated("Sign in again.")
    organisation = await store.organisation(db, org)
    secret = new_secret(rules.SECRET_BYTES)
    await store.begin_totp(db, org, whose, secret, now)
    # Drawn for the few who begin: nobody else's start should wait for it.
    import segno  # noqa: PLC0415

    uri = rules.key_uri(
        secret, whose=account.email or account.name, issuer=f"MOS {organisation.name}"
    )
    qr = segno.make(uri, micro=False).svg_data_uri()
    return TotpBegun(rules.typed_key(secret), uri, qr)


async def confirm(
    db: Db, door: Doorkeeper, actor: Actor, given: TotpCode, now: datetime
) -> RecoveryCodes:
    """Take the first code of the secret that was shown, and return fresh codes on paper.

    Raises Invalid for a wrong one, or Conflict when nothing waits to be confirmed.
    """
    at = Door(actor.org, actor.account)
    found = await store.totp(db, at.org, at.account)
    if found is None or not _is_pending(found, now):
        raise _not_begun()
    step = _pending_step(found, given.code, now)
    if step is None:
        raise Invalid("This is not the code that it shows now.", field="code", code="code_wrong")
    await store.confirm_totp(db, actor.org, actor.account, step=step, now=now)
    note(db, actor, "totp_set" if found.secret is None else "totp_changed", now, of=actor.account)
    return await _fresh_codes(db, door, actor, now)


async def new_codes(db: Db, door: Doorkeeper, actor: Actor, now: datetime) -> RecoveryCodes:
    """Return other codes on paper; those before count no more. Raises Conflict, StepUpNeeded."""
    await require_step_up(db, actor, now)
    if await store.totp_state(db, actor.org, actor.account) is None:
        raise _not_begun()
    note(db, actor, "recovery_codes_made", now, of=actor.account)
    return await _fresh_codes(db, door, actor, now)


async def remove(db: Db, actor: Actor, now: datetime) -> None:
    """Ask the actor for no codes any more; raises Conflict where they have none, StepUpNeeded."""
    await require_step_up(db, actor, now)
    if await store.totp_state(db, actor.org, actor.account) is None:
        raise _not_begun()
    await store.remove_totp(db, actor.org, actor.account)
    note(db, actor, "totp_removed", now, of=actor.account)


async def step_up_by_code(
    pool: Pool, door: Doorkeeper, actor: Actor, given: TotpCode, now: datetime
) -> Opened:
    """Step the actor's session up by a code; raises Forbidden for a wrong one, or TooMany.

    Tries are counted for the session, as those of a password are.
    """
    limit = session_limit(door, actor)
    async with pool.transaction(Scope(org=actor.org)) as db:
        await count(db, limit, now)
    async with pool.transaction(Scope(org=actor.org)) as db:
        way = await _use(db, door, Door(actor.org, actor.account), given.code, now)
        if way is not None:
            await store.forget_tries(db, limit.key)
            if way == "recovery":
                note(db, actor, "recovery_code_used", now, of=actor.account)
            return await step_up(db, actor, way, now)
        note(db, actor, "step_up_failed", now, of=actor.account)
    raise Forbidden("This code is wrong or has been used.", code="code_wrong")


async def second_step(
    pool: Pool, door: Doorkeeper, at: Door, code: str | None, now: datetime
) -> Method | None:
    """Return by what somebody proved themselves beside their password; None: nothing is asked.

    Raises TooMany, or Unauthenticated: `code_needed`, `code_wrong`, and where the organisation asks
    for more than a password `passkey_needed`, or `second_factor_needed` of who has nothing yet.
    """
    async with pool.transaction(Scope(org=at.org)) as db:
        factors = await store.second_factors(db, at.org, at.account)
        begins = False
        if not factors.totp:
            begins = not at.by_link and await _must_begin(db, at, now)
            if factors.passkey and await _is_due(db, at, now):
                raise Unauthenticated("Use your passkey.", code="passkey_needed")
            if not begins:
                return None
        if code is None and begins:
            raise Unauthenticated("Set up a second step first.", code="second_factor_needed")
        if code is None:
            raise Unauthenticated("Write the code from your phone, too.", code="code_needed")
        # A device that knows its person is counted by itself, as with passwords.
        limit = Limit(
            door.key("code", at.entry or f"{at.org}:{at.account}"), rules.FREE_TRIES_OF_CODE
        )
        locked = await count(db, limit, now)
    async with pool.transaction(Scope(org=at.org)) as db:
        way = await (_first(db, at, code, now) if begins else _use(db, door, at, code, now))
        if way is None:
            note_failed(db, at.org, at.account, "code", now, locked=locked)
        else:
            await store.forget_tries(db, limit.key)
    if way is None:
        raise Unauthenticated("This code is wrong or has been used.", code="code_wrong")
    return way


async def _is_due(db: Db, at: Door, now: datetime) -> bool:
    due = await store.second_factor_due(db, at.org, at.account)
    return due is not None and now >= due


async def _must_begin(db: Db, at: Door, now: datetime) -> bool:
    """Say whether somebody needs a second step by now, and has none."""
    factors = await store.second_factors(db, at.org, at.account)
    return not factors.totp and not factors.passkey and await _is_due(db, at, now)


async def _first(db: Db, at: Door, code: str, now: datetime) -> Literal["totp"] | None:
    """Take the first code of a secret that was shown at the door, or None for a wrong one."""
    found = await store.totp(db, at.org, at.account)
    step = _pending_step(found, code, now) if found else None
    if step is None:
        return None
    await store.confirm_totp(db, at.org, at.account, step=step, now=now)
    happened = Happened(event="totp_set", by=at.account, of=at.account)
    log.note(db, at.org, happened, now)
    return "totp"


def _is_pending(found: store.Totp, now: datetime) -> bool:
    return found.pending_at is not None and now < found.pending_at + rules.PENDING_LASTS


def _pending_step(found: store.Totp, code: str, now: datetime) -> int | None:
    if found.pending is None or not _is_pending(found, now):
        return None
    return rules.step_of(found.pending, rules.digits_of(code) or "", now, last=0)


async def _use(
    db: Db, door: Doorkeeper, at: Door, code: str, now: datetime
) -> Literal["totp", "recovery"] | None:
    """Use a code up; return of which kind it was, or None for a wrong or used one."""
    digits = rules.digits_of(code)
    if digits is None:
        hash_ = _hash(door, at, typed(code, rules.RECOVERY_LETTERS))
        return "recovery" if await store.use_recovery_code(db, at.org, at.account, hash_) else None
    try:
        found = await store.totp(db, at.org, at.account)
    except KeyGone:
        return None
    if found is None or found.secret is None:
        return None
    step = rules.step_of(found.secret, digits, now, last=found.last_step)
    if step is None:
        return None
    await store.totp_used(db, at.org, at.account, step)
    return "totp"


def note_recovery(db: Db, actor: Actor, now: datetime) -> None:
    """Note that the session's bearer has one code on paper less, where they used one."""
    if "recovery" in actor.methods:
        note(db, actor, "recovery_code_used", now, of=actor.account)


async def _fresh_codes(db: Db, door: Doorkeeper, actor: Actor, now: datetime) -> RecoveryCodes:
    codes = [new_code(rules.RECOVERY_LETTERS) for _ in range(rules.RECOVERY_CODES)]
    whose = Door(actor.org, actor.account)
    hashes = [_hash(door, whose, code) for code in codes]
    await store.replace_recovery_codes(db, actor.org, actor.account, hashes, now)
    return RecoveryCodes([grouped(code) for code in codes])


def _hash(door: Doorkeeper, at: Door, code: str) -> bytes:
    # Keyed: what is short enough to be written on paper could be tried out by who has the database.
    return door.key("recovery", f"{at.org}|{at.account}|{code}")


def _not_begun() -> Conflict:
    return Conflict("There is no code from a phone here: begin anew.", code="totp_off")

"""PINs: four to six digits, or pictures, with which a person signs in on one device.

The device is known by a cookie of its own, which no script reads. Without it a PIN opens nothing,
and nobody's tries elsewhere are counted here. Only the server can tell a right one from a wrong
one: nothing on the device could be tried out.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from mos.audit import log
from mos.audit.model import Event, Happened
from mos.care import rules, store
from mos.care.actions import permit
from mos.care.actions.doorkeeper import Doorkeeper, Tried, failed, require_client, require_try
from mos.care.actions.noting import note, note_failed
from mos.care.actions.sessions import Bearer, Opened, Where, open_session
from mos.care.actions.step_up import require_step_up, ways
from mos.care.actions.tokens import new_token, token_hash
from mos.care.model import Actor
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Forbidden, Unauthenticated

# So long is the id of the organisation before a cookie: it is looked for in that one alone.
_ORG = 32

PinSecret = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[0-9a-z-]+\Z")]


class NewPin(Struct, frozen=True, forbid_unknown_fields=True):
    """A PIN: digits, or pictures' names with hyphens.

    `current`: the one that is, from those who can prove who they are in no other way.
    """

    secret: PinSecret
    current: PinSecret | None = None


class PinState(Struct, frozen=True):
    """Which kind of PIN one has on the device that one is signed in on; null: none."""

    kind: store.PinKind | None


class PinKnock(Struct, frozen=True):
    """One try at the door: whose PIN, the device's cookie, and where from."""

    account: UUID
    secret: str
    bound: str | None
    client: str
    where: Where


class Here(Struct, frozen=True):
    """Whose PIN, on which device."""

    org: UUID
    account: UUID
    device: UUID


async def bind(db: Db, org: UUID, device: UUID, bound: str | None) -> str:
    """Return the cookie by which a device is known again: the one that it has, or a new one."""
    if bound is not None and await _device_of(db, org, bound) == device:
        return bound
    fresh = org.hex + new_token()
    await store.bind_device(db, org, device, token_hash(fresh))
    return fresh


async def people_here(pool: Pool, bound: str | None) -> list[store.PinPerson]:
    """Return who can sign in by a PIN on the device with this cookie; nobody without one."""
    org = _organisation(bound)
    if org is None or bound is None:
        return []
    async with pool.transaction(Scope(org=org)) as db:
        device = await _device_of(db, org, bound)
        return await store.people_with_pin(db, org, device) if device else []


async def sign_in(pool: Pool, door: Doorkeeper, knock: PinKnock, now: datetime) -> Opened:
    """Open a session for a right PIN; raises Unauthenticated, TooMany or Conflict.

    Tries are counted for the person on this device alone; after many wrong ones the PIN is no
    more. Without the device's cookie a try counts for the network that it comes from.
    """
    with door.passwords.room():
        org = _organisation(knock.bound)
        device = None
        if org is not None and knock.bound is not None:
            async with pool.transaction(Scope(org=org)) as db:
                device = await _device_of(db, org, knock.bound)
        if org is None or device is None:
            await require_client(pool, door, knock.client, now)
            raise failed()
        here = Here(org, knock.account, device)
        kind = await prove(pool, door, here, knock.secret, now)
        if kind is None:
            raise failed()
        async with pool.transaction(Scope(org=org)) as db:
            account = await believe(db, door, here, now)
            if account is None:
                raise failed()
            bearer = Bearer(org, account.id, account.role)
            return await open_session(db, bearer, knock.where, now, by=(kind,))


async def prove(
    pool: Pool, door: Doorkeeper, here: Here, secret: str, now: datetime
) -> store.PinKind | None:
    """Return which kind of PIN was right, or None; raises TooMany. Every try is counted before.

    To be followed by `believe`, in the transaction of what the PIN is for.
    """
    async with pool.transaction(Scope(org=here.org)) as db:
        tried = await _count(db, door, here, now)
        pin = await store.pin_of(db, here.org, here.account, here.device)
    if not await _is_right(door, here, pin, secret):
        await _wrong(pool, here, now, locked=tried.locks)
        return None
    return pin.kind if pin else None


async def believe(db: Db, door: Doorkeeper, here: Here, now: datetime) -> store.Account | None:
    """Return whose PIN was right, their tries forgotten; None where they may not come in now."""
    account = await store.account(db, here.org, here.account)
    pin = await store.pin_of(db, here.org, here.account, here.device)
    # Closed, or taken away, while the PIN was checked.
    if account is None or account.disabled or pin is None:
        return None
    await store.forget_tries(db, _key(door, here))
    await store.pin_right(db, here.org, here.account, here.device, now)
    return account


async def device_behind(db: Db, org: UUID, bound: str | None) -> UUID | None:
    """Return the organisation's device that a cookie stands for, or None."""
    if bound is None or _organisation(bound) != org:
        return None
    return await _device_of(db, org, bound)


async def own(db: Db, actor: Actor) -> PinState:
    """Return which kind of PIN the actor has on their session's device."""
    if actor.device is None:
        return PinState(None)
    pin = await store.pin_of(db, actor.org, actor.account, actor.device)
    return PinState(pin.kind if pin else None)


async def set_own(
    pool: Pool, door: Doorkeeper, actor: Actor, wanted: NewPin, now: datetime
) -> None:
    """Set the actor's PIN on their session's device; raises Invalid, StepUpNeeded or Forbidden.

    A resident, who has nothing else to prove themselves with, gives the PIN that is.
    """
    here = _require_device(actor)
    rules.check_pin(wanted.secret)
    with door.passwords.room():
        async with pool.transaction(Scope(org=actor.org)) as db:
            await _require_proof(db, door, actor, here, current=wanted.current, now=now)
        secret = await _hash(door, here, wanted.secret)
        async with pool.transaction(Scope(org=actor.org)) as db:
            await _save(db, here, wanted.secret, secret, actor, now)
            await store.forget_tries(db, _key(door, here))


async def remove_own(db: Db, actor: Actor, now: datetime) -> None:
    """Remove the actor's PIN on their session's device; raises NotFound."""
    here = _require_device(actor)
    if not await _remove(db, here, now):
        raise permit.no_such("PIN")
    note(db, actor, "pin_removed", now, of=here.account, on=here.device)


async def set_for_resident(  # noqa: PLR0913  who, whose, where and when
    pool: Pool,
    door: Doorkeeper,
    actor: Actor,
    wanted: NewPin,
    *,
    space: UUID,
    device: UUID,
    now: datetime,
) -> None:
    """Set a resident's PIN on one of their devices, for those who manage them.

    Raises Forbidden, NotFound, StepUpNeeded, Invalid, or Conflict for a device without a cookie.
    """
    async with pool.transaction(Scope(org=actor.org)) as db:
        resident = await permit.managed_resident(db, actor, space, now)
        await require_step_up(db, actor, now)
        if not await store.is_bound(db, actor.org, resident.account, device):
            raise Conflict("Connect this device anew by its code first.", code="not_bound")
    rules.check_pin(wanted.secret)
    here = Here(actor.org, resident.account, device)
    secret = await _hash(door, here, wanted.secret)
    async with pool.transaction(Scope(org=actor.org)) as db:
        await _save(db, here, wanted.secret, secret, actor, now)
        await store.forget_tries(db, _key(door, here))


async def remove_for_resident(  # noqa: PLR0913  who, whose, where and when
    db: Db, door: Doorkeeper, actor: Actor, *, space: UUID, device: UUID, now: datetime
) -> None:
    """Remove a resident's PIN on a device, for those who manage them; raises NotFound."""
    resident = await permit.managed_resident(db, actor, space, now)
    await require_step_up(db, actor, now)
    here = Here(actor.org, resident.account, device)
    if not await _remove(db, here, now):
        raise permit.no_such("PIN")
    note(db, actor, "pin_removed", now, of=resident.account, on=device, space=space)
    await store.forget_tries(db, _key(door, here))


# ────────────────────────────────────────────────────────────── what is proved and kept


async def _require_proof(  # noqa: PLR0913  one more than five
    db: Db, door: Doorkeeper, actor: Actor, here: Here, *, current: str | None, now: datetime
) -> None:
    if await ways(db, actor):
        await require_step_up(db, actor, now)
        return
    pin = await store.pin_of(db, here.org, here.account, here.device)
    if pin is None:
        return
    await _count(db, door, here, now)
    if current is None or not await _is_right(door, here, pin, current):
        raise Forbidden("This is not your PIN.", code="pin_wrong")


async def _count(db: Db, door: Doorkeeper, here: Here, now: datetime) -> Tried:
    return await require_try(
        db, door, "pin", f"{here.device}|{here.account}", free=rules.FREE_TRIES_OF_PIN, now=now
    )


def _key(door: Doorkeeper, here: Here) -> bytes:
    return door.key("pin", f"{here.device}|{here.account}")


async def _wrong(pool: Pool, here: Here, now: datetime, *, locked: bool) -> None:
    async with pool.transaction(Scope(org=here.org)) as db:
        wrong = await store.pin_wrong(db, here.org, here.account, here.device)
        # Whoever has no PIN here may be nobody of this organisation's.
        note_failed(db, here.org, here.account if wrong else None, "pin", now, locked=locked)
        if wrong >= rules.MOST_WRONG_PINS:
            await _remove(db, here, now)
            says = {"on": here.device, "why": "tries"}
            log.note(db, here.org, Happened(event="pin_removed", of=here.account, says=says), now)


async def _is_right(door: Doorkeeper, here: Here, pin: store.Pin | None, secret: str) -> bool:
    keyed = _keyed(door, here, secret)
    return (await door.passwords.verify(pin.secret if pin else None, keyed)).right


async def _hash(door: Doorkeeper, here: Here, secret: str) -> str:
    return await door.passwords.hash(_keyed(door, here, secret))


def _keyed(door: Doorkeeper, here: Here, secret: str) -> str:
    # Ten thousand PINs are quickly tried out by whoever has the database: hence the server's key.
    return door.key("pin secret", f"{here.device}|{here.account}|{secret}").hex()


async def _save(  # noqa: PLR0913, PLR0917  one row's columns
    db: Db, here: Here, plain: str, secret: str, actor: Actor, now: datetime
) -> None:
    pin = store.Pin(rules.kind_of(plain), secret)
    before = await store.pin_of(db, here.org, here.account, here.device)
    await store.save_pin(db, here.org, here.account, here.device, pin, by=actor.account, now=now)
    await store.end_signatures(db, here.org, here.account, here.device, now)
    done: Event = "pin_set" if before is None else "pin_changed"
    note(db, actor, done, now, of=here.account, on=here.device, kind=pin.kind)


async def _remove(db: Db, here: Here, now: datetime) -> bool:
    # Nothing is signed any more with what no longer opens.
    await store.end_signatures(db, here.org, here.account, here.device, now)
    return await store.remove_pin(db, here.org, here.account, here.device)


def _require_device(actor: Actor) -> Here:
    if actor.device is None:
        raise Unauthenticated("Sign in again.")
    return Here(actor.org, actor.account, actor.device)


async def _device_of(db: Db, org: UUID, bound: str) -> UUID | None:
    return await store.bound_device(db, org, token_hash(bound))


def _organisation(bound: str | None) -> UUID | None:
    try:
        return UUID(bound[:_ORG]) if bound else None
    except ValueError:
        return None

"""Signing in: to which organisation, whose address it is, and how many tries it took."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import rules
from mos.care.store.rows import there
from mos.db import Db, Queries

_sql = Queries(__package__, "sign_in.sql")


class Destination(Struct, frozen=True):
    """Where somebody signs in: no id where none was meant. `several`: it has to be named."""

    id: UUID | None
    several: bool


class Known(Struct, frozen=True):
    """The account and the secret behind an e-mail address of an organisation."""

    account: UUID
    secret: str
    disabled: bool


class _Failures(Struct, frozen=True):
    failures: int


class _Until(Struct, frozen=True):
    locked_until: datetime


_SIGN_IN_ORGANISATION = _sql.query("sign_in_organisation", Destination)
_KNOWN_BY_EMAIL = _sql.query("known_by_email", Known)
_COUNT_TRY = _sql.query("count_try", _Failures)
_LOCKED_UNTIL = _sql.query("locked_until", _Until)
_LOCK_UNTIL = _sql.command("lock_until")
_FORGET_TRIES = _sql.command("forget_tries")
_TAKE_BACK_TRY = _sql.command("take_back_try")
_FORGET_OLD_TRIES = _sql.command("forget_old_tries")


async def sign_in_organisation(db: Db, named: UUID | None) -> Destination:
    """Return the only organisation, or of several the one that is named. Needs no scope."""
    row = await db.one(_SIGN_IN_ORGANISATION, named=named)
    return there(row)


async def known_by_email(db: Db, org: UUID, email: str) -> Known | None:
    """Return the account with a password behind an address in lower case, or None."""
    return await db.one(_KNOWN_BY_EMAIL, org=org, email=email)


async def count_try(db: Db, key: bytes, now: datetime) -> int | None:
    """Count one try for `key` and return how many there were; None while it is locked."""
    row = await db.one(_COUNT_TRY, key=key, now=now, forgotten=now - rules.TRIES_REMEMBERED)
    return row.failures if row else None


async def locked_until(db: Db, key: bytes) -> datetime | None:
    """Return when a key's lock ends, or None."""
    row = await db.one(_LOCKED_UNTIL, key=key)
    return row.locked_until if row else None


async def lock_until(db: Db, key: bytes, until: datetime) -> None:
    """Lock a key that has been counted."""
    await db.run(_LOCK_UNTIL, key=key, until=until)


async def forget_tries(db: Db, key: bytes) -> None:
    """Forget all tries of a key."""
    await db.run(_FORGET_TRIES, key=key)


async def take_back_try(db: Db, key: bytes, *, free: int) -> None:
    """Count one try less for a key, and lift the lock unless more than `free` tries earned it."""
    await db.run(_TAKE_BACK_TRY, key=key, free=free)


async def forget_old_tries(db: Db, now: datetime) -> None:
    """Drop some of what is too old to count; called at each try, the table holds a day of them."""
    await db.run(_FORGET_OLD_TRIES, now=now, forgotten=now - rules.TRIES_REMEMBERED)

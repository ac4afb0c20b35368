"""PINs: short secrets, each of one person on one device that is known again by its cookie."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.care.model import Role
from mos.care.store.rows import Id, Number
from mos.db import Db, Queries

_sql = Queries(__package__, "pins.sql")

PinKind = Literal["pin", "picture"]


class PinPerson(Struct, frozen=True):
    """Somebody who can sign in by a PIN on this device, and of which kind it is."""

    account: UUID
    name: str
    role: Role
    kind: PinKind


class Pin(Struct, frozen=True):
    """A PIN's kind and its hash."""

    kind: PinKind
    secret: str


class PinEnded(Struct, frozen=True):
    """A PIN that was removed: whose, and on which device."""

    account: UUID
    device: UUID


_BOUND_DEVICE = _sql.query("bound_device", Id)
_BIND_DEVICE = _sql.command("bind_device")
_IS_BOUND = _sql.query("is_bound", Id)
_PEOPLE_WITH_PIN = _sql.query("people_with_pin", PinPerson)
_PIN_OF = _sql.query("pin_of", Pin)
_SAVE_PIN = _sql.command("save_pin")
_PIN_RIGHT = _sql.command("pin_right")
_PIN_WRONG = _sql.query("pin_wrong", Number)
_REMOVE_PIN = _sql.command("remove_pin")
_REMOVE_PINS_OF_DEVICE = _sql.query("remove_pins_of_device", PinEnded)
_REMOVE_PINS_OF_ACCOUNT = _sql.query("remove_pins_of_account", PinEnded)


async def bound_device(db: Db, org: UUID, bound_hash: bytes) -> UUID | None:
    """Return the live device that a cookie's hash stands for, or None."""
    row = await db.one(_BOUND_DEVICE, org=org, bound_hash=bound_hash)
    return row.id if row else None


async def bind_device(db: Db, org: UUID, device: UUID, bound_hash: bytes) -> None:
    """Let another cookie stand for a device."""
    await db.run(_BIND_DEVICE, org=org, device=device, bound_hash=bound_hash)


async def is_bound(db: Db, org: UUID, account: UUID, device: UUID) -> bool:
    """Say whether a device of this account's has a cookie to be known by."""
    return await db.one(_IS_BOUND, org=org, account=account, device=device) is not None


async def people_with_pin(db: Db, org: UUID, device: UUID) -> list[PinPerson]:
    """Return who can sign in by a PIN on a device, by name."""
    return await db.all(_PEOPLE_WITH_PIN, org=org, device=device)


async def pin_of(db: Db, org: UUID, account: UUID, device: UUID) -> Pin | None:
    """Return an account's PIN on a device, or None."""
    return await db.one(_PIN_OF, org=org, account=account, device=device)


async def save_pin(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, account: UUID, device: UUID, pin: Pin, *, by: UUID, now: datetime
) -> None:
    """Set an account's PIN on a device."""
    await db.run(
        _SAVE_PIN, org=org, account=account, device=device, kind=pin.kind, secret=pin.secret,
        set_by=by, now=now,
    )  # fmt: skip


async def pin_right(db: Db, org: UUID, account: UUID, device: UUID, now: datetime) -> None:
    """Remember that a PIN was right at `now`."""
    await db.run(_PIN_RIGHT, org=org, account=account, device=device, now=now)


async def pin_wrong(db: Db, org: UUID, account: UUID, device: UUID) -> int:
    """Count a wrong try; return how many there were since the last right one."""
    row = await db.one(_PIN_WRONG, org=org, account=account, device=device)
    return row.number if row else 0


async def remove_pin(db: Db, org: UUID, account: UUID, device: UUID) -> bool:
    """Remove an account's PIN on a device; False where there was none."""
    return await db.run(_REMOVE_PIN, org=org, account=account, device=device) == 1


async def remove_pins_of_device(db: Db, org: UUID, device: UUID) -> list[PinEnded]:
    """Remove everybody's PIN on a device; return what was removed."""
    return await db.all(_REMOVE_PINS_OF_DEVICE, org=org, device=device)


async def remove_pins_of_account(
    db: Db, org: UUID, account: UUID, *, kept: UUID | None = None
) -> list[PinEnded]:
    """Remove an account's PINs on all its devices but `kept`; return what was removed."""
    return await db.all(_REMOVE_PINS_OF_ACCOUNT, org=org, account=account, kept=kept)

"""People who can sign in: their accounts, names and passwords."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import rules
from mos.care.model import Reach, Role
from mos.db import Db, Queries

_sql = Queries(__package__, "accounts.sql")


class Account(Struct, frozen=True):
    """A person who can be signed in."""

    id: UUID
    role: Role
    name: str
    email: str | None
    language: str
    disabled: bool


class AccountEntry(Struct, frozen=True):
    """A person as those who manage accounts see them."""

    id: UUID
    role: Role
    name: str
    email: str | None
    language: str
    disabled: bool
    has_password: bool
    # A passkey, or codes from a phone.
    has_second_factor: bool
    # Somebody at the organisation's identity provider opens it.
    linked: bool
    # When the newest unused invitation ends, or null.
    invited_until: datetime | None
    units: list[UUID]
    # False for a person who also belongs where the asking manager does not manage.
    within: bool


class Person(Struct, frozen=True):
    """A name that may be shown beside what happened."""

    id: UUID
    name: str
    role: Role


class _Secret(Struct, frozen=True):
    secret: str


_ACCOUNTS_WITHIN = _sql.query("accounts_within", AccountEntry)
_ACCOUNT = _sql.query("account", Account)
_ADD_ACCOUNT = _sql.command("add_account")
_SAVE_ACCOUNT = _sql.command("save_account")
_PEOPLE = _sql.query("people", Person)
_PASSWORD = _sql.query("password", _Secret)
_SAVE_PASSWORD = _sql.command("save_password")


async def accounts_within(
    db: Db, org: UUID, reach: Reach, now: datetime, *, account: UUID | None = None
) -> list[AccountEntry]:
    """Return the accounts that someone with this reach sees, by name; only `account` if given."""
    return await db.all(
        _ACCOUNTS_WITHIN,
        org=org,
        everything=reach.everything,
        managed=list(reach.units),
        roles=[role.value for role in rules.MANAGED_ROLES],
        account=account,
        now=now,
    )


async def account(db: Db, org: UUID, account: UUID) -> Account | None:
    """Return one account, or None."""
    return await db.one(_ACCOUNT, org=org, account=account)


async def add_account(db: Db, org: UUID, account: Account, now: datetime) -> None:
    """Add an account. Raises UniqueViolation when the address is taken in this organisation."""
    await db.run(
        _ADD_ACCOUNT,
        org=org,
        account=account.id,
        role=account.role.value,
        name=account.name,
        email=account.email,
        language=account.language,
        now=now,
    )


async def save_account(db: Db, org: UUID, account: Account, now: datetime) -> None:
    """Write an account's present values. Raises UniqueViolation when the address is taken."""
    await db.run(
        _SAVE_ACCOUNT,
        org=org,
        account=account.id,
        role=account.role.value,
        name=account.name,
        email=account.email,
        language=account.language,
        disabled=account.disabled,
        now=now,
    )


async def people(db: Db, org: UUID, account: UUID, spaces: list[UUID]) -> list[Person]:
    """Return everyone whose name may appear in `spaces`, and the account itself, by name."""
    return await db.all(_PEOPLE, org=org, account=account, spaces=spaces)


async def password(db: Db, org: UUID, account: UUID) -> str | None:
    """Return the stored hash of an account's password, or None."""
    row = await db.one(_PASSWORD, org=org, account=account)
    return row.secret if row else None


async def save_password(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, account: UUID, *, credential: UUID, secret: str, now: datetime
) -> None:
    """Store a password's hash; `credential` is its id if the account had none."""
    await db.run(
        _SAVE_PASSWORD, org=org, account=account, credential=credential, secret=secret, now=now
    )

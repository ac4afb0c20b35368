"""Identity providers of organisations, and whose account somebody there opens."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.care.store.accounts import Account
from mos.care.store.rows import Number, there
from mos.db import Db, Queries

_sql = Queries(__package__, "identities.sql")

# How an identity was linked: by a verified address, by its person inside, or by a link.
LinkWay = Literal["email", "self", "invitation"]


class ProviderOffer(Struct, frozen=True):
    """A provider as the sign-in page offers it."""

    organisation: UUID
    label: str


class IdentityProvider(Struct, frozen=True, kw_only=True):
    """An organisation's identity provider; the secret is sealed, None for a public client."""

    issuer: str
    client_id: str
    secret: bytes | None
    label: str
    scopes: list[str]
    by_email: bool
    strong_acr: list[str]
    strong_amr: list[str]
    updated_at: datetime
    updated_by: UUID


class Identity(Struct, frozen=True):
    """That somebody at the provider opens an account, how that came, and when last it did."""

    account: UUID
    way: LinkWay
    linked_at: datetime
    used_at: datetime | None


_IDENTITY_PROVIDERS = _sql.query("identity_providers", ProviderOffer)
_IDENTITY_PROVIDER = _sql.query("identity_provider", IdentityProvider)
_SAVE_IDENTITY_PROVIDER = _sql.command("save_identity_provider")
_REMOVE_IDENTITY_PROVIDER = _sql.command("remove_identity_provider")
_REMOVE_IDENTITIES = _sql.command("remove_identities")
_IDENTITIES_LINKED = _sql.query("identities_linked", Number)
_IDENTITY_BY_SUBJECT = _sql.query("identity_by_subject", Identity)
_IDENTITY_OF = _sql.query("identity_of", Identity)
_ACCOUNT_BY_EMAIL = _sql.query("account_by_email", Account)
_LINK_IDENTITY = _sql.command("link_identity")
_IDENTITY_USED = _sql.command("identity_used")
_UNLINK_IDENTITY = _sql.command("unlink_identity")


async def identity_providers(db: Db) -> list[ProviderOffer]:
    """Return every organisation's provider by its label. Needs no scope."""
    return await db.all(_IDENTITY_PROVIDERS)


async def identity_provider(db: Db, org: UUID) -> IdentityProvider | None:
    """Return an organisation's provider, or None."""
    return await db.one(_IDENTITY_PROVIDER, org=org)


async def save_identity_provider(
    db: Db, org: UUID, row: IdentityProvider, *, keeps_secret: bool
) -> None:
    """Write an organisation's provider; `keeps_secret`: the secret that is there stays."""
    await db.run(
        _SAVE_IDENTITY_PROVIDER,
        org=org,
        issuer=row.issuer,
        client_id=row.client_id,
        secret=row.secret,
        keeps_secret=keeps_secret,
        label=row.label,
        scopes=row.scopes,
        by_email=row.by_email,
        strong_acr=row.strong_acr,
        strong_amr=row.strong_amr,
        now=row.updated_at,
        by_account=row.updated_by,
    )


async def remove_identity_provider(db: Db, org: UUID) -> bool:
    """Remove an organisation's provider and every link to it; False where there was none."""
    await db.run(_REMOVE_IDENTITIES, org=org)
    return await db.run(_REMOVE_IDENTITY_PROVIDER, org=org) == 1


async def identities_linked(db: Db, org: UUID) -> int:
    """Return how many accounts the present provider opens."""
    row = await db.one(_IDENTITIES_LINKED, org=org)
    return there(row).number


async def identity_by_subject(
    db: Db, org: UUID, issuer: str, subject_hash: bytes
) -> Identity | None:
    """Return what a subject of an issuer opens, locked, or None."""
    return await db.one(_IDENTITY_BY_SUBJECT, org=org, issuer=issuer, subject_hash=subject_hash)


async def identity_of(db: Db, org: UUID, account: UUID) -> Identity | None:
    """Return what opens an account from the provider that its organisation has now, or None."""
    return await db.one(_IDENTITY_OF, org=org, account=account)


async def account_by_email(db: Db, org: UUID, email: str) -> Account | None:
    """Return the account with an address in lower case, whether it has a password or not."""
    return await db.one(_ACCOUNT_BY_EMAIL, org=org, email=email)


async def link_identity(  # noqa: PLR0913  one row's columns
    db: Db,
    org: UUID,
    account: UUID,
    *,
    issuer: str,
    subject_hash: bytes,
    way: LinkWay,
    now: datetime,
) -> None:
    """Let a subject open an account, in place of what did; raises UniqueViolation for another's."""
    await db.run(
        _LINK_IDENTITY,
        org=org,
        account=account,
        issuer=issuer,
        subject_hash=subject_hash,
        way=way,
        now=now,
    )


async def identity_used(db: Db, org: UUID, account: UUID, now: datetime) -> None:
    """Remember that an account was opened from the provider."""
    await db.run(_IDENTITY_USED, org=org, account=account, now=now)


async def unlink_identity(db: Db, org: UUID, account: UUID) -> bool:
    """Let nothing at the provider open an account any more; False where nothing did."""
    return await db.run(_UNLINK_IDENTITY, org=org, account=account) == 1

"""Passkeys: public keys whose private halves live in people's phones, computers and keys."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct, structs

from mos.db import Db, Queries
from mos.privacy import texts
from mos.privacy.texts import Text

_sql = Queries(__package__, "passkeys.sql")
# Where a passkey's name lies, sealed under its owner's key.
_NAME = "passkey|name"


class Passkey(Struct, frozen=True, kw_only=True):
    """One passkey of an account. `synced`: its maker keeps a copy, so it outlives the device."""

    id: UUID
    account: UUID
    credential: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]
    synced: bool
    name: str
    created_at: datetime
    used_at: datetime | None


_PASSKEYS_OF = _sql.query("passkeys_of", Passkey)
_PASSKEY_BY_CREDENTIAL = _sql.query("passkey_by_credential", Passkey)
_ADD_PASSKEY = _sql.command("add_passkey")
_PASSKEY_USED = _sql.command("passkey_used")
_RENAME_PASSKEY = _sql.command("rename_passkey")
_REMOVE_PASSKEY = _sql.command("remove_passkey")
_SPEND_CHALLENGE = _sql.command("spend_challenge")


async def passkeys_of(db: Db, org: UUID, account: UUID) -> list[Passkey]:
    """Return an account's passkeys, oldest first."""
    found = await db.all(_PASSKEYS_OF, org=org, account=account)
    lying = [Text(each.id, each.name, (account,)) for each in found]
    names = await texts.shown(db, org, _NAME, lying)
    return [structs.replace(each, name=name) for each, name in zip(found, names, strict=True)]


async def passkey_by_credential(db: Db, org: UUID, credential: bytes) -> Passkey | None:
    """Return the organisation's passkey that its authenticator calls so, locked, or None.

    Its name is left as it lies: who it is is asked here, before any key is.
    """
    return await db.one(_PASSKEY_BY_CREDENTIAL, org=org, credential=credential)


async def add_passkey(db: Db, org: UUID, passkey: Passkey) -> None:
    """Add a passkey; raises UniqueViolation for one that is there."""
    await db.run(
        _ADD_PASSKEY,
        org=org,
        id=passkey.id,
        account=passkey.account,
        credential=passkey.credential,
        public_key=passkey.public_key,
        sign_count=passkey.sign_count,
        transports=passkey.transports,
        synced=passkey.synced,
        name=await _sealed_name(db, org, passkey.account, passkey.id, passkey.name),
        now=passkey.created_at,
    )


async def passkey_used(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, passkey: UUID, *, sign_count: int, synced: bool, now: datetime
) -> None:
    """Remember that a passkey was used at `now`, and how often it says it was."""
    await db.run(_PASSKEY_USED, org=org, id=passkey, sign_count=sign_count, synced=synced, now=now)


async def rename_passkey(db: Db, org: UUID, account: UUID, passkey: UUID, name: str) -> bool:
    """Name one of an account's passkeys; False when there is none."""
    sealed = await _sealed_name(db, org, account, passkey, name)
    return await db.run(_RENAME_PASSKEY, org=org, account=account, id=passkey, name=sealed) == 1


async def remove_passkey(db: Db, org: UUID, account: UUID, passkey: UUID) -> bool:
    """Remove one of an account's passkeys; False when there is none."""
    return await db.run(_REMOVE_PASSKEY, org=org, account=account, id=passkey) == 1


async def spend_challenge(
    db: Db, challenge_hash: bytes, *, expires_at: datetime, now: datetime
) -> bool:
    """Use a challenge up; False when it has been used before."""
    spent = await db.run(
        _SPEND_CHALLENGE, challenge_hash=challenge_hash, expires_at=expires_at, now=now
    )
    return spent == 1


async def _sealed_name(db: Db, org: UUID, account: UUID, passkey: UUID, name: str) -> str:
    return (await texts.sealed(db, org, _NAME, [Text(passkey, name, (account,))]))[0]

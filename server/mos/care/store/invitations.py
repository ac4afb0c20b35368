"""One-time links. A link is found before the organisation is known."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct, structs

from mos.care.model import Role
from mos.db import Db, Queries
from mos.privacy.texts import device_names

_sql = Queries(__package__, "invitations.sql")


class Invitation(Struct, frozen=True):
    """A one-time link as its token finds it."""

    org: UUID
    invitation: UUID
    account: UUID
    kind: str
    name: str
    role: Role
    email: str | None
    expires_at: datetime
    used: bool


class InvitationState(Struct, frozen=True):
    """What became of a link: `used_at` and the device that took it, null until then."""

    expires_at: datetime
    used_at: datetime | None
    device: UUID | None
    device_name: str | None


_INVITATION_LOOKUP = _sql.query("invitation_lookup", Invitation)
_ADD_INVITATION = _sql.command("add_invitation")
_VOID_INVITATIONS = _sql.command("void_invitations")
_USE_INVITATION = _sql.command("use_invitation")
_INVITATION_STATE = _sql.query("invitation_state", InvitationState)


async def invitation_lookup(db: Db, token_hash: bytes) -> Invitation | None:
    """Return the invitation behind a token's hash, whatever its state, or None. Needs no scope."""
    return await db.one(_INVITATION_LOOKUP, token_hash=token_hash)


async def add_invitation(  # noqa: PLR0913  one row's columns
    db: Db,
    org: UUID,
    *,
    invitation: UUID,
    account: UUID,
    kind: str,
    token_hash: bytes,
    created_by: UUID,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Add an invitation."""
    await db.run(
        _ADD_INVITATION,
        org=org,
        invitation=invitation,
        account=account,
        kind=kind,
        token_hash=token_hash,
        created_by=created_by,
        now=now,
        expires_at=expires_at,
    )


async def void_invitations(db: Db, org: UUID, account: UUID, now: datetime) -> None:
    """End every unused invitation of an account."""
    await db.run(_VOID_INVITATIONS, org=org, account=account, now=now)


async def use_invitation(
    db: Db, org: UUID, invitation: UUID, *, device: UUID, now: datetime
) -> bool:
    """Mark an invitation as used on a device; False when somebody was faster or it has ended."""
    used = await db.run(_USE_INVITATION, org=org, invitation=invitation, device=device, now=now)
    return used == 1


async def invitation_state(
    db: Db, org: UUID, account: UUID, invitation: UUID
) -> InvitationState | None:
    """Return what became of an account's invitation, or None."""
    found = await db.one(_INVITATION_STATE, org=org, account=account, invitation=invitation)
    if found is None:
        return None
    [name] = await device_names(db, org, [(found.device, account, found.device_name)])
    return structs.replace(found, device_name=name)

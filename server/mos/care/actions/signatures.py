"""Signing on a tablet that somebody else is signed in on: a PIN, for one act in one's own name.

What it makes is a session of its own kind. Its key signs what the device pushes (`as` in
docs/sync.md) and nothing else: no cookie stands for it, it opens no route, and whoever is signed in
stays so.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import rules, store
from mos.care.actions import permit, pins
from mos.care.actions.doorkeeper import Doorkeeper
from mos.care.actions.noting import note
from mos.care.actions.tokens import new_token, token_hash
from mos.care.model import Actor, Permission
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Forbidden
from mos.kernel.ids import new_id


class Signing(Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs, by which PIN, and in which space."""

    account: UUID
    secret: pins.PinSecret
    space: UUID


class Signature(Struct, frozen=True):
    """A session that signs what its person does on this device, until `until`, and opens nothing.

    `permissions`: what they may do in the space that was asked for; nothing is recorded among
    medication by staff who may not sign for doses.
    """

    sid: UUID
    sync_key: str
    account: UUID
    name: str
    until: datetime
    permissions: list[Permission]


async def sign(  # noqa: PLR0913  where, who and by what
    pool: Pool, door: Doorkeeper, actor: Actor, wanted: Signing, *, bound: str | None, now: datetime
) -> Signature:
    """Return what somebody signs with on the device that the actor is signed in on.

    The PIN is counted and checked as at the door. Raises NotFound for a space that the actor does
    not see, Conflict for a device without its cookie, TooMany, and Forbidden: the same whether the
    PIN was wrong, there is none, or the account is closed.
    """
    async with pool.transaction(Scope(org=actor.org)) as db:
        if not await _words(db, actor, wanted.space, now):
            raise permit.no_such("space")
        device = await pins.device_behind(db, actor.org, bound)
    if device is None or device != actor.device:
        raise Conflict("Sign in on this device anew first.", code="not_bound")
    here = pins.Here(actor.org, wanted.account, device)
    with door.passwords.room():
        kind = await pins.prove(pool, door, here, wanted.secret, now)
    if kind is None:
        raise _wrong()
    async with pool.transaction(Scope(org=actor.org)) as db:
        account = await pins.believe(db, door, here, now)
        if account is None:
            raise _wrong()
        signer = Actor(
            org=actor.org,
            account=account.id,
            role=account.role,
            session=new_id(now),
            device=device,
            methods=(kind,),
        )
        until = now + rules.SIGNATURE_LASTS
        # The word that would open it is told to nobody, and kept nowhere.
        unknown = token_hash(new_token())
        await store.add_signature(db, signer, token_hash=unknown, now=now, expires_at=until)
        note(db, signer, "signature_made", now, way=kind, beside=actor.account)
        words = await _words(db, signer, wanted.space, now)
    return Signature(
        sid=signer.session,
        sync_key=door.session_keys.text(signer.session),
        account=account.id,
        name=account.name,
        until=until,
        permissions=sorted(words),
    )


async def _words(db: Db, actor: Actor, space: UUID, now: datetime) -> frozenset[Permission]:
    access = await permit.access_to(db, actor, space, now)
    if access is None:
        return frozenset()
    return rules.signed_words(actor.role, access.kind, access.permissions)


def _wrong() -> Forbidden:
    return Forbidden("This is not the PIN that is.", code="pin_wrong")

"""Links between accounts and the provider's people: made and ended by whose account it is."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import store
from mos.care.actions.noting import note
from mos.care.actions.oidc.asking import Answer, Away, Desk, leave, provider_of
from mos.care.actions.oidc.in_session import heard, trip_of
from mos.care.actions.permit import managed_account, no_such
from mos.care.actions.step_up import require_step_up
from mos.care.model import Actor, Role
from mos.db import Db, Scope, UniqueViolation
from mos.kernel.errors import Conflict, Forbidden


class IdentityState(Struct, frozen=True):
    """The provider that one's organisation has, null: none; and whether it opens one's account."""

    label: str | None
    linked: bool
    way: store.LinkWay | None
    linked_at: datetime | None
    used_at: datetime | None


async def state(db: Db, actor: Actor) -> IdentityState:
    """Return what opens the actor's account from a provider."""
    provider = await store.identity_provider(db, actor.org)
    if provider is None or actor.role is Role.RESIDENT:
        return IdentityState(None, linked=False, way=None, linked_at=None, used_at=None)
    found = await store.identity_of(db, actor.org, actor.account)
    return IdentityState(
        provider.label,
        linked=found is not None,
        way=found.way if found else None,
        linked_at=found.linked_at if found else None,
        used_at=found.used_at if found else None,
    )


async def begin_link(desk: Desk, actor: Actor) -> Away:
    """Return where the actor goes to link their account; raises Forbidden, Conflict, StepUpNeeded.

    Whoever links an account can open it, so it asks who they are as a new passkey does.
    """
    if actor.role is Role.RESIDENT:
        raise Forbidden("A resident is signed in without a password.")
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        provider = await provider_of(db, actor.org)
        await require_step_up(db, actor, desk.now)
    return await leave(desk, actor.org, trip_of(desk, actor, "link", provider), provider)


async def finish_link(
    desk: Desk, actor: Actor, cookie: str | None, answer: Answer
) -> IdentityState:
    """Link the actor's account to whoever they were at the provider, in place of what was before.

    Raises Unauthenticated, or Conflict where that opens somebody else's account.
    """
    told = (await heard(desk, actor, "link", cookie, answer)).told
    try:
        async with desk.pool.transaction(Scope(org=actor.org)) as db:
            await store.link_identity(
                db,
                actor.org,
                actor.account,
                issuer=told.provider.issuer,
                subject_hash=told.subject_hash,
                way="self",
                now=desk.now,
            )
            note(db, actor, "identity_linked", desk.now, of=actor.account, way="self")
            return await state(db, actor)
    except UniqueViolation:
        raise Conflict("This opens another account here.", code="identity_taken") from None


async def unlink(db: Db, actor: Actor, now: datetime) -> None:
    """Let the provider open the actor's account no more, never as the last way in.

    Raises NotFound, Conflict or StepUpNeeded.
    """
    await require_step_up(db, actor, now)
    await store.lock_organisation(db, actor.org)
    if await store.identity_of(db, actor.org, actor.account) is None:
        raise no_such("identity")
    has_password = await store.password(db, actor.org, actor.account) is not None
    if not has_password and not await store.passkeys_of(db, actor.org, actor.account):
        raise Conflict("This is your only way in: make another one first.", code="last_way_in")
    await store.unlink_identity(db, actor.org, actor.account)
    note(db, actor, "identity_unlinked", now, of=actor.account)


async def unlink_other(db: Db, actor: Actor, account: UUID, now: datetime) -> None:
    """Let the provider open the account of somebody whom the actor manages no more.

    They are signed out everywhere: another identity has to be linked anew. Raises Forbidden,
    NotFound or StepUpNeeded.
    """
    await managed_account(db, actor, account, now)
    await require_step_up(db, actor, now)
    if not await store.unlink_identity(db, actor.org, account):
        raise no_such("identity")
    await store.end_sessions(db, actor.org, account, now)
    note(db, actor, "identity_unlinked", now, of=account)

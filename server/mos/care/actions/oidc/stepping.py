"""A step-up by the provider: somebody proves there once more, just now, who they are."""

from mos.care import rules, store
from mos.care.actions.noting import note
from mos.care.actions.oidc.asking import Answer, Away, Desk, leave, provider_of
from mos.care.actions.oidc.in_session import heard, trip_of
from mos.care.actions.sessions import Opened, step_up
from mos.care.model import Actor, Method
from mos.db import Scope
from mos.kernel.errors import Conflict, Forbidden


async def begin_step(desk: Desk, actor: Actor) -> Away:
    """Return where the actor goes to prove once more who they are; raises Conflict."""
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        provider = await provider_of(db, actor.org)
        if await store.identity_of(db, actor.org, actor.account) is None:
            raise Conflict("Your account is not linked to it.", code="identity_off")
    return await leave(desk, actor.org, trip_of(desk, actor, "step", provider), provider)


async def finish_step(desk: Desk, actor: Actor, cookie: str | None, answer: Answer) -> Opened:
    """Step the actor's session up; raises Unauthenticated, Conflict or Forbidden.

    Forbidden for another person's answer, for one that is not of just now, and where the account
    has more than the provider tells of.
    """
    back = await heard(desk, actor, "step", cookie, answer)
    told = back.told
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        known = await store.identity_by_subject(
            db, actor.org, told.provider.issuer, told.subject_hash
        )
        is_theirs = known is not None and known.account == actor.account
        is_fresh = rules.is_fresh(told.claims, asked_at=back.asked_at)
        if not is_theirs or not is_fresh:
            note(db, actor, "step_up_failed", desk.now, of=actor.account)
        has = await store.second_factors(db, actor.org, actor.account)
    if not is_theirs:
        raise Forbidden("This was not you at your provider.", code="identity_other")
    if not is_fresh:
        raise Forbidden("Your provider did not ask you anew.", code="identity_stale")
    way: Method = "oidc_strong" if told.is_assured else "oidc"
    if not rules.is_strong((way,), has_passkey=has.passkey, has_totp=has.totp):
        code = "passkey_needed" if has.passkey else "code_needed"
        raise Forbidden("Use your passkey, or a code from your phone.", code=code)
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await store.identity_used(db, actor.org, actor.account, desk.now)
        return await step_up(db, actor, way, desk.now)

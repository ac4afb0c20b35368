"""Step-up: for what matters people prove once more who they are, and the request goes on.

An action that needs it asks `require_step_up`; the answer names the ways that would do. A session
that somebody left open, or a stolen cookie, reads what its person reads and changes none of this.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from mos.care import rules, store
from mos.care.model import Actor, Method
from mos.db import Db
from mos.kernel.errors import Forbidden


class StepUpNeeded(Forbidden):
    """The actor may do this, once they have proved again who they are in one of `methods`."""

    code = "step_up_needed"

    def __init__(self, methods: list[Method]) -> None:
        """Name the ways that would do; none: signing in anew is the only one."""
        super().__init__("Prove once more who you are.")
        self.methods = methods


class StepUpWays(Struct, frozen=True):
    """The ways that would do, the best first, and what a passkey is asked with."""

    methods: list[Method]
    passkey: dict[str, Any] | None
    # What the identity provider is called, where `oidc` is among them.
    provider: str | None = None


async def ways(db: Db, actor: Actor) -> list[Method]:
    """Return the ways in which the actor can step up, the best first."""
    has = await store.second_factors(db, actor.org, actor.account)
    secret = await store.password(db, actor.org, actor.account)
    return rules.step_up_methods(
        has_password=secret is not None,
        has_passkey=has.passkey,
        has_totp=has.totp,
        oidc=await _provider(db, actor),
    )


async def provider_label(db: Db, actor: Actor) -> str | None:
    """Return what the identity provider of the actor's organisation is called, or None."""
    provider = await store.identity_provider(db, actor.org)
    return provider.label if provider else None


async def _provider(db: Db, actor: Actor) -> bool | None:
    """Return whether the provider that opens the actor's account may tell of two steps."""
    if await store.identity_of(db, actor.org, actor.account) is None:
        return None
    provider = await store.identity_provider(db, actor.org)
    return provider is not None and bool(provider.strong_acr or provider.strong_amr)


async def require_step_up(db: Db, actor: Actor, now: datetime) -> None:
    """Let those pass who proved who they are within the last five minutes.

    Raises StepUpNeeded. It comes after the question whether they may do this at all.
    """
    if not rules.is_stepped_up(actor.strong_at, now):
        raise StepUpNeeded(await ways(db, actor))

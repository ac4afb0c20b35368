"""An organisation's identity provider, for whoever manages all of the organisation."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from mos.care import store
from mos.care.actions.doorkeeper import require_try
from mos.care.actions.noting import note
from mos.care.actions.oidc.asking import Desk, secret_context
from mos.care.actions.oidc.directory import Unavailable
from mos.care.actions.outside import require_url
from mos.care.actions.permit import no_such, require_whole
from mos.care.actions.step_up import require_step_up
from mos.care.model import Actor
from mos.db import Db, Scope
from mos.dispatch.outward import Guard
from mos.kernel.errors import Invalid

# How often a day a provider is asked to be shown, before the next time has to wait.
_FREE_TRIALS = 30

_Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[!#-\[\]-~]+\Z")]
_Words = Annotated[list[_Word], Meta(max_length=20)]
_Line = r"^[^\x00-\x1f\x7f]*\Z"
_Issuer = Annotated[str, Meta(min_length=8, max_length=500, pattern=r"^[!-~]+\Z")]
_Secret = Annotated[str, Meta(min_length=1, max_length=1000, pattern=_Line)]


class ProviderEntry(Struct, frozen=True, kw_only=True):
    """How the provider is set up, without its secret; `redirect_uri` is what it must be told.

    `state`: `off`, `on`, or `broken` (the secret does not open any more: enter it anew).
    """

    state: Literal["off", "on", "broken"]
    redirect_uri: str
    issuer: str = ""
    client_id: str = ""
    has_secret: bool = False
    label: str = ""
    scopes: list[str] = []
    by_email: bool = False
    strong_acr: list[str] = []
    strong_amr: list[str] = []
    # How many accounts it opens.
    linked: int = 0
    updated_at: datetime | None = None


class ProviderChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the provider is to be set up, all of it. A `secret` that is not named stays as it is.

    `scopes` are asked for beside `openid`. `by_email`: an address that the provider has verified
    links its account the first time. With one of `strong_acr` or `strong_amr` in its answer a
    sign-in counts as two steps.
    """

    issuer: _Issuer
    client_id: Annotated[str, Meta(min_length=1, max_length=300, pattern=_Line)]
    secret: _Secret | UnsetType | None = UNSET
    label: Annotated[str, Meta(min_length=1, max_length=60, pattern=_Line)]
    scopes: _Words = []
    by_email: bool = False
    strong_acr: _Words = []
    strong_amr: _Words = []


class ProviderTrial(Struct, frozen=True, forbid_unknown_fields=True):
    """The issuer to ask."""

    issuer: _Issuer


class ProviderTried(Struct, frozen=True, kw_only=True):
    """What the provider answered just now.

    `outcome`: `ready`, or why not: `blocked`, `unreachable`, `slow`, `status`, `not_json`, `issuer`
    (it calls itself otherwise), `incomplete`.
    """

    outcome: str
    issuer: str = ""
    authorization: str = ""
    token: str = ""
    algorithms: list[str] = []
    keys: int = 0
    has_pkce: bool = False
    names_itself: bool = False


async def look(desk: Desk, db: Db, actor: Actor) -> ProviderEntry:
    """Return how the provider is set up; raises Forbidden."""
    await require_whole(db, actor, desk.now)
    row = await store.identity_provider(db, actor.org)
    if row is None:
        return ProviderEntry(state="off", redirect_uri=desk.redirect_uri)
    opens = desk.services.opened(secret_context(actor.org), row.secret) is not None
    return ProviderEntry(
        state="on" if opens else "broken",
        redirect_uri=desk.redirect_uri,
        issuer=row.issuer,
        client_id=row.client_id,
        has_secret=row.secret is not None,
        label=row.label,
        scopes=row.scopes,
        by_email=row.by_email,
        strong_acr=row.strong_acr,
        strong_amr=row.strong_amr,
        linked=await store.identities_linked(db, actor.org),
        updated_at=row.updated_at,
    )


async def save(desk: Desk, actor: Actor, guard: Guard, wanted: ProviderChange) -> ProviderEntry:
    """Set the provider up; raises Forbidden, Invalid or StepUpNeeded."""
    now = desk.now
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await require_whole(db, actor, now)
        await require_step_up(db, actor, now)
        _require_issuer(guard, wanted.issuer)
        if not wanted.label.strip():
            raise Invalid("Write what the button says.", field="label")
        secret = None
        if isinstance(wanted.secret, str):
            context = secret_context(actor.org)
            secret = desk.services.seals.seal(context, wanted.secret.encode())
        keeps = wanted.secret is UNSET
        if keeps:
            await _require_same_issuer(db, actor, wanted)
        row = store.IdentityProvider(
            issuer=wanted.issuer,
            client_id=wanted.client_id.strip(),
            secret=secret,
            label=wanted.label.strip(),
            scopes=[scope for scope in dict.fromkeys(wanted.scopes) if scope != "openid"],
            by_email=wanted.by_email,
            strong_acr=wanted.strong_acr,
            strong_amr=wanted.strong_amr,
            updated_at=now,
            updated_by=actor.account,
        )
        await store.save_identity_provider(db, actor.org, row, keeps_secret=keeps)
        is_strong = bool(row.strong_acr or row.strong_amr)
        note(
            db, actor, "identity_provider_set", now,
            secret=not keeps, by_email=row.by_email, strong=is_strong,
        )  # fmt: skip
        return await look(desk, db, actor)


async def remove(db: Db, actor: Actor, now: datetime) -> None:
    """Forget the provider, its secret and every link to it.

    Raises Forbidden, NotFound or StepUpNeeded.
    """
    await require_whole(db, actor, now)
    await require_step_up(db, actor, now)
    if not await store.remove_identity_provider(db, actor.org):
        raise no_such("identity provider")
    note(db, actor, "identity_provider_removed", now)


async def attempt(desk: Desk, actor: Actor, guard: Guard, trial: ProviderTrial) -> ProviderTried:
    """Ask a provider what it says of itself; raises Forbidden, Invalid or TooMany."""
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await require_whole(db, actor, desk.now)
        _require_issuer(guard, trial.issuer)
        whose = f"{actor.org}:{actor.account}"
        await require_try(db, desk.door, "provider", whose, free=_FREE_TRIALS, now=desk.now)
    try:
        said = await desk.directory.ask(trial.issuer)
        keys = await desk.directory.keys(said)
    except Unavailable as error:
        return ProviderTried(outcome=error.why)
    return ProviderTried(
        outcome="ready" if keys else "incomplete",
        issuer=said.issuer,
        authorization=said.authorization,
        token=said.token,
        algorithms=list(said.algorithms),
        keys=len(keys),
        has_pkce=said.has_pkce,
        names_itself=said.names_itself,
    )


def _require_issuer(guard: Guard, issuer: str) -> None:
    require_url(guard, issuer, field="issuer")
    if "?" in issuer:
        raise Invalid("An issuer's address has no question mark.", field="issuer")


async def _require_same_issuer(db: Db, actor: Actor, wanted: ProviderChange) -> None:
    """Let a secret stay where it goes to whom it was given for; raises Invalid."""
    before = await store.identity_provider(db, actor.org)
    if before is not None and before.secret is not None and before.issuer != wanted.issuer:
        raise Invalid("Another provider has another secret: write it.", field="secret")

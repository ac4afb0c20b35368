"""Sends somebody to their identity provider, and judges what they bring back."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

import structlog
from msgspec import Meta, Struct

from mos.care import rules, store
from mos.care.actions.doorkeeper import Doorkeeper
from mos.care.actions.oidc import trips
from mos.care.actions.oidc.directory import Directory, Endpoints, Tokens, Unavailable
from mos.care.actions.oidc.trips import Packed, Trip
from mos.care.rules import WrongToken
from mos.db import Db, Pool, Scope
from mos.dispatch.channels.services import Services
from mos.kernel.errors import Conflict, Unauthenticated

_log = structlog.get_logger(__name__)

CALLBACK = "/oidc/callback"


class Desk(Struct, frozen=True):
    """What it takes to ask a provider, and when that is."""

    pool: Pool
    door: Doorkeeper
    directory: Directory
    services: Services
    public_url: str
    now: datetime

    @property
    def redirect_uri(self) -> str:
        """Return where the provider sends people back: exactly this, for every organisation."""
        return f"{self.public_url}{CALLBACK}"


class Away(Struct, frozen=True):
    """Where somebody goes, and the cookie that they take along."""

    url: str
    cookie: str


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """What the provider's answer says, as it stands in the address that it leads back to."""

    code: Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[\x20-\x7e]+\Z")]
    state: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+\Z")]
    iss: Annotated[str, Meta(max_length=500)] | None = None


class Told(Struct, frozen=True):
    """Whom the provider says that it was, and how sure it is of that."""

    provider: store.IdentityProvider
    subject_hash: bytes
    claims: dict[str, Any]
    endpoints: Endpoints
    tokens: Tokens

    @property
    def is_assured(self) -> bool:
        """Say whether the provider tells of two steps."""
        acr, amr = self.provider.strong_acr, self.provider.strong_amr
        return rules.is_assured(self.claims, acr=acr, amr=amr)


def secret_context(org: UUID) -> str:
    """Return what a provider's secret is sealed for."""
    return f"identity_provider/{org}"


async def provider_of(db: Db, org: UUID) -> store.IdentityProvider:
    """Return an organisation's provider; raises Conflict."""
    found = await store.identity_provider(db, org)
    if found is None:
        raise Conflict("No identity provider is set up here.", code="oidc_off")
    return found


async def leave(desk: Desk, org: UUID, trip: Trip, provider: store.IdentityProvider) -> Away:
    """Return where somebody goes to prove who they are; raises Conflict.

    They prove it anew each time (`prompt=login`): on a tablet that many share, the provider would
    otherwise answer for whoever was there before.
    """
    try:
        endpoints = await desk.directory.endpoints(provider.issuer, desk.now)
    except Unavailable as error:
        raise unavailable(org, error) from None
    packed = trips.pack(desk.door, trip)
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": desk.redirect_uri,
        "scope": " ".join(["openid", *provider.scopes]),
        "state": trips.state_of(desk.door, packed),
        "nonce": trips.nonce_of(desk.door, packed),
        "code_challenge": trips.challenge_of(trips.verifier_of(desk.door, packed)),
        "code_challenge_method": "S256",
        "prompt": "login",
    }
    if trip.kind == "step":
        # Then `auth_time` must come back (Core §3.1.2.1), and is held against when they set out.
        asked["max_age"] = "0"
    if provider.strong_acr:
        asked["acr_values"] = " ".join(provider.strong_acr)
    return Away(_with(endpoints.authorization, asked), packed.cookie)


async def hear(desk: Desk, packed: Packed, answer: Answer) -> Told:
    """Return whom an answer is about; raises Conflict or Unauthenticated."""
    org = packed.trip.org
    async with desk.pool.transaction(Scope(org=org)) as db:
        provider = await provider_of(db, org)
    if trips.fingerprint(provider) != packed.trip.provider:
        raise trips.ended()
    sealed = desk.services.opened(secret_context(org), provider.secret)
    if sealed is None:
        raise unavailable(org, Unavailable("secret"))
    try:
        endpoints = await desk.directory.endpoints(provider.issuer, desk.now)
        if not rules.is_answer_of(provider.issuer, answer.iss, is_promised=endpoints.names_itself):
            raise WrongToken("answer")  # noqa: TRY301  one place says no
        given = {
            "code": answer.code,
            "redirect_uri": desk.redirect_uri,
            "code_verifier": trips.verifier_of(desk.door, packed),
        }
        tokens = await desk.directory.exchange(
            endpoints, given, provider.client_id, sealed.decode() or None
        )
        claims = await desk.directory.claims(endpoints, tokens.id_token, desk.now)
        subject = rules.check_token(
            claims,
            issuer=provider.issuer,
            client_id=provider.client_id,
            nonce=trips.nonce_of(desk.door, packed),
            now=desk.now,
        )
    except Unavailable as error:
        if error.why == "refused":
            raise refused(org, "code") from None
        raise unavailable(org, error) from None
    except WrongToken as error:
        raise refused(org, str(error)) from None
    return Told(
        provider, subject_hash(desk.door, org, provider.issuer, subject), claims, endpoints, tokens
    )


async def verified_email(desk: Desk, told: Told) -> str | None:
    """Return an address that the provider has verified, from the token or from beside it."""
    email = rules.verified_email(told.claims)
    if email is not None or told.tokens.access_token is None or "email" in told.claims:
        return email
    try:
        beside = await desk.directory.userinfo(told.endpoints, told.tokens.access_token)
    except Unavailable:
        return None
    # Of somebody else it would say nothing about this person (Core §5.3.2).
    return rules.verified_email(beside) if beside.get("sub") == told.claims["sub"] else None


def subject_hash(door: Doorkeeper, org: UUID, issuer: str, subject: str) -> bytes:
    """Return under what an identity is kept: a subject may be a personal number."""
    return door.key("identity", f"{org}\n{issuer}\n{subject}")


def refused(org: UUID, why: str) -> Unauthenticated:
    """Return the answer to what counts for nothing; why stands in the log, for whoever runs MOS."""
    _log.warning("oidc_refused", org=str(org), why=why)
    return Unauthenticated("Your provider's answer was not accepted.", code="oidc_refused")


def unavailable(org: UUID, error: Unavailable) -> Conflict:
    """Return the answer where the provider cannot be asked."""
    _log.warning("oidc_unavailable", org=str(org), why=error.why)
    return Conflict("The identity provider does not answer rightly.", code="oidc_unavailable")


def _with(url: str, asked: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(each for each in (parts.query, urlencode(asked)) if each)
    return urlunsplit(parts._replace(query=query))

"""The doors that lead by an identity provider: out to it, and back in. They deal in cookies."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody
from msgspec import Struct

from mos.care import rules
from mos.care.actions import sessions, whoami
from mos.care.actions.oidc import entering, linking, stepping
from mos.care.actions.oidc.asking import Answer, Away
from mos.care.actions.second_factor import SecondCode
from mos.care.actions.text import Name, Token
from mos.care.routes.given import FromEdge, SignedIn
from mos.web.entered import AnyRequest, entered, stepped
from mos.web.session import cookie_token, trip_name, trip_token


class Outset(Struct, frozen=True, forbid_unknown_fields=True):
    """On which device somebody wants in, and where there are several, to which organisation.

    `invitation`: the token of a link that was made for them, which this uses.
    """

    device_id: UUID
    organisation: UUID | None = None
    invitation: Token | None = None


class Return(Struct, frozen=True, forbid_unknown_fields=True):
    """What the provider's answer says, and on which device it came."""

    answer: Answer
    device_id: UUID
    device_name: Name | None = None


class HalfIn(Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket of whoever has come from their provider, and a code from phone or paper."""

    ticket: entering.Ticket
    code: SecondCode
    device_id: UUID
    device_name: Name | None = None


class Elsewhere(Struct, frozen=True):
    """The provider's address, where the browser goes now."""

    url: str


@post("/session/oidc", status_code=200, tags=["session"])
async def post_oidc(
    data: JSONBody[Outset], request: AnyRequest, given: FromEdge
) -> Response[Elsewhere]:
    """Return where an organisation's people sign in, and a cookie to come back with.

    Good for ten minutes. 409 `oidc_off` where none is set up; 409 `oidc_unavailable`.
    """
    if data.invitation is None:
        away = await entering.begin(given.providers, data.organisation, data.device_id)
    else:
        away = await entering.begin_by_link(given.providers, data.invitation, data.device_id)
    return _away(request, away)


@post("/session/oidc/return", status_code=201, tags=["session"])
async def post_oidc_return(
    data: JSONBody[Return], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody | entering.Half]:
    """Sign in by what the provider answered; answers like sign-in.

    401 `oidc_ended`: begun in another browser, too long ago, or used; 401 `oidc_refused`: the
    answer counts for nothing; 401 `identity_unknown`: nobody here is linked to it. 200 with a
    `ticket` where a code is asked for beside (POST session/oidc/code). 409 `oidc_unavailable`.
    """
    where = sessions.Where(data.device_id, data.device_name or "", cookie_token(request.scope))
    client = request.scope["client"]
    knock = entering.Knock(
        trip_token(request.scope), data.answer, client[0] if client else "", where
    )
    found = await entering.finish(given.providers, knock)
    if isinstance(found, entering.Half):
        return _home(request, Response(found, status_code=200))
    return _home(request, await entered(request, given, found))


@post("/session/oidc/code", status_code=201, tags=["session"])
async def post_oidc_code(
    data: JSONBody[HalfIn], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Sign in by the provider and a code. 401 `code_wrong`, `oidc_ended`; answers like sign-in."""
    where = sessions.Where(data.device_id, data.device_name or "", cookie_token(request.scope))
    opened = await entering.with_code(given.providers, data.ticket, data.code, where)
    return await entered(request, given, opened)


@post("/session/step-up/oidc", status_code=200, tags=["session"])
async def post_step_up_oidc(
    request: AnyRequest, given: FromEdge, me: SignedIn
) -> Response[Elsewhere]:
    """Return where you prove once more who you are. 409 `identity_off`, `oidc_unavailable`."""
    return _away(request, await stepping.begin_step(given.providers, me))


@post("/session/step-up/oidc/return", status_code=204, tags=["session"])
async def post_step_up_oidc_return(
    data: JSONBody[Answer], request: AnyRequest, given: FromEdge, me: SignedIn
) -> Response[None]:
    """Prove by the provider's answer who you are: for five minutes, and with a new cookie.

    403 `identity_other`: somebody else; `identity_stale`: not of just now; `passkey_needed`,
    `code_needed`: the account has more than the provider tells of.
    """
    opened = await stepping.finish_step(given.providers, me, trip_token(request.scope), data)
    return _home(request, stepped(request, opened))


@post("/account/identity", status_code=200, tags=["account"])
async def post_identity(request: AnyRequest, given: FromEdge, me: SignedIn) -> Response[Elsewhere]:
    """Return where you say whose account this is. Needs a step-up. 409 `oidc_off`."""
    return _away(request, await linking.begin_link(given.providers, me))


@post("/account/identity/return", status_code=200, tags=["account"])
async def post_identity_return(
    data: JSONBody[Answer], request: AnyRequest, given: FromEdge, me: SignedIn
) -> Response[linking.IdentityState]:
    """Let whom the provider names open your account. 409 `identity_taken`: it opens another."""
    state = await linking.finish_link(given.providers, me, trip_token(request.scope), data)
    return _home(request, Response(state, status_code=200))


def _away(request: AnyRequest, away: Away) -> Response[Elsewhere]:
    lasts = int(rules.TRIP_LASTS.total_seconds())
    return Response(
        Elsewhere(away.url), status_code=200, cookies=[_cookie(request, away.cookie, lasts)]
    )


def _home(request: AnyRequest, answer: Response[Any]) -> Response[Any]:
    answer.cookies.append(_cookie(request, "", 0))
    return answer


def _cookie(request: AnyRequest, value: str, lasts_s: int) -> Cookie:
    # Strict: our own page brings it back, in a request of its own.
    return Cookie(
        key=trip_name(request.scope),
        value=value,
        max_age=lasts_s,
        path="/",
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )


HANDLERS = [
    post_oidc,
    post_oidc_return,
    post_oidc_code,
    post_step_up_oidc,
    post_step_up_oidc_return,
    post_identity,
    post_identity_return,
]

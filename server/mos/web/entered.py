"""What every door answers to whoever came in: the session, and the cookies that go with it."""

from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import Cookie

from mos.care import store
from mos.care.actions import known_devices, pins, sessions, whoami
from mos.care.routes.given import Given
from mos.db import Scope
from mos.web.session import (
    COOKIE_LIFE_S,
    bound_name,
    bound_token,
    known_name,
    known_token,
    set_cookie,
)

AnyRequest = Request[Any, Any, Any]


async def entered(
    request: AnyRequest, given: Given, opened: sessions.Opened
) -> Response[whoami.SessionBody]:
    """Return the answer to whoever came in, with the session's cookie and those that know it."""
    async with given.pool.transaction(Scope(org=opened.actor.org)) as db:
        keys = given.door.session_keys
        body = await whoami.session_body(db, keys, opened.actor, given.now)
        account = await store.account(db, opened.actor.org, opened.actor.account)
        bound = bound_token(request.scope)
        device = opened.actor.device
        kept = await pins.bind(db, opened.actor.org, device, bound) if device else None
    cookie = set_cookie(request.scope, opened.token)
    answer = Response(body, status_code=201, headers={"set-cookie": cookie})
    if account is not None and account.email is not None:
        answer.cookies.append(_known(request, given, opened.actor.org, account.email))
    if kept is not None and kept != bound:
        answer.cookies.append(_lasting(request, bound_name(request.scope), kept))
    return answer


def _known(request: AnyRequest, given: Given, org: UUID, email: str) -> Cookie:
    """Return the cookie by which this browser is known again as one that this person uses."""
    known = known_devices.remembered(given.door.key, known_token(request.scope), org, email)
    return _lasting(request, known_name(request.scope), known)


def _lasting(request: AnyRequest, name: str, value: str) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=COOKIE_LIFE_S,
        path="/",
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )


def stepped(request: AnyRequest, opened: sessions.Opened) -> Response[None]:
    """Return the answer to a step-up: another cookie for the session."""
    cookie = set_cookie(request.scope, opened.token)
    return Response(None, status_code=204, headers={"set-cookie": cookie})

"""The routes that give and take the session cookie: claim, sign in, accept a link, sign out."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, delete, get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from mos.care.actions import installation, invitations, sessions, sign_in, whoami
from mos.care.actions.news import telling
from mos.care.actions.text import Name, Password
from mos.care.routes.given import FromEdge, Given, SignedIn
from mos.db import Scope
from mos.web.session import clear_cookie, cookie_token, set_cookie

AnyRequest = Request[Any, Any, Any]


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants in, and on which device. `device_id` is a UUID that the device made for itself.

    `organisation` is asked for where an installation has several, and passed over where it has one.
    """

    email: Annotated[str, Meta(max_length=254, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    password: Password
    device_id: UUID
    device_name: Name | None = None
    organisation: UUID | None = None


@get("/installation", tags=["installation"])
async def get_installation(given: FromEdge) -> installation.InstallationBody:
    """Say whether this installation has been claimed, and what a demo offers. Open to all."""
    async with given.pool.transaction() as db:
        return await installation.installation(db)


@post("/claim", tags=["installation"])
async def post_claim(
    data: JSONBody[installation.Claim], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Claim an empty installation with the token that `mos up` printed; answers like sign-in."""
    cookie = cookie_token(request.scope)
    opened = await installation.claim(given.pool, given.door, data, cookie=cookie, now=given.now)
    return await _entered(request, given, opened)


@post("/session", tags=["session"])
async def post_session(
    data: JSONBody[SignIn], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Sign in. 401 `sign_in_failed` whatever was wrong; 429 `too_many` while locked.

    409 `device_taken`: somebody else is signed in on this device, and their cookie was not sent.
    """
    where = sessions.Where(data.device_id, data.device_name or "", cookie_token(request.scope))
    client = request.scope["client"]
    address = client[0] if client else ""
    attempt = sign_in.Attempt(data.organisation, data.email.strip(), data.password, address, where)
    opened = await sign_in.sign_in(given.pool, given.door, attempt, given.now)
    return await _entered(request, given, opened)


@post("/invitations/accept", tags=["invitations"])
async def post_invitation_accept(
    data: JSONBody[invitations.AcceptInvitation], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Use a one-time link: choose a password, or sign a resident's tablet in at once."""
    cookie = cookie_token(request.scope)
    opened = await invitations.accept_invitation(
        given.pool, given.door, data, cookie=cookie, now=given.now
    )
    # Whoever chooses a password ends what was open before.
    given.hub.access_changed(opened.actor.org, [opened.actor.account])
    return await _entered(request, given, opened)


@delete("/session", tags=["session"])
async def delete_session(request: AnyRequest, given: FromEdge, me: SignedIn) -> Response[None]:
    """Sign out here."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await sessions.end_session(db, me, me.session, given.now)
        news.access([me.account])
    return _left(request)


@delete("/sessions", tags=["session"])
async def delete_sessions(request: AnyRequest, given: FromEdge, me: SignedIn) -> Response[None]:
    """Sign out everywhere, here too."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await sessions.end_all_sessions(db, me, given.now)
        news.access([me.account])
    return _left(request)


async def _entered(
    request: AnyRequest, given: Given, opened: sessions.Opened
) -> Response[whoami.SessionBody]:
    async with given.pool.transaction(Scope(org=opened.actor.org)) as db:
        keys = given.door.session_keys
        body = await whoami.session_body(db, keys, opened.actor, given.now)
    cookie = set_cookie(request.scope, opened.token)
    return Response(body, status_code=201, headers={"set-cookie": cookie})


def _left(request: AnyRequest) -> Response[None]:
    cookie = clear_cookie(request.scope)
    return Response(None, status_code=204, headers={"set-cookie": cookie})


HANDLERS = [
    get_installation,
    post_claim,
    post_session,
    post_invitation_accept,
    delete_session,
    delete_sessions,
]

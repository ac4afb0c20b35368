"""One's own account."""

from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from mos.care import store
from mos.care.actions import sessions, sign_in, whoami
from mos.care.actions.news import telling
from mos.care.actions.text import Name
from mos.care.routes.given import FromEdge, SignedIn
from mos.care.routes.resets import password_changed
from mos.db import Scope


@get("/session", tags=["session"])
async def get_session(given: FromEdge, me: SignedIn) -> whoami.SessionBody:
    """Return who is signed in, whom they may see, and what they may do there."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await whoami.session_body(db, given.door.session_keys, me, given.now)


class Here(Struct, frozen=True, forbid_unknown_fields=True):
    """The device that a session goes on as."""

    device_id: UUID
    device_name: Name | None = None


@put("/session/device", tags=["session"])
async def put_session_device(
    data: JSONBody[Here], given: FromEdge, me: SignedIn
) -> whoami.SessionBody:
    """Go on as another device: a browser that lost its data keeps its cookie. 409 `device_taken`.

    Answers like GET session.
    """
    where = sessions.Where(data.device_id, data.device_name or "", cookie=None)
    async with given.pool.transaction(Scope(org=me.org)) as db:
        moved = await sessions.move_session(db, me, where, given.now)
        return await whoami.session_body(db, given.door.session_keys, moved, given.now)


@get("/sessions", tags=["session"])
async def get_sessions(given: FromEdge, me: SignedIn) -> list[store.SessionEntry]:
    """List your live sessions, the latest used first."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await sessions.list_sessions(db, me, given.now)


@delete("/sessions/{session_id:uuid}", tags=["session"])
async def delete_session_by_id(session_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """End one of your sessions."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await sessions.end_session(db, me, session_id, given.now)
        news.access([me.account])


@patch("/account", tags=["account"])
async def patch_account(
    data: JSONBody[whoami.AccountChange], given: FromEdge, me: SignedIn
) -> whoami.SessionBody:
    """Change your own name or language; answers like GET session."""
    async with telling(given.pool, given.hub, me) as (db, news):
        keys = given.door.session_keys
        return await whoami.change_self(db, keys, me, data, given.now, news=news)


@post("/account/password", status_code=204, tags=["account"])
async def post_password(
    data: JSONBody[sign_in.PasswordChange], given: FromEdge, me: SignedIn
) -> Response[None]:
    """Change your own password; your other sessions end, and you are told by mail."""
    await sign_in.change_password(given.pool, given.door, me, data, given.now)
    given.hub.access_changed(me.org, [me.account])
    told = password_changed(given, me.org, me.account)
    return Response(None, status_code=204, background=told)


HANDLERS = [
    get_session,
    put_session_device,
    get_sessions,
    delete_session_by_id,
    patch_account,
    post_password,
]

"""One's own account."""

from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from mos.care import store
from mos.care.actions import sessions, sign_in, whoami
from mos.care.actions.news import telling
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/session", tags=["session"])
async def get_session(given: FromEdge, me: SignedIn) -> whoami.SessionBody:
    """Return who is signed in, whom they may see, and what they may do there."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await whoami.session_body(db, me, given.now)


@get("/sessions", tags=["session"])
async def get_sessions(given: FromEdge, me: SignedIn) -> list[store.SessionEntry]:
    """List your live sessions, the latest used first."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await sessions.list_sessions(db, me, given.now)


@delete("/sessions/{session_id:uuid}", tags=["session"])
async def delete_session_by_id(session_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """End one of your sessions."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await sessions.end_session(db, me, session_id, given.now)


@patch("/account", tags=["account"])
async def patch_account(
    data: JSONBody[whoami.AccountChange], given: FromEdge, me: SignedIn
) -> whoami.SessionBody:
    """Change your own name or language; answers like GET session."""
    async with telling(given.pool, given.hub, me) as (db, news):
        return await whoami.change_self(db, me, data, given.now, news=news)


@post("/account/password", status_code=204, tags=["account"])
async def post_password(
    data: JSONBody[sign_in.PasswordChange], given: FromEdge, me: SignedIn
) -> None:
    """Change your own password; your other sessions end."""
    await sign_in.change_password(given.pool, given.door, me, data, given.now)


HANDLERS = [get_session, get_sessions, delete_session_by_id, patch_account, post_password]

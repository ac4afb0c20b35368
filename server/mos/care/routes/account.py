"""One's own account."""

from datetime import datetime
from uuid import UUID

from litestar import delete, get, patch, post

from mos.care import store
from mos.care.actions import sessions, sign_in, whoami
from mos.care.actions.news import telling
from mos.care.model import Actor
from mos.db import Pool, Scope
from mos.sync.pokes import Hub


@get("/session", tags=["session"])
async def get_session(pool: Pool, actor: Actor, now: datetime) -> whoami.SessionBody:
    """Return who is signed in, whom they may see, and what they may do there."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await whoami.session_body(db, actor, now)


@get("/sessions", tags=["session"])
async def get_sessions(pool: Pool, actor: Actor, now: datetime) -> list[store.SessionEntry]:
    """List your live sessions, the latest used first."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await sessions.list_sessions(db, actor, now)


@delete("/sessions/{session_id:uuid}", tags=["session"])
async def delete_session_by_id(session_id: UUID, pool: Pool, actor: Actor, now: datetime) -> None:
    """End one of your sessions."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        await sessions.end_session(db, actor, session_id, now)


@patch("/account", tags=["account"])
async def patch_account(
    data: whoami.AccountChange, pool: Pool, hub: Hub, actor: Actor, now: datetime
) -> whoami.SessionBody:
    """Change your own name or language; answers like GET session."""
    async with telling(pool, hub, actor) as (db, news):
        return await whoami.change_self(db, actor, data, now, news=news)


@post("/account/password", status_code=204, tags=["account"])
async def post_password(
    data: sign_in.PasswordChange,
    pool: Pool,
    door: sign_in.Doorkeeper,
    actor: Actor,
    now: datetime,
) -> None:
    """Change your own password; your other sessions end."""
    await sign_in.change_password(pool, door, actor, data, now)


HANDLERS = [get_session, get_sessions, delete_session_by_id, patch_account, post_password]

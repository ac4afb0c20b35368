"""Accounts of supporters, and the links that let people in."""

from datetime import datetime
from uuid import UUID

from litestar import delete, get, patch, post

from mos.care import store
from mos.care.actions import invitations, people
from mos.care.actions.news import telling
from mos.care.model import Actor
from mos.db import Pool, Scope
from mos.sync.pokes import Hub


@get("/accounts", tags=["accounts"])
async def get_accounts(pool: Pool, actor: Actor, now: datetime) -> list[store.AccountEntry]:
    """List the people whom you manage, and for managers those who belong nowhere yet."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await people.list_accounts(db, actor, now)


@post("/accounts", tags=["accounts"])
async def post_account(
    data: people.NewAccount, pool: Pool, actor: Actor, now: datetime
) -> store.AccountEntry:
    """Add a person, with what is usual for their role in each of `units`."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await people.add_account(db, actor, data, now)


@patch("/accounts/{account_id:uuid}", tags=["accounts"])
async def patch_account_by_id(  # noqa: PLR0913, PLR0917  what Litestar injects
    account_id: UUID, data: people.AccountUpdate, pool: Pool, hub: Hub, actor: Actor, now: datetime
) -> store.AccountEntry:
    """Change a person's name, role, address or language, or disable them (which ends sessions)."""
    async with telling(pool, hub, actor) as (db, news):
        return await people.change_account(db, actor, account_id, data, now, news=news)


@post("/accounts/{account_id:uuid}/invitations", tags=["accounts"])
async def post_invitation(
    account_id: UUID, data: invitations.NewInvitation, pool: Pool, actor: Actor, now: datetime
) -> invitations.InvitationLink:
    """Make a one-time link: 7 days for a password, 1 hour for a resident's tablet.

    The token is shown this once, and earlier links of the person open nothing any more.
    """
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await invitations.invite(db, actor, account_id, data, now)


@delete("/accounts/{account_id:uuid}/sessions", tags=["accounts"])
async def delete_account_sessions(
    account_id: UUID, pool: Pool, hub: Hub, actor: Actor, now: datetime
) -> None:
    """Sign a person out everywhere."""
    async with telling(pool, hub, actor) as (db, news):
        await people.end_account_sessions(db, actor, account_id, now, news=news)


@post("/invitations/open", status_code=200, tags=["invitations"])
async def post_invitation_open(
    data: invitations.OpenInvitation, pool: Pool, now: datetime
) -> invitations.InvitationBody:
    """Say whom a link is for, without using it; 404 `link_gone` once it is used or has ended."""
    async with pool.transaction() as db:
        return await invitations.open_invitation(db, data, now)


HANDLERS = [
    get_accounts,
    post_account,
    patch_account_by_id,
    post_invitation,
    delete_account_sessions,
    post_invitation_open,
]

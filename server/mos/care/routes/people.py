"""Accounts of supporters, and the links that let people in."""

from datetime import datetime
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from mos.care import store
from mos.care.actions import contacts, invitations, people, sight
from mos.care.actions.news import telling
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/accounts", tags=["accounts"])
async def get_accounts(given: FromEdge, me: SignedIn) -> list[store.AccountEntry]:
    """List the people whom you manage, and for managers those who belong nowhere yet."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await people.list_accounts(db, me, given.now)


@post("/accounts", tags=["accounts"])
async def post_account(
    data: JSONBody[people.NewAccount], given: FromEdge, me: SignedIn
) -> store.AccountEntry:
    """Add a person, with what is usual for their role in each of `units`."""
    async with telling(given.pool, given.hub, me) as (db, news):
        return await people.add_account(db, me, data, given.now, news=news)


@patch("/accounts/{account_id:uuid}", tags=["accounts"])
async def patch_account_by_id(
    account_id: FromPath[UUID], data: JSONBody[people.AccountUpdate], given: FromEdge, me: SignedIn
) -> store.AccountEntry:
    """Change a person's name, role, address or language, or disable them (which ends sessions)."""
    async with telling(given.pool, given.hub, me) as (db, news):
        return await people.change_account(db, me, account_id, data, given.now, news=news)


@get("/accounts/{account_id:uuid}/sight", tags=["accounts"])
async def get_sight(
    account_id: FromPath[UUID],
    given: FromEdge,
    me: SignedIn,
    at: FromQuery[datetime | None] = None,
) -> list[sight.Sight]:
    """Say what a person sees and may do for each resident whom you manage, now or `at` an instant.

    `permissions` is empty for a resident of whom they see nothing.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await sight.sight_of(db, me, account_id, given.now, at=at)


@post("/accounts/{account_id:uuid}/invitations", tags=["accounts"])
async def post_invitation(
    account_id: FromPath[UUID],
    data: JSONBody[invitations.NewInvitation],
    given: FromEdge,
    me: SignedIn,
) -> invitations.InvitationLink:
    """Make a one-time link: 7 days for a password, 10 minutes for a resident's tablet.

    The token is shown this once, and earlier links of the person open nothing any more.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        where = given.settings
        return await invitations.invite(
            db,
            me,
            account_id,
            data,
            given.now,
            address=where.public_url,
            trust=where.trust_url,
            by_mail=await invitations.goes_by_mail(db, given.messengers, me.org),
        )


@get("/accounts/{account_id:uuid}/invitations/{invitation_id:uuid}", tags=["accounts"])
async def get_invitation(
    account_id: FromPath[UUID], invitation_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> store.InvitationState:
    """Say what became of a link: when it was used, and which device took it."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await invitations.look_after(db, me, account_id, invitation_id, given.now)


@post(
    "/accounts/{account_id:uuid}/invitations/{invitation_id:uuid}/mail",
    status_code=200,
    tags=["accounts"],
)
async def post_invitation_mail(
    account_id: FromPath[UUID],
    invitation_id: FromPath[UUID],
    data: JSONBody[invitations.OpenInvitation],
    given: FromEdge,
    me: SignedIn,
) -> contacts.Sent:
    """Mail a link that was just made to whom it is for, in their language. Needs a step-up.

    404 `link_gone` once it is used or has ended; 429 after three mails of one link.
    """
    trust = given.settings.trust_url
    desk = invitations.Desk(given.pool, given.door, given.messengers, me, given.now, trust)
    return await invitations.mail(desk, account_id, invitation_id, data)


@delete("/accounts/{account_id:uuid}/invitations", tags=["accounts"])
async def delete_invitations(account_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """Let a person's unused links open nothing any more."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await invitations.withdraw(db, me, account_id, given.now)


@delete("/accounts/{account_id:uuid}/sessions", tags=["accounts"])
async def delete_account_sessions(
    account_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> None:
    """Sign a person out everywhere."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await people.end_account_sessions(db, me, account_id, given.now, news=news)


@post("/invitations/open", status_code=200, tags=["invitations"])
async def post_invitation_open(
    data: JSONBody[invitations.OpenInvitation], given: FromEdge
) -> invitations.InvitationBody:
    """Say whom a link is for, without using it; 404 `link_gone` once it is used or has ended."""
    async with given.pool.transaction() as db:
        return await invitations.open_invitation(db, data, given.now)


HANDLERS = [
    get_accounts,
    post_account,
    patch_account_by_id,
    get_sight,
    post_invitation,
    get_invitation,
    post_invitation_mail,
    delete_invitations,
    delete_account_sessions,
    post_invitation_open,
]

"""Delegations: given, renewed and taken back by nurses; and one's own."""

from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, JSONBody

from mos.care.actions import delegations
from mos.care.actions.news import telling
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/delegations", tags=["delegations"])
async def get_delegations(given: FromEdge, me: SignedIn) -> list[delegations.Delegation]:
    """List the delegations for those whose medication you decide about: nurses."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await delegations.listed(db, me, given.now)


@get("/delegations/choices", tags=["delegations"])
async def get_delegation_choices(given: FromEdge, me: SignedIn) -> delegations.DelegationChoices:
    """List to whom, and for which units and residents, you may delegate: nurses."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await delegations.choices(db, me, given.now)


@get("/delegations/mine", tags=["delegations"])
async def get_my_delegations(given: FromEdge, me: SignedIn) -> list[delegations.Delegation]:
    """List the delegations that you were given."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await delegations.mine(db, me)


@post("/delegations", tags=["delegations"])
async def post_delegation(
    data: JSONBody[delegations.Delegating], given: FromEdge, me: SignedIn
) -> delegations.Delegation:
    """Let a caregiver do a medical task, for a year at most; with `renews`, once more.

    409 `not_theirs` where it renews another person's, or that of another task.
    """
    async with telling(given.pool, given.hub, me) as (db, news):
        return await delegations.delegate(db, me, data, given.now, news=news)


@post("/delegations/{delegation_id:uuid}/revocation", status_code=204, tags=["delegations"])
async def post_revocation(
    delegation_id: FromPath[UUID],
    data: JSONBody[delegations.Revoking],
    given: FromEdge,
    me: SignedIn,
) -> None:
    """Take a delegation back from now on, and say why."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await delegations.revoke(db, me, delegation_id, data, given.now, news=news)


HANDLERS = [
    get_delegations,
    get_delegation_choices,
    get_my_delegations,
    post_delegation,
    post_revocation,
]

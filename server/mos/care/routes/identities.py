"""One's own link to the identity provider, a colleague's, and how the provider is set up."""

from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from mos.care.actions.oidc import linking, settings
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/account/identity", tags=["account"])
async def get_identity(given: FromEdge, me: SignedIn) -> linking.IdentityState:
    """Say which identity provider your organisation has, and whether it opens your account."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await linking.state(db, me)


@delete("/account/identity", tags=["account"])
async def delete_identity(given: FromEdge, me: SignedIn) -> None:
    """Let the provider open your account no more. Needs a step-up. 409 `last_way_in`."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await linking.unlink(db, me, given.now)


@delete("/accounts/{account_id:uuid}/identity", tags=["accounts"])
async def delete_account_identity(
    account_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> None:
    """Let the provider open a colleague's account no more, and sign them out. Needs a step-up."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await linking.unlink_other(db, me, account_id, given.now)
    given.hub.access_changed(me.org, [account_id])


@get("/organisation/identity-provider", tags=["accounts"])
async def get_identity_provider(given: FromEdge, me: SignedIn) -> settings.ProviderEntry:
    """Say how your organisation's identity provider is set up. No answer holds its secret."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await settings.look(given.providers, db, me)


@put("/organisation/identity-provider", tags=["accounts"])
async def put_identity_provider(
    data: JSONBody[settings.ProviderChange], given: FromEdge, me: SignedIn
) -> settings.ProviderEntry:
    """Set your organisation's identity provider up. Needs a step-up.

    A secret that is not named stays, for the same issuer; `null` is none at all.
    """
    return await settings.save(given.providers, me, given.messengers.guard, data)


@delete("/organisation/identity-provider", tags=["accounts"])
async def delete_identity_provider(given: FromEdge, me: SignedIn) -> None:
    """Forget the identity provider, its secret and all links to it. Needs a step-up."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await settings.remove(db, me, given.now)


@post("/organisation/identity-provider/test", status_code=200, tags=["accounts"])
async def post_identity_provider_test(
    data: JSONBody[settings.ProviderTrial], given: FromEdge, me: SignedIn
) -> settings.ProviderTried:
    """Ask a provider what it says of itself, and show that: nothing is changed."""
    return await settings.attempt(given.providers, me, given.messengers.guard, data)


HANDLERS = [
    get_identity,
    delete_identity,
    delete_account_identity,
    get_identity_provider,
    put_identity_provider,
    delete_identity_provider,
    post_identity_provider_test,
]

"""One's own passkeys, and how one can step up."""

from typing import Any
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from mos.care import store
from mos.care.actions import passkeys, step_up
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/account/passkeys", tags=["account"])
async def get_passkeys(given: FromEdge, me: SignedIn) -> list[passkeys.PasskeyEntry]:
    """List your passkeys, oldest first."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await passkeys.list_passkeys(db, me)


@post("/account/passkeys/options", status_code=200, tags=["account"])
async def post_new_passkey_options(given: FromEdge, me: SignedIn) -> dict[str, Any]:
    """Return what `navigator.credentials.create` is given. Needs a step-up."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await passkeys.making_options(db, given.door, me, given.now)


@post("/account/passkeys", tags=["account"])
async def post_new_passkey(
    data: JSONBody[passkeys.NewPasskey], given: FromEdge, me: SignedIn
) -> passkeys.PasskeyEntry:
    """Keep a passkey that was made just now. Needs a step-up. 400 `passkey_wrong`."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await passkeys.add_passkey(db, given.door, me, data, given.now)


@patch("/account/passkeys/{passkey_id:uuid}", tags=["account"])
async def patch_passkey(
    passkey_id: FromPath[UUID],
    data: JSONBody[passkeys.PasskeyChange],
    given: FromEdge,
    me: SignedIn,
) -> passkeys.PasskeyEntry:
    """Name one of your passkeys."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await passkeys.rename_passkey(db, me, passkey_id, data)


@delete("/account/passkeys/{passkey_id:uuid}", tags=["account"])
async def delete_passkey(passkey_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """Remove one of your passkeys. Needs a step-up. 409 `last_way_in` for the only way in."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await passkeys.remove_passkey(db, me, passkey_id, given.now)


@get("/session/step-up", tags=["session"])
async def get_step_up(given: FromEdge, me: SignedIn) -> step_up.StepUpWays:
    """Return the ways to prove once more who you are, and what your passkey is asked with."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        methods = await step_up.ways(db, me)
        label = await step_up.provider_label(db, me) if "oidc" in methods else None
        there = await store.passkeys_of(db, me.org, me.account)
    asked = None
    if "passkey" in methods and given.door.party is not None:
        asked = passkeys.step_up_options(given.door, me, there, given.now)
    return step_up.StepUpWays(methods, asked, label)


HANDLERS = [
    get_passkeys,
    post_new_passkey_options,
    post_new_passkey,
    patch_passkey,
    delete_passkey,
    get_step_up,
]

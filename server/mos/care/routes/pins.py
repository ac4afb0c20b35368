"""PINs: one's own on this device, and a resident's, set by those who manage them."""

from uuid import UUID

from litestar import delete, get, put
from litestar.params import FromPath, JSONBody

from mos.care.actions import pins
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/account/pin", tags=["account"])
async def get_pin(given: FromEdge, me: SignedIn) -> pins.PinState:
    """Say which kind of PIN you have on this device: `pin`, `picture` or null."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await pins.own(db, me)


@put("/account/pin", status_code=204, tags=["account"])
async def put_pin(data: JSONBody[pins.NewPin], given: FromEdge, me: SignedIn) -> None:
    """Set your PIN on this device: 4 to 6 digits, or pictures' names with hyphens.

    Needs a step-up; of a resident who has a PIN `current` instead, 403 `pin_wrong`. 400 `pin_form`,
    `pin_common`.
    """
    await pins.set_own(given.pool, given.door, me, data, given.now)


@delete("/account/pin", tags=["account"])
async def delete_pin(given: FromEdge, me: SignedIn) -> None:
    """Remove your PIN on this device."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await pins.remove_own(db, me, given.now)


@put("/residents/{space:uuid}/devices/{device:uuid}/pin", status_code=204, tags=["residents"])
async def put_resident_pin(
    space: FromPath[UUID],
    device: FromPath[UUID],
    data: JSONBody[pins.NewPin],
    given: FromEdge,
    me: SignedIn,
) -> None:
    """Set a resident's PIN on one of their devices. Needs a step-up.

    409 `not_bound` for one that has not been signed in on since PINs came: connect it anew.
    """
    await pins.set_for_resident(
        given.pool, given.door, me, data, space=space, device=device, now=given.now
    )


@delete("/residents/{space:uuid}/devices/{device:uuid}/pin", tags=["residents"])
async def delete_resident_pin(
    space: FromPath[UUID], device: FromPath[UUID], given: FromEdge, me: SignedIn
) -> None:
    """Remove a resident's PIN on a device. Needs a step-up."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await pins.remove_for_resident(
            db, given.door, me, space=space, device=device, now=given.now
        )


HANDLERS = [get_pin, put_pin, delete_pin, put_resident_pin, delete_resident_pin]

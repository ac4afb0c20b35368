"""Codes from one's own phone and on paper, and a colleague's that is gone."""

from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from mos.care.actions import people, requirement, second_factor
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/account/totp", tags=["account"])
async def get_totp(given: FromEdge, me: SignedIn) -> second_factor.TotpState:
    """Say whether you have codes from a phone, since when, and how many codes on paper are left."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await second_factor.state(db, me)


@post("/account/totp", tags=["account"])
async def post_totp(given: FromEdge, me: SignedIn) -> second_factor.TotpBegun:
    """Make a secret for an app in your phone. Needs a step-up.

    It counts once it is confirmed, within fifteen minutes; what counted before does so until then.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await second_factor.begin(db, me, given.now)


@post("/account/totp/confirm", status_code=200, tags=["account"])
async def post_totp_confirm(
    data: JSONBody[second_factor.TotpCode], given: FromEdge, me: SignedIn
) -> second_factor.RecoveryCodes:
    """Confirm the secret by the code that the phone shows; answers ten codes for paper, once.

    400 `code_wrong`; 409 `totp_off` when nothing waits to be confirmed.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await second_factor.confirm(db, given.door, me, data, given.now)


@delete("/account/totp", tags=["account"])
async def delete_totp(given: FromEdge, me: SignedIn) -> None:
    """Be asked for no codes any more. Needs a step-up. 409 `totp_off`."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await second_factor.remove(db, me, given.now)


@post("/account/recovery-codes", tags=["account"])
async def post_recovery_codes(given: FromEdge, me: SignedIn) -> second_factor.RecoveryCodes:
    """Make ten other codes for paper; those before count no more. Needs a step-up.

    409 `totp_off` for who has no codes from a phone.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await second_factor.new_codes(db, given.door, me, given.now)


@delete("/accounts/{account_id:uuid}/second-factor", status_code=200, tags=["accounts"])
async def delete_second_factor(
    account_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> people.SecondFactorReset:
    """Remove what a colleague has beside their password, and sign them out everywhere.

    Needs a step-up. They are told by mail, where that is set up: `told`. 409 `own_account`.
    """
    return await people.reset_second_factor(
        people.Desk(given.pool, given.messengers, given.hub, me, given.now), account_id
    )


@get("/organisation/second-factor", tags=["accounts"])
async def get_requirement(given: FromEdge, me: SignedIn) -> requirement.Requirement:
    """Say from when on everybody who works here needs a second step, and how many have none."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await requirement.requirement(db, me, given.now)


@put("/organisation/second-factor", tags=["accounts"])
async def put_requirement(
    data: JSONBody[requirement.RequirementChange], given: FromEdge, me: SignedIn
) -> requirement.Requirement:
    """Let everybody who works here need a second step, from two weeks on, or not. Needs a step-up.

    For whoever manages the whole organisation.
    """
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await requirement.require(db, me, data, given.now)


HANDLERS = [
    get_requirement,
    put_requirement,
    get_totp,
    post_totp,
    post_totp_confirm,
    delete_totp,
    post_recovery_codes,
    delete_second_factor,
]

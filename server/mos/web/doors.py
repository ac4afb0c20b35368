"""The routes that give and take the session cookie: claim, sign in, accept a link, sign out."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.background_tasks import BackgroundTask
from litestar.params import FromQuery, JSONBody
from msgspec import Meta, Struct

from mos.care import store
from mos.care.actions import (
    installation,
    invitations,
    passkeys,
    pins,
    resets,
    second_factor,
    sessions,
    sign_in,
    signatures,
    whoami,
)
from mos.care.actions.news import telling
from mos.care.actions.text import Name, Password
from mos.care.routes.given import FromEdge, SignedIn
from mos.care.routes.resets import password_changed
from mos.db import Scope
from mos.web.entered import AnyRequest, entered, stepped
from mos.web.session import (
    bound_token,
    clear_cookie,
    cookie_token,
    known_token,
)


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants in, and on which device. `device_id` is a UUID that the device made for itself.

    `code`: from a phone or from paper, once 401 `code_needed` has asked for it.
    `organisation` is asked for where an installation has several, and passed over where it has one.
    """

    email: Annotated[str, Meta(max_length=254, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    password: Password
    device_id: UUID
    device_name: Name | None = None
    organisation: UUID | None = None
    code: second_factor.SecondCode | None = None


@get("/installation", tags=["installation"])
async def get_installation(given: FromEdge) -> installation.InstallationBody:
    """Say whether this installation has been claimed, and what a demo offers. Open to all."""
    async with given.pool.transaction() as db:
        return await installation.installation(db, given.door)


@post("/claim", tags=["installation"])
async def post_claim(
    data: JSONBody[installation.Claim], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Claim an empty installation with the token that `mos up` printed; answers like sign-in."""
    cookie = cookie_token(request.scope)
    opened = await installation.claim(given.pool, given.door, data, cookie=cookie, now=given.now)
    return await entered(request, given, opened)


@post("/session", tags=["session"])
async def post_session(
    data: JSONBody[SignIn], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Sign in. 401 `sign_in_failed` whatever was wrong; 429 `too_many` while locked.

    401 `code_needed` after a right password, where a code is asked for too; 401 `code_wrong`. 401
    `second_factor_needed`, `passkey_needed` where the organisation asks for more than a password.

    409 `device_taken`: somebody else is signed in on this device, and their cookie was not sent.
    """
    opened = await sign_in.sign_in(given.pool, given.door, _attempt(request, data), given.now)
    return await entered(request, given, opened)


@post("/session/second-factor", status_code=200, tags=["session"])
async def post_session_second_factor(
    data: JSONBody[SignIn], request: AnyRequest, given: FromEdge
) -> second_factor.TotpBegun:
    """Return what a phone is given, where 401 `second_factor_needed` has asked for it.

    The same body as to sign in, which then takes the phone's first code. 409 `totp_off` for who
    needs none.
    """
    return await sign_in.set_up_at_door(given.pool, given.door, _attempt(request, data), given.now)


def _attempt(request: AnyRequest, data: SignIn) -> sign_in.Attempt:
    where = sessions.Where(data.device_id, data.device_name or "", cookie_token(request.scope))
    client = request.scope["client"]
    address = client[0] if client else ""
    known = known_token(request.scope)
    return sign_in.Attempt(
        data.organisation, data.email.strip(), data.password, address, where, known, data.code
    )


@post("/invitations/accept", tags=["invitations"])
async def post_invitation_accept(
    data: JSONBody[invitations.AcceptInvitation], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Use a one-time link: choose a password, or sign a resident's tablet in at once.

    401 `code_needed` where a code from a phone or from paper is asked for too; 401 `code_wrong`.
    """
    cookie = cookie_token(request.scope)
    opened, replaced = await invitations.accept_invitation(
        given.pool, given.door, data, cookie=cookie, now=given.now
    )
    # Whoever chooses a password ends what was open before.
    given.hub.access_changed(opened.actor.org, [opened.actor.account])
    answer = await entered(request, given, opened)
    if replaced:
        answer.background = password_changed(given, opened.actor.org, opened.actor.account)
    return answer


@get("/password-resets", tags=["session"])
async def get_password_resets(
    given: FromEdge, organisation: FromQuery[UUID | None] = None
) -> resets.ResetAsked:
    """Say whether a forgotten password is helped by mail here, before anybody has said whose.

    `organisation` as in signing in.
    """
    desk = resets.Post(given.pool, given.door, given.messengers)
    return await resets.ways(desk, organisation)


@post("/password-resets", status_code=202, tags=["session"])
async def post_password_reset(
    data: JSONBody[resets.Forgotten], request: AnyRequest, given: FromEdge
) -> Response[resets.ResetAsked]:
    """Ask for a link to choose another password, by mail. The same answer for every address.

    `by_mail` is false where no mail goes out here: whoever manages MOS gives a link then.
    """
    client = request.scope["client"]
    asker = resets.Asker(client[0] if client else "", known_token(request.scope))
    desk = resets.Post(given.pool, given.door, given.messengers)
    body, wanted = await resets.ask(desk, data, asker, given.now)
    # Looked up and sent after the answer has gone, so that its time tells nothing.
    later = BackgroundTask(resets.deliver, desk, wanted, given.now)
    return Response(body, status_code=202, background=later)


class PasskeyDoor(Struct, frozen=True, forbid_unknown_fields=True):
    """On which device somebody wants in."""

    device_id: UUID


class PasskeySignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """What a passkey answered, and on which device."""

    credential: passkeys.Answer
    device_id: UUID
    device_name: Name | None = None


class PasswordStep(Struct, frozen=True, forbid_unknown_fields=True):
    """One's password, once more."""

    password: Password


class PasskeyStep(Struct, frozen=True, forbid_unknown_fields=True):
    """What one's passkey answered."""

    credential: passkeys.Answer


@post("/session/passkey/options", status_code=200, tags=["session"])
async def post_passkey_options(data: JSONBody[PasskeyDoor], given: FromEdge) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is given to sign in; good for five minutes.

    409 `passkeys_off` where the public address is none that browsers make passkeys for.
    """
    return passkeys.door_options(given.door, data.device_id, given.now)


@post("/session/passkey", tags=["session"])
async def post_session_passkey(
    data: JSONBody[PasskeySignIn], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Sign in with a passkey. 401 `sign_in_failed` whatever was wrong; answers like sign-in."""
    where = sessions.Where(data.device_id, data.device_name or "", cookie_token(request.scope))
    client = request.scope["client"]
    knock = passkeys.Knock(data.credential, client[0] if client else "", where)
    opened = await passkeys.sign_in(given.pool, given.door, knock, given.now)
    return await entered(request, given, opened)


class PinSignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose PIN, and on which device."""

    account: UUID
    secret: pins.PinSecret
    device_id: UUID
    device_name: Name | None = None


@get("/session/pins", tags=["session"])
async def get_session_pins(request: AnyRequest, given: FromEdge) -> list[store.PinPerson]:
    """List who can sign in by a PIN on this device, which its cookie names. Nobody without it."""
    return await pins.people_here(given.pool, bound_token(request.scope))


@post("/session/pin", tags=["session"])
async def post_session_pin(
    data: JSONBody[PinSignIn], request: AnyRequest, given: FromEdge
) -> Response[whoami.SessionBody]:
    """Sign in with a PIN. 401 `sign_in_failed` whatever was wrong; 429 `too_many` while locked."""
    where = sessions.Where(data.device_id, data.device_name or "", cookie_token(request.scope))
    client = request.scope["client"]
    knock = pins.PinKnock(
        data.account, data.secret, bound_token(request.scope), client[0] if client else "", where
    )
    opened = await pins.sign_in(given.pool, given.door, knock, given.now)
    return await entered(request, given, opened)


@post("/session/signature", tags=["session"])
async def post_session_signature(
    data: JSONBody[signatures.Signing], request: AnyRequest, given: FromEdge, me: SignedIn
) -> signatures.Signature:
    """Sign on this device as somebody who has a PIN here, while you stay signed in.

    What it answers signs pushed changes for five minutes and opens nothing. 403 `pin_wrong`,
    429 `too_many` while locked, 409 `not_bound` without the device's cookie.
    """
    bound = bound_token(request.scope)
    return await signatures.sign(given.pool, given.door, me, data, bound=bound, now=given.now)


@post("/session/step-up/password", status_code=204, tags=["session"])
async def post_step_up_password(
    data: JSONBody[PasswordStep], request: AnyRequest, given: FromEdge, me: SignedIn
) -> Response[None]:
    """Prove once more who you are: for five minutes, and with a new cookie. 403 `password_wrong`.

    403 `passkey_needed`, `code_needed` where the account has more: that is asked for then.
    """
    opened = await sign_in.step_up_by_password(given.pool, given.door, me, data.password, given.now)
    return stepped(request, opened)


@post("/session/step-up/passkey", status_code=204, tags=["session"])
async def post_step_up_passkey(
    data: JSONBody[PasskeyStep], request: AnyRequest, given: FromEdge, me: SignedIn
) -> Response[None]:
    """Prove by a passkey who you are: for five minutes, with a new cookie. 403 `passkey_wrong`."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        opened = await passkeys.step_up_by_passkey(db, given.door, me, data.credential, given.now)
    return stepped(request, opened)


@post("/session/step-up/code", status_code=204, tags=["session"])
async def post_step_up_code(
    data: JSONBody[second_factor.TotpCode], request: AnyRequest, given: FromEdge, me: SignedIn
) -> Response[None]:
    """Prove by a code from your phone or your paper who you are. 403 `code_wrong`."""
    opened = await second_factor.step_up_by_code(given.pool, given.door, me, data, given.now)
    return stepped(request, opened)


@delete("/session", tags=["session"])
async def delete_session(request: AnyRequest, given: FromEdge, me: SignedIn) -> Response[None]:
    """Sign out here."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await sessions.end_session(db, me, me.session, given.now)
        news.access([me.account])
    return _left(request)


@delete("/sessions", tags=["session"])
async def delete_sessions(request: AnyRequest, given: FromEdge, me: SignedIn) -> Response[None]:
    """Sign out everywhere, here too."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await sessions.end_all_sessions(db, me, given.now)
        news.access([me.account])
    return _left(request)


def _left(request: AnyRequest) -> Response[None]:
    cookie = clear_cookie(request.scope)
    return Response(None, status_code=204, headers={"set-cookie": cookie})


HANDLERS = [
    get_installation,
    post_claim,
    post_session,
    post_session_second_factor,
    post_invitation_accept,
    get_password_resets,
    post_password_reset,
    post_passkey_options,
    post_session_passkey,
    get_session_pins,
    post_session_pin,
    post_session_signature,
    post_step_up_password,
    post_step_up_passkey,
    post_step_up_code,
    delete_session,
    delete_sessions,
]

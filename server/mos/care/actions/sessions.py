"""Sessions: opened by sign-in, found by their cookie, ended by anybody they belong to."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct, structs

from mos.care import rules, store
from mos.care.actions.noting import note
from mos.care.actions.permit import no_such
from mos.care.actions.pin_ends import end_pins_of_account
from mos.care.actions.tokens import new_token, token_hash
from mos.care.model import Actor, Method, Role
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Unauthenticated
from mos.kernel.ids import new_id


class DeviceRevoked(Unauthenticated):
    """The session's device was ended by its owner: it must forget everything it has.

    `nonce` is what it says once it has.
    """

    code = "device_revoked"

    def __init__(self, nonce: str) -> None:
        """Tell the device its `nonce`."""
        super().__init__("This device was ended: forget what is on it.")
        self.nonce = nonce


class Where(Struct, frozen=True):
    """The device that somebody signs in on, and the cookie that it still carries, if any."""

    device: UUID
    name: str
    cookie: str | None


class Bearer(Struct, frozen=True):
    """Whom a session is opened for."""

    org: UUID
    account: UUID
    role: Role


class Opened(Struct, frozen=True):
    """A fresh session: the cookie's value and whom it makes the bearer."""

    token: str
    actor: Actor


async def authenticate(pool: Pool, token: str, now: datetime) -> Actor:
    """Return who holds this session cookie at `now`; raises Unauthenticated.

    One statement without a transaction, for every request asks this; "last seen" is written in one.
    """
    async with pool.unscoped() as db:
        row = await store.session_lookup(db, token_hash(token), now)
    if row is not None and row.wipe_nonce is not None:
        raise DeviceRevoked(row.wipe_nonce)
    if row is None or row.revoked_at or row.disabled_at or row.expires_at <= now:
        raise Unauthenticated("Sign in again.")
    if rules.is_seen_due(row.seen_at, now):
        end = rules.session_end(row.role, created_at=row.created_at, now=now, methods=_methods(row))
        async with pool.transaction(Scope(org=row.org)) as db:
            await store.session_seen(db, row, now, end)
    return _actor(row)


async def authenticate_closed(
    pool: Pool, token: str, *, after: datetime, now: datetime
) -> Actor | None:
    """Return who was signed in until their account was closed, later than `after`, or None.

    They may do nothing any more; but what they did before may not have been sent.
    """
    async with pool.unscoped() as db:
        row = await store.session_lookup(db, token_hash(token), now)
    if row is None or row.wipe_nonce is not None or row.disabled_at is None:
        return None
    if row.disabled_at <= after or row.expires_at <= now:
        return None
    signed_out_before = row.revoked_at is not None and row.revoked_at < row.disabled_at
    return None if signed_out_before else _actor(row)


def _actor(row: store.SessionRow) -> Actor:
    return Actor(
        org=row.org,
        account=row.account,
        role=row.role,
        session=row.session,
        device=row.device,
        methods=_methods(row),
        strong_at=row.strong_at,
    )


def _methods(row: store.SessionRow) -> tuple[Method, ...]:
    return tuple(row.methods)


async def open_session(
    db: Db, bearer: Bearer, where: Where, now: datetime, *, by: tuple[Method, ...]
) -> Opened:
    """Sign an account in on a device; raises Conflict when somebody else is signed in there.

    `by` is how its person proved who they are.

    The device rings for this account from now on, and its earlier sessions end. Whoever merely
    knows a device's id cannot take it from the person who uses it: that needs their cookie.
    """
    org, account = bearer.org, bearer.account
    await _take_device(db, org, account, where, now)
    has = await store.second_factors(db, org, account)
    strong = rules.is_strong(by, has_passkey=has.passkey, has_totp=has.totp)
    actor = Actor(
        org=org,
        account=account,
        role=bearer.role,
        session=new_id(now),
        device=where.device,
        methods=by,
        strong_at=now if strong else None,
    )
    token = new_token()
    end = rules.session_end(bearer.role, created_at=now, now=now, methods=by)
    await store.add_session(db, actor, token_hash=token_hash(token), now=now, expires_at=end)
    note(db, actor, "signed_in", now, ways=list(by))
    return Opened(token, actor)


async def step_up(db: Db, actor: Actor, by: Method, now: datetime) -> Opened:
    """Let the actor's session be stepped up at `now`, behind another cookie.

    Raises Unauthenticated when it has ended meanwhile.
    """
    methods = (*actor.methods, by) if by not in actor.methods else actor.methods
    stronger = structs.replace(actor, methods=methods, strong_at=now)
    token = new_token()
    if not await store.step_up_session(db, stronger, token_hash=token_hash(token), now=now):
        raise Unauthenticated("Sign in again.")
    note(db, stronger, "stepped_up", now, way=by)
    return Opened(token, stronger)


async def move_session(db: Db, actor: Actor, where: Where, now: datetime) -> Actor:
    """Let the actor's session go on as another device's; raises Conflict as `open_session` does.

    A browser that lost what it kept has a new device id, and still the cookie.
    """
    if actor.device == where.device:
        return actor
    await _take_device(db, actor.org, actor.account, where, now)
    await store.move_session(db, actor, where.device, now)
    return structs.replace(actor, device=where.device)


async def _take_device(db: Db, org: UUID, account: UUID, where: Where, now: datetime) -> None:
    holder = await store.device_holder(db, org, where.device, account=account, now=now)
    if holder is not None and holder != await _session_of(db, where.cookie, now):
        raise Conflict("Somebody else is signed in on this device.", code="device_taken")
    await store.end_sessions_of_device(db, org, where.device, now)
    await store.take_device(db, org, where.device, account=account, name=where.name, now=now)


async def _session_of(db: Db, cookie: str | None, now: datetime) -> UUID | None:
    row = await store.session_lookup(db, token_hash(cookie), now) if cookie else None
    return row.session if row else None


async def list_sessions(db: Db, actor: Actor, now: datetime) -> list[store.SessionEntry]:
    """Return the actor's live sessions, the latest used first."""
    return await store.sessions_of_actor(db, actor, now)


async def end_session(db: Db, actor: Actor, session: UUID, now: datetime) -> None:
    """End one of the actor's own sessions; raises NotFound."""
    if not await store.end_session(db, actor.org, actor.account, session, now):
        raise no_such("session")
    note(db, actor, "signed_out", now, of=session)


async def end_all_sessions(db: Db, actor: Actor, now: datetime) -> None:
    """Sign the actor out everywhere, here too, and let none of their PINs open anything."""
    await end_pins_of_account(db, actor, actor.account, now, why="signed_out")
    await store.end_sessions(db, actor.org, actor.account, now)
    note(db, actor, "signed_out_everywhere", now, of=actor.account)

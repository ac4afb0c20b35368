"""Who is signed in, and where. A cookie's session is found before the organisation is known."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import rules
from mos.care.model import Actor, Method, Role
from mos.care.store.rows import Id
from mos.db import Db, Queries
from mos.privacy.texts import device_names

_sql = Queries(__package__, "sessions.sql")


class SessionRow(Struct, frozen=True):
    """A session as its cookie finds it."""

    org: UUID
    session: UUID
    account: UUID
    device: UUID | None
    role: Role
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    disabled_at: datetime | None
    # What its device is told, where it was revoked.
    wipe_nonce: str | None
    methods: list[Method]
    strong_at: datetime | None


class SessionEntry(Struct, frozen=True):
    """One of the actor's own live sessions."""

    id: UUID
    device: UUID | None
    device_name: str
    created_at: datetime
    seen_at: datetime
    current: bool


class _Entry(Struct, frozen=True):
    id: UUID
    device: UUID | None
    device_name: str | None
    # Whom the device rings for by now: its name is theirs.
    owner: UUID | None
    created_at: datetime
    seen_at: datetime
    current: bool


class SessionAuthor(Struct, frozen=True):
    """Whose a session is or was, on which device, and from when until when."""

    account: UUID
    role: Role
    device: UUID | None
    since: datetime
    until: datetime
    disabled: bool


_SESSION_LOOKUP = _sql.query("session_lookup", SessionRow)
_SESSION_AUTHOR = _sql.query("session_author", SessionAuthor)
_SESSION_SEEN = _sql.command("session_seen")
_SESSIONS_OF_ACTOR = _sql.query("sessions_of_actor", _Entry)
_ADD_SESSION = _sql.command("add_session")
_ADD_SIGNATURE = _sql.command("add_signature")
_END_SIGNATURES = _sql.command("end_signatures")
_STEP_UP_SESSION = _sql.command("step_up_session")
_MOVE_SESSION = _sql.command("move_session")
_END_SESSION = _sql.command("end_session")
_END_SESSIONS = _sql.command("end_sessions")
_SILENCE_SIGNED_OUT = _sql.command("silence_signed_out")
_END_SESSIONS_OF_DEVICE = _sql.command("end_sessions_of_device")
_DEVICE_HOLDER = _sql.query("device_holder", Id)


async def session_lookup(db: Db, token_hash: bytes, now: datetime) -> SessionRow | None:
    """Return the session whose cookie hashes to `token_hash`, live or not. Needs no scope."""
    return await db.one(_SESSION_LOOKUP, token_hash=token_hash, now=now)


async def session_author(db: Db, org: UUID, session: UUID) -> SessionAuthor | None:
    """Return whose a session of the organisation is or was, live or not."""
    return await db.one(_SESSION_AUTHOR, org=org, session=session)


async def session_seen(db: Db, row: SessionRow, now: datetime, expires_at: datetime) -> None:
    """Remember that the session is in use at `now` and ends at `expires_at`."""
    await db.run(_SESSION_SEEN, org=row.org, session=row.session, now=now, expires_at=expires_at)


async def sessions_of_actor(db: Db, actor: Actor, now: datetime) -> list[SessionEntry]:
    """Return the actor's live sessions, the latest used first."""
    found = await db.all(
        _SESSIONS_OF_ACTOR, org=actor.org, account=actor.account, session=actor.session, now=now
    )
    lying = ((each.device, each.owner, each.device_name) for each in found)
    names = await device_names(db, actor.org, lying)
    return [
        SessionEntry(each.id, each.device, name or "", each.created_at, each.seen_at, each.current)
        for each, name in zip(found, names, strict=True)
    ]


async def add_session(
    db: Db, actor: Actor, *, token_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    """Add the session that `actor` describes."""
    await db.run(
        _ADD_SESSION,
        org=actor.org,
        session=actor.session,
        account=actor.account,
        device=actor.device,
        token_hash=token_hash,
        now=now,
        expires_at=expires_at,
        methods=list(actor.methods),
        strong_at=actor.strong_at,
    )


async def add_signature(
    db: Db, actor: Actor, *, token_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    """Add the session that `actor` describes, which signs on their device and opens nothing."""
    await db.run(
        _ADD_SIGNATURE,
        org=actor.org,
        session=actor.session,
        account=actor.account,
        device=actor.device,
        token_hash=token_hash,
        now=now,
        expires_at=expires_at,
        methods=list(actor.methods),
    )


async def end_signatures(db: Db, org: UUID, account: UUID, device: UUID, now: datetime) -> None:
    """End what an account signs with on a device, by a PIN that holds no more."""
    await db.run(_END_SIGNATURES, org=org, account=account, device=device, now=now)


async def step_up_session(db: Db, actor: Actor, *, token_hash: bytes, now: datetime) -> bool:
    """Give the actor's session another cookie, stepped up at `now`; False when it has ended."""
    changed = await db.run(
        _STEP_UP_SESSION,
        org=actor.org,
        session=actor.session,
        token_hash=token_hash,
        methods=list(actor.methods),
        now=now,
        former_until=now + rules.FORMER_COOKIE_LASTS,
    )
    return changed == 1


async def move_session(db: Db, actor: Actor, device: UUID, now: datetime) -> None:
    """Let the actor's session be `device`'s; the one that it leaves gets no pushes any more."""
    await db.run(_MOVE_SESSION, org=actor.org, session=actor.session, device=device)
    await db.run(_SILENCE_SIGNED_OUT, org=actor.org, account=actor.account, now=now)


async def end_session(db: Db, org: UUID, account: UUID, session: UUID, now: datetime) -> bool:
    """End one of an account's sessions, and its device's pushes; False when it was not live."""
    ended = await db.run(_END_SESSION, org=org, account=account, session=session, now=now)
    await db.run(_SILENCE_SIGNED_OUT, org=org, account=account, now=now)
    return ended == 1


async def end_sessions(
    db: Db, org: UUID, account: UUID, now: datetime, *, kept: UUID | None = None
) -> None:
    """End all of an account's sessions but `kept`, and their devices' pushes."""
    await db.run(_END_SESSIONS, org=org, account=account, now=now, kept=kept)
    await db.run(_SILENCE_SIGNED_OUT, org=org, account=account, now=now)


async def end_sessions_of_device(db: Db, org: UUID, device: UUID, now: datetime) -> None:
    """End every session that was opened on a device."""
    await db.run(_END_SESSIONS_OF_DEVICE, org=org, device=device, now=now)


async def device_holder(
    db: Db, org: UUID, device: UUID, *, account: UUID, now: datetime
) -> UUID | None:
    """Return the live session that somebody other than `account` has on a device, or None."""
    row = await db.one(_DEVICE_HOLDER, org=org, device=device, account=account, now=now)
    return row.id if row else None

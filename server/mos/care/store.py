"""Every statement of care, one typed function each. Transaction and scope are the caller's."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import rules
from mos.care.model import Access, Actor, Role
from mos.db import Db, Queries

_sql = Queries(__package__)


class _Given(Struct, frozen=True):
    space: UUID
    words: list[str]


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
    revoked: bool
    disabled: bool


_ACCESS = _sql.query("access", _Given)
_SESSION_LOOKUP = _sql.query("session_lookup", SessionRow)
_SESSION_SEEN = _sql.command("session_seen")


async def access(db: Db, actor: Actor, now: datetime) -> list[Access]:
    """Return each space that `actor` may reach at `now` and what they may do there.

    One statement, ordered by space. Spaces where the role leaves nothing are absent.
    """
    own = [permission.value for permission in rules.OWN] if actor.role is Role.RESIDENT else []
    given = await db.all(_ACCESS, org=actor.org, account=actor.account, now=now, own=own)
    cut = (Access(row.space, rules.cut(actor.role, row.words)) for row in given)
    return [access for access in cut if access.permissions]


async def session_lookup(db: Db, token_hash: bytes) -> SessionRow | None:
    """Return the session whose cookie hashes to `token_hash`, live or not, or None."""
    return await db.one(_SESSION_LOOKUP, token_hash=token_hash)


async def session_seen(db: Db, row: SessionRow, now: datetime, expires_at: datetime) -> None:
    """Remember that the session is in use at `now` and ends at `expires_at`."""
    await db.run(_SESSION_SEEN, org=row.org, session=row.session, now=now, expires_at=expires_at)

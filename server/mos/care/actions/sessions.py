"""Sessions: from a cookie to an actor."""

from datetime import datetime

from mos.care import rules, store
from mos.care.actions.tokens import token_hash
from mos.care.model import Actor
from mos.db import Db, Scope
from mos.kernel.errors import Unauthenticated


async def authenticate(db: Db, token: str, now: datetime) -> Actor:
    """Return who holds this session cookie at `now`; raises Unauthenticated.

    Needs no scope; leaves the organisation's behind when it wrote "last seen".
    """
    row = await store.session_lookup(db, token_hash(token))
    if row is None or row.revoked or row.disabled or row.expires_at <= now:
        raise Unauthenticated("Sign in again.")
    if rules.is_seen_due(row.seen_at, now):
        end = rules.session_end(row.role, created_at=row.created_at, now=now)
        await db.scope(Scope(org=row.org))
        await store.session_seen(db, row, now, end)
    return Actor(
        org=row.org, account=row.account, role=row.role, session=row.session, device=row.device
    )

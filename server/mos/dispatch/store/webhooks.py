"""What an organisation's program was sent, and what it answered."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries

_sql = Queries(__package__, "webhooks.sql")

_MOST = 20


class Answer(Struct, frozen=True):
    """One message: what it was, what came of it when, and after how many tries.

    `state` is a delivery's; `code` says why it was not `sent`, and is empty where it was.
    """

    at: datetime
    kind: str
    state: str
    code: str
    tries: int


_ANSWERS_OF = _sql.query("answers_of", Answer)
_DROP_WAITING = _sql.command("drop_waiting")


async def answers_of(db: Db, org: UUID, contact: UUID) -> list[Answer]:
    """Return the latest twenty messages to a contact, the newest first."""
    return await db.all(_ANSWERS_OF, org=org, contact=contact, limit=_MOST)


async def drop_waiting(db: Db, org: UUID, contact: UUID, now: datetime) -> None:
    """Send nothing more of what waits for a contact."""
    await db.run(_DROP_WAITING, org=org, contact=contact, now=now)

"""The audit log: what security rests on, added to its organisation's chain.

Lines wait until their transaction is about to be committed: one at a time adds to a chain, and
nobody should wait there while somebody else is still at work.
"""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.audit import chain
from mos.audit.model import Event, Happened, Who
from mos.db import Db, Queries, Scope

_sql = Queries(__package__, "store.sql")


class _Last(Struct, frozen=True):
    n: int


_APPEND = _sql.query("append", _Last)


def note(db: Db, org: UUID, happened: Happened, now: datetime) -> None:
    """Add a line when this transaction commits; where it does not, nothing happened."""
    db.before_commit(partial(_append, org=org, content=chain.content_of(happened, now)))


def note_by(
    db: Db, who: Who, event: Event, now: datetime, *, of: UUID | None = None, **says: Any
) -> None:
    """Add a line of what `who` has done, as `note` does. Values of None are left out."""
    happened = Happened(
        event=event,
        by=who.account,
        session=who.session,
        device=who.device,
        of=of,
        says={name: value for name, value in says.items() if value is not None},
    )
    note(db, who.org, happened, now)


async def _append(db: Db, *, org: UUID, content: str) -> None:
    await db.scope(Scope(org=org))
    await db.one(_APPEND, org=org, contents=[content])

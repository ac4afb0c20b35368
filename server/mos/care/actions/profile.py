"""A resident's profile record: care writes what it knows of a person, supporters the rest."""

from datetime import datetime
from typing import Any
from uuid import UUID

from mos.db import Db, Scope
from mos.kernel.ids import named_id
from mos.sync.actions import record
from mos.sync.model import Change, SystemChange


async def record_profile(
    db: Db, org: UUID, space: UUID, groups: dict[str, Any], now: datetime
) -> list[Change]:
    """Write groups of the resident's profile, so that every device learns of them.

    Narrows the transaction's scope to this space. Returns what came of it, to be told.
    """
    await db.scope(Scope(org=org, spaces=(space,)))
    change = SystemChange(
        space=space, coll="profile", rec=named_id(space, "profile"), groups=groups
    )
    return await record(db, org, [change], now)

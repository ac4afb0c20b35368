"""A resident's profile record: care writes what it knows of a person, and learns the rest."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from mos.care import store
from mos.db import Db, Scope
from mos.kernel.ids import named_id
from mos.sync.actions import record
from mos.sync.model import Change, SystemChange

# What care knows of a resident, and the profile tells every device.
TOLD = frozenset({"name", "flat", "language"})


async def lock_profile(db: Db, org: UUID, space: UUID) -> None:
    """Take a resident's space before the resident: a push takes them in this order.

    Narrows the transaction's scope to this space.
    """
    await db.scope(Scope(org=org, spaces=(space,)))
    await store.lock_space(db, org, space)


async def follow_profiles(db: Db, org: UUID, changes: list[Change]) -> None:
    """Let accounts and residents follow what supporters wrote into these profiles."""
    docs = {change.space: change.doc for change in changes if change.groups.keys() & TOLD}
    if docs:
        named = [
            store.Named(
                space=space,
                # A name of spaces alone names nobody.
                name=str(doc.get("name") or "").strip() or None,
                flat=doc.get("flat"),
                language=doc.get("language"),
            )
            for space, doc in docs.items()
        ]
        await store.follow_profiles(db, org, named)


async def residents_of(db: Db, org: UUID, spaces: set[UUID]) -> dict[UUID, UUID]:
    """Return the account of the resident of each of these spaces, by space."""
    found = await store.homes_of_spaces(db, org, spaces)
    return {space: home.account for space, home in found.items()}


async def homes_of(db: Db, org: UUID, spaces: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the space of the resident's day to which each of these spaces belongs, by space."""
    found = await store.homes_of_spaces(db, org, set(spaces))
    return {space: home.home for space, home in found.items()}


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

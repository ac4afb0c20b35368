"""What the plan reads of records. It owns no table: reminders live in the space's records."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from mos.db import Db
from mos.plan.model.reminder import Profile, Reminder, read_profile, read_reminder
from mos.sync import store as records


async def reminders(db: Db, spaces: Sequence[UUID]) -> dict[UUID, list[Reminder]]:
    """Return the reminders of each space that can be planned."""
    found: dict[UUID, list[Reminder]] = defaultdict(list)
    for doc in await records.docs_of_spaces(db, spaces, "reminder"):
        reminder = read_reminder(doc.rec, doc.doc)
        if reminder is not None:
            found[doc.space].append(reminder)
    return found


async def profiles(db: Db, spaces: Sequence[UUID]) -> dict[UUID, Profile]:
    """Return the profile of each space; one without a record has nothing paused."""
    found = defaultdict(Profile)
    for doc in await records.docs_of_spaces(db, spaces, "profile"):
        found[doc.space] = read_profile(doc.doc)
    return found

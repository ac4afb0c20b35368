"""Under whose key a space lies: its resident's, both the day's and the medication's."""

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries

_sql = Queries(__package__, "subjects.sql")

# A space's resident never changes, so what was read once stays true; bounded all the same.
_MOST = 200_000


class _Subject(Struct, frozen=True):
    space: UUID
    subject: UUID


_SUBJECTS = _sql.query("subjects_of_spaces", _Subject)


class Subjects:
    """Remembers whose key each space lies under."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[tuple[UUID, UUID], UUID] = {}

    async def of(self, db: Db, org: UUID, spaces: Iterable[UUID]) -> dict[UUID, UUID]:
        """Return the subject of each space: its resident, or else the organisation itself.

        One statement for those that are not known. The organisation must be in the scope.
        """
        wanted = set(spaces)
        found = {s: self._known[org, s] for s in wanted if (org, s) in self._known}
        asked = sorted(wanted - found.keys())
        if asked:
            if len(self._known) > _MOST:
                self._known.clear()
            for row in await db.all(_SUBJECTS, org=org, spaces=asked):
                found[row.space] = self._known[org, row.space] = row.subject
        # Not remembered: the resident may be about to move in.
        return {space: found.get(space, org) for space in wanted}

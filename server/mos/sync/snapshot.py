"""A whole space, read in parts: for a device that begins, or that has to begin again.

Between the parts the space goes on. A record that changed meanwhile comes as it is by then, with
its new place; whatever happened after the snapshot's own place comes once more with the next pull.
"""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.sync.sealing import records_of

_sql = Queries(__package__, "snapshot.sql")

# How much text is read at once; the last record may go over.
_PAGE_BYTES = 262_144
_PAGE_ROWS = 500
_ID_BYTES = 16


class Begin(Struct, frozen=True):
    """The place that a snapshot is of; the fingerprint is that of the space as it is now."""

    epoch: int
    seq: int
    head: int
    floor: int
    is_erased: bool
    tag: str | None
    live_n: int
    live_sum: int
    live_sq: int


class _Ids(Struct, frozen=True):
    ids: bytes


class _Line(Struct, frozen=True):
    rec: UUID
    text: str


_BEGIN = _sql.query("snapshot_begin", Begin)
_IDS = _sql.query("snapshot_ids", _Ids)
_PAGE = _sql.query("snapshot_page", _Line)


class Resume(Struct, frozen=True):
    """From where a reader goes on: the snapshot's place, and the last record that arrived."""

    epoch: int
    at: int
    after: UUID


class Snapshot(Struct):
    """One reader's snapshot: its place, and which records are still to come."""

    begin: Begin
    rest: bytes

    @property
    def is_over(self) -> bool:
        """Whether every record has been read."""
        return not self.rest


async def begin(
    db: Db, org: UUID, space: UUID, resume: Resume | None
) -> Snapshot | Literal["gone", "reset"]:
    """Return a snapshot of the space's present, or of the place where `resume` goes on.

    `gone`: nothing is there. `reset`: that place is not one of this history, or what is kept of it
    has been cut since. The space must be in the transaction's scope.
    """
    place = await db.one(_BEGIN, org=org, space=space, at=resume and resume.at)
    if place is None or place.is_erased:
        return "gone"
    if resume is not None and (
        resume.epoch != place.epoch or not place.floor <= resume.at <= place.head
    ):
        return "reset"
    ids = await db.one(_IDS, org=org, space=space, at=place.seq, after=resume and resume.after)
    return Snapshot(place, ids.ids if ids else b"")


async def page(db: Db, org: UUID, space: UUID, snapshot: Snapshot) -> list[str]:
    """Return the next records as JSON texts, ordered by id, and take them off the snapshot.

    Records that have gone meanwhile are left out, so a page may be empty.
    """
    packed = snapshot.rest[: _PAGE_ROWS * _ID_BYTES]
    ids = [
        UUID(bytes=packed[start : start + _ID_BYTES]) for start in range(0, len(packed), _ID_BYTES)
    ]
    lines = await db.all(_PAGE, org=org, space=space, ids=ids, bytes=_PAGE_BYTES)
    records = await records_of(db, org, [space])
    read = ids.index(lines[-1].rec) + 1 if lines else len(ids)
    snapshot.rest = snapshot.rest[read * _ID_BYTES :]
    return records.lines(space, [line.text for line in lines])

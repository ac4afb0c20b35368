"""Every statement of the key store, one typed function each. The transaction is the caller's."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.db.migrate import Schema

_sql = Queries(__package__, "store.sql")

# What the key store's database is brought to, and the role of whoever only opens and seals.
ROLE = "mos_keys"
SCHEMA = Schema(f"{__package__}.migrations", (ROLE,))
# Told on this channel: "organisation/subject" of somebody who was erased.
CHANNEL = "mos_keys"


class Wrapped(Struct, frozen=True):
    """A subject's key as the store keeps it: readable with the epoch key that it names."""

    subject: UUID
    version: int
    epoch: int
    wrapped: bytes


class Owned(Struct, frozen=True):
    """The same, with whose organisation it is of."""

    org: UUID
    subject: UUID
    version: int
    epoch: int
    wrapped: bytes


class Epoch(Struct, frozen=True):
    """One epoch key there is or was; its file is beside the other secrets."""

    number: int
    fingerprint: bytes
    begun_at: datetime
    retired_at: datetime | None
    destroyed_at: datetime | None


class Root(Struct, frozen=True):
    """To whom epoch keys are sealed (age1…), and since when."""

    recipient: str
    made_at: datetime


class Counts(Struct, frozen=True):
    """How many keys there are; `older`: still wrapped by an epoch before this.

    `dying`: erased persons whose wrapped keys an older copy may still hold, readable until the
    next rotation.
    """

    keys: int
    organisations: int
    older: int
    erased: int
    dying: int


class _Ok(Struct, frozen=True):
    ok: bool


class _Count(Struct, frozen=True):
    count: int


_KEYS_OF = _sql.query("keys_of", Wrapped)
_ADD_KEYS = _sql.query("add_keys", _Ok)
_ERASE_SUBJECT = _sql.query("erase_subject", _Count)
_TOMBSTONED = _sql.query("tombstoned", _Ok)
_EPOCHS = _sql.query("epochs", Epoch)
_ROOT = _sql.query("recovery_root", Root)
_SET_ROOT = _sql.command("set_recovery_root")
_LOCK = _sql.query("lock_rotation", _Ok)
_UNLOCK = _sql.query("unlock_rotation", _Ok)
_BEGIN_EPOCH = _sql.command("begin_epoch")
_OLDER = _sql.query("keys_of_older_epochs", Owned)
_REWRAP = _sql.command("rewrap")
_SAMPLE = _sql.query("sample", Owned)
_DESTROYED = _sql.command("epoch_destroyed")
_COUNTS = _sql.query("counts", Counts)


async def keys_of(db: Db, org: UUID, subjects: Sequence[UUID]) -> list[Wrapped]:
    """Return all versions of the keys of `subjects`; who has none is absent."""
    return await db.all(_KEYS_OF, org=org, subjects=subjects)


async def add_keys(
    db: Db, org: UUID, epoch: int, new: Sequence[tuple[UUID, bytes, bytes]], now: datetime
) -> bool:
    """Add a first key for each of `new`: subject, hash in the ledger, wrapped key.

    Who has one keeps it; who was erased gets none. False where `epoch` is not the current one:
    nothing was added, wrap them anew.
    """
    subjects, hashes, wrapped = zip(*new, strict=True)
    row = await db.one(
        _ADD_KEYS,
        org=org,
        epoch=epoch,
        now=now,
        subjects=subjects,
        hashes=hashes,
        wrapped=wrapped,
    )
    return row is not None and row.ok


async def erase_subject(db: Db, org: UUID, subject: UUID, hash_: bytes, now: datetime) -> int:
    """Delete a subject's keys and what it is found by, for good; return how many keys those were.

    Every process that listens drops the opened ones with the commit.
    """
    row = await db.one(_ERASE_SUBJECT, org=org, subject=subject, hash=hash_, now=now)
    return row.count if row else 0


async def is_tombstoned(db: Db, org: UUID, hash_: bytes) -> bool:
    """Say whether somebody was erased, by the hash of their id in the ledger."""
    row = await db.one(_TOMBSTONED, org=org, hash=hash_)
    return row is not None and row.ok


async def epochs(db: Db) -> list[Epoch]:
    """Return every epoch that there has been, in order."""
    return await db.all(_EPOCHS)


async def root(db: Db) -> Root | None:
    """Return the recovery root, or None where none was made."""
    return await db.one(_ROOT)


async def set_root(db: Db, recipient: str, now: datetime) -> None:
    """Take a recovery root, in place of any other."""
    await db.run(_SET_ROOT, recipient=recipient, now=now)


async def lock_rotation(db: Db) -> bool:
    """Keep other rotations out until `unlock_rotation`; False where one is at it."""
    row = await db.one(_LOCK)
    return row is not None and row.ok


async def unlock_rotation(db: Db) -> None:
    """Let other rotations begin."""
    await db.one(_UNLOCK)


async def begin_epoch(db: Db, number: int, fingerprint: bytes, now: datetime) -> None:
    """Let an epoch be the current one, and retire the one before."""
    await db.run(_BEGIN_EPOCH, number=number, fingerprint=fingerprint, now=now)


async def keys_of_older_epochs(db: Db, number: int, *, limit: int) -> list[Owned]:
    """Return some keys that an epoch before `number` has wrapped."""
    return await db.all(_OLDER, number=number, limit=limit)


async def rewrap(db: Db, number: int, keys: Sequence[Owned], wrapped: Sequence[bytes]) -> int:
    """Replace the wrapping of `keys` by that of the epoch `number`; return how many still were."""
    return await db.run(
        _REWRAP,
        number=number,
        orgs=[key.org for key in keys],
        subjects=[key.subject for key in keys],
        versions=[key.version for key in keys],
        wrapped=wrapped,
    )


async def sample(db: Db, *, limit: int) -> list[Owned]:
    """Return some keys, chosen at random."""
    return await db.all(_SAMPLE, limit=limit)


async def epoch_destroyed(db: Db, number: int, now: datetime) -> int:
    """Note that the key files of all epochs before `number` are gone; return how many those are.

    None where a key is still wrapped by one of them.
    """
    return await db.run(_DESTROYED, number=number, now=now)


async def counts(db: Db) -> Counts:
    """Return how many keys there are."""
    row = await db.one(_COUNTS)
    assert row is not None  # noqa: S101  an aggregate always answers
    return row

"""From one epoch key to the next, step by step; a rotation that was killed goes on where it was.

1. The new key is a file, and its copy for the recovery root beside it. Nothing uses them yet.
2. The new epoch is the current one, the old one retired, in one transaction: new keys are wrapped
   by the new key from here on.
3. Every wrapped key is wrapped anew, some thousand at a time. Both epoch keys are here meanwhile.
4. No key is left to the old epoch, and a sample opens with the new one.
5. The old key's files are overwritten and removed.
6. The store says that they are gone.

At each moment every wrapped key opens with a file that is here. Killed after 1, the same file is
taken again; after 2 or 3 the rest is wrapped anew; after 4 or 5 what is left is removed.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from mos.db import Pool
from mos.privacy import epochs, hierarchy, keystore, root
from mos.privacy.seals import SealBroken

_AT_ONCE = 5000
_SAMPLE = 500

# Told (done, all) while keys are wrapped anew.
Progress = Callable[[int, int], None]


class RotationRefused(Exception):
    """The epoch cannot change; the text says why and what to do. Nothing is lost."""


class Rotated(Struct, frozen=True):
    """What a rotation did: the epoch that holds now, and how many keys were wrapped anew."""

    number: int
    rewrapped: int
    verified: int


async def prepare(pool: Pool, secrets: Path, now: datetime) -> None:
    """Begin the first epoch of a new key store, and see that the current one's key is here.

    Raises EpochKeyMissing where the store knows an epoch whose key is not.
    """
    async with pool.transaction() as db:
        known = await keystore.epochs(db)
        if not known:
            key = epochs.make(secrets, 1)
            await keystore.begin_epoch(db, 1, hierarchy.fingerprint(key), now)
            return
    for epoch in known:
        if epoch.destroyed_at is None and epoch.retired_at is None:
            _require(secrets, epoch)


def _require(secrets: Path, epoch: keystore.Epoch) -> bytes:
    key = epochs.read(secrets, epoch.number)
    if hierarchy.fingerprint(key) != epoch.fingerprint:
        raise epochs.EpochKeyMissing(
            f"{epochs.key_file(secrets, epoch.number)} is the key of another key store: "
            "put the right one back, or open its copy with `mos keys recover`"
        )
    return key


async def rotate(
    pool: Pool, secrets: Path, now: datetime, *, progress: Progress = lambda _done, _all: None
) -> Rotated:
    """Go over to a new epoch key, or bring to its end what was killed; return what was done.

    The login of `pool` owns the key store. Raises RotationRefused, EpochKeyMissing, SealBroken:
    then both keys are still here and everything opens.
    """
    async with pool.unscoped() as lock:
        if not await keystore.lock_rotation(lock):
            raise RotationRefused("another rotation is at it: wait for its end")
        try:
            return await _rotate(pool, secrets, now, progress)
        finally:
            await keystore.unlock_rotation(lock)


async def _rotate(pool: Pool, secrets: Path, now: datetime, progress: Progress) -> Rotated:
    known = await _epochs(pool)
    unfinished = any(epoch.retired_at and not epoch.destroyed_at for epoch in known)
    current = next(epoch for epoch in known if epoch.retired_at is None)
    _require(secrets, current)
    number = current.number if unfinished else current.number + 1
    if not unfinished:
        await _begin(pool, secrets, number, now)
    return await _finish(pool, secrets, number, now, progress)


async def seal_copy(pool: Pool, secrets: Path) -> Path | None:
    """Write the current epoch key's copy for the recovery root; None where there is no root."""
    current = next(epoch for epoch in await _epochs(pool) if epoch.retired_at is None)
    return await _seal_copy(pool, secrets, current.number)


async def _epochs(pool: Pool) -> list[keystore.Epoch]:
    async with pool.transaction() as db:
        found = await keystore.epochs(db)
    if not found:
        raise RotationRefused("the key store is empty: run `mos migrate`")
    return found


async def _begin(pool: Pool, secrets: Path, number: int, now: datetime) -> None:
    key = epochs.make(secrets, number)
    await _seal_copy(pool, secrets, number)
    async with pool.transaction() as db:
        await keystore.begin_epoch(db, number, hierarchy.fingerprint(key), now)


async def _seal_copy(pool: Pool, secrets: Path, number: int) -> Path | None:
    async with pool.transaction() as db:
        kept = await keystore.root(db)
    if kept is None:
        return None
    file = epochs.copy_file(secrets, number)
    epochs.write(file, root.seal(kept.recipient, epochs.read(secrets, number)))
    return file


async def _finish(
    pool: Pool, secrets: Path, number: int, now: datetime, progress: Progress
) -> Rotated:
    rewrapped = await _rewrap(pool, secrets, number, progress)
    verified = await verify(pool, secrets)
    epochs.destroy_before(secrets, number)
    async with pool.transaction() as db:
        await keystore.epoch_destroyed(db, number, now)
    return Rotated(number, rewrapped, verified)


async def _rewrap(pool: Pool, secrets: Path, number: int, progress: Progress) -> int:
    async with pool.transaction() as db:
        total = (await keystore.counts(db)).older
    done = 0
    wraps: dict[tuple[int, UUID], hierarchy.Wrap] = {}

    def wrap(epoch: int, org: UUID) -> hierarchy.Wrap:
        if (epoch, org) not in wraps:
            wraps[epoch, org] = hierarchy.Wrap(epochs.read(secrets, epoch), epoch, org)
        return wraps[epoch, org]

    while True:
        async with pool.transaction() as db:
            keys = await keystore.keys_of_older_epochs(db, number, limit=_AT_ONCE)
            if not keys:
                return done
            anew = [
                wrap(number, key.org).wrap(
                    key.subject,
                    key.version,
                    wrap(key.epoch, key.org).unwrap(key.subject, key.version, key.wrapped),
                )
                for key in keys
            ]
            await keystore.rewrap(db, number, keys, anew)
        done += len(keys)
        progress(done, max(total, done))


async def verify(pool: Pool, secrets: Path) -> int:
    """Open a sample of keys, chosen at random; return how many. Raises SealBroken for a bad one."""
    async with pool.transaction() as db:
        keys = await keystore.sample(db, limit=_SAMPLE)
    for key in keys:
        wrap = hierarchy.Wrap(epochs.read(secrets, key.epoch), key.epoch, key.org)
        if len(wrap.unwrap(key.subject, key.version, key.wrapped)) != hierarchy.KEY_BYTES:
            raise SealBroken("a key has another length")
    return len(keys)

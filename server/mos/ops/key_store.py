"""The key store of one installation, as its operator meets it: made, looked at, renewed."""

from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from mos.db import Pool, connect
from mos.db.migrate import MigrationError, migrate
from mos.ops.home import create_database
from mos.ops.postgres import Cluster
from mos.privacy import keystore, rotation
from mos.privacy.epochs import EpochKeyMissing
from mos.privacy.rotation import Rotated, RotationRefused
from mos.privacy.seals import SealBroken

# What an operator can mend: said in a sentence, never as a trace.
FAILURES = (EpochKeyMissing, RotationRefused, SealBroken, MigrationError, asyncpg.PostgresError)

# How long an epoch key lives, and with it an old copy of an erased person's key.
EPOCH = timedelta(days=7)


async def prepare(
    dsn: str, secrets: Path, now: datetime, *, passwords: dict[str, str] | None
) -> None:
    """Bring a key store to this release's schema, and begin its first epoch.

    Raises what FAILURES names, and OSError when it cannot be reached.
    """
    await migrate(dsn, keystore.SCHEMA, passwords=passwords)
    pool = await connect(dsn, size=1)
    try:
        await rotation.prepare(pool, secrets, now)
    finally:
        await pool.close()


async def make_beside(cluster: Cluster, name: str, secrets: Path, now: datetime) -> str:
    """Make a key store as one more database of a throw-away cluster; return its app's address.

    For simulations and benches, whose data nobody has to keep apart from its keys.
    """
    await create_database(cluster.dsn(database="postgres"), name)
    await prepare(cluster.dsn(database=name), secrets, now, passwords={keystore.ROLE: "keys"})
    return cluster.dsn(keystore.ROLE, name, "keys")


async def rotate_if_due(dsn: str, secrets: Path, now: datetime) -> Rotated | None:
    """Begin a new epoch when the present one is a week old or was left unfinished."""
    pool = await connect(dsn, size=2)
    try:
        if not await _is_due(pool, now):
            return None
        return await rotation.rotate(pool, secrets, now)
    finally:
        await pool.close()


async def _is_due(pool: Pool, now: datetime) -> bool:
    async with pool.transaction() as db:
        known = await keystore.epochs(db)
    return any(
        epoch.begun_at <= now - EPOCH if epoch.retired_at is None else epoch.destroyed_at is None
        for epoch in known
    )

"""`mos migrate`: brings a database to this release's schema."""

import asyncio
import os
import sys
from typing import Annotated

import asyncpg
import typer

from mos.db.migrate import MigrationError, migrate, status
from mos.ops import key_store
from mos.ops.settings import SettingsError, read_clock, read_settings
from mos.privacy.epochs import EpochKeyMissing


def command(
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would be done; do nothing.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--status", help="Say what is applied and pending.")
    ] = False,
) -> None:
    """Apply pending migrations to the database that DATABASE_URL names, and to the key store."""
    dsn = os.environ.get("DATABASE_URL")
    if not dsn:
        sys.exit("mos migrate: set DATABASE_URL, as the login that owns the schema")
    try:
        if plan or show:
            asyncio.run(_report(dsn, with_applied=show))
        else:
            asyncio.run(_migrate(dsn))
    except (MigrationError, EpochKeyMissing, SettingsError) as error:
        sys.exit(f"mos migrate: {error}")
    except (OSError, asyncpg.PostgresError) as error:
        sys.exit(f"mos migrate: cannot reach the database of DATABASE_URL ({error})")


async def _report(dsn: str, *, with_applied: bool) -> None:
    found = await status(dsn)
    if with_applied:
        for migration in found.applied:
            print(f"applied  {migration.name}")
    for migration in found.pending:
        print(f"pending  {migration.name}")
    if not found.pending:
        print("Nothing to do: the schema is this release's.")


async def _migrate(dsn: str) -> None:
    done = await migrate(dsn)
    for migration in done:
        print(f"applied  {migration.name}")
    if keys := os.environ.get("MOS_KEYS_URL"):
        settings = read_settings()
        settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        await key_store.prepare(keys, settings.secrets, read_clock()(), passwords=None)
        print("the key store is this release's")
    if not done:
        print("Nothing to do: the schema is this release's.")

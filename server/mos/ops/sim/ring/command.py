"""`mos sim ring`: seeds of days, side by side; what does not hold is printed and counted."""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape

from mos.db.migrate import migrate
from mos.ops.postgres import Cluster
from mos.ops.sim.ring.day import Seed, Told, live
from mos.ops.sim.ring.ledger import HISTORY

_TEMPLATE = "ring"


def command(
    seeds: Annotated[int, typer.Option(min=1, help="How many days to live.")] = 10,
    first: Annotated[int, typer.Option("--from", min=0, help="The first seed.")] = 0,
    residents: Annotated[int, typer.Option(min=1, max=5000, help="How many people.")] = 500,
    faults: Annotated[
        float, typer.Option(min=0, max=1, help="How likely something breaks in a step.")
    ] = 0.3,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after so many minutes, whatever is left.")
    ] = None,
) -> None:
    """Live days in which workers, server, PostgreSQL and push service fail; read the ledger."""
    console = Console(highlight=False)
    begun, ran, failed = time.monotonic(), 0, 0
    with postgres() as cluster:
        for seed in range(first, first + seeds):
            since = time.monotonic()
            told = asyncio.run(one(cluster, Seed(seed, residents, faults)))
            ran += 1
            failed += bool(told.found)
            console.print(_line(told, time.monotonic() - since), soft_wrap=True)
            if minutes is not None and time.monotonic() > begun + minutes * 60:
                break
    console.print(f"{ran} days, {failed} failed, {(time.monotonic() - begun) / ran:.1f} s a day")
    sys.exit(1 if failed else 0)


def _line(told: Told, seconds: float) -> str:
    line = (
        f"seed {told.seed}: {told.occurrences} occurrences, {told.messages} messages, "
        f"{len(told.happened)} faults, {told.calm} calm moments, {seconds:.0f} s"
    )
    for found in told.found[:8]:
        line += f"\n  [bold red]{escape(str(found))}[/]"
    if told.found:
        line += f"\n  {len(told.found)} in all; what happened: {'; '.join(told.happened)}"
    return line


async def one(cluster: Cluster, seed: Seed) -> Told:
    """Live one seed's day in a database of its own."""
    async with _database(cluster, f"ring_{seed.number}") as database:
        return await live(cluster, database, seed)


@contextmanager
def postgres() -> Iterator[Cluster]:
    """Run a throw-away server with the migrated schema as a template."""
    memory = Path("/dev/shm")  # noqa: S108  a folder of our own is made in it
    directory = Path(tempfile.mkdtemp(prefix="mos-ring-", dir=memory if memory.is_dir() else None))
    directory.chmod(0o755)
    cluster = Cluster(directory, fast=True)
    try:
        cluster.create()
        cluster.start()
        asyncio.run(_make_template(cluster))
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


async def _make_template(cluster: Cluster) -> None:
    async with _admin(cluster) as admin:
        await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
    dsn = cluster.dsn(database=_TEMPLATE)
    await migrate(dsn, passwords={"mos_app": "sim", "mos_engine": "sim"})
    owner = await asyncpg.connect(dsn)
    try:
        await owner.execute(HISTORY)
    finally:
        await owner.close()


@asynccontextmanager
async def _database(cluster: Cluster, name: str) -> AsyncIterator[str]:
    async with _admin(cluster) as admin:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy")
        # It is killed in the middle of things: what it has said yes to, it must not lose.
        await admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
        # Before the first fault, because files are copied past the write-ahead log.
        await admin.execute("CHECKPOINT")
    try:
        yield name
    finally:
        async with _admin(cluster) as admin:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _admin(cluster: Cluster) -> "AsyncIterator[asyncpg.Connection]":
    connection = await asyncpg.connect(cluster.dsn(database="postgres"))
    try:
        yield connection
    finally:
        await connection.close()

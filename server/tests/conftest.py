"""PostgreSQL for tests: one throw-away cluster per run, one clone of the schema per test."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from mos.db import Pool, connect
from mos.db.migrate import migrate
from mos.kernel.settings import Settings
from mos.ops import secret_files
from mos.ops.postgres import Cluster

# Fixtures that several folders share, each in a file of its own.
pytest_plugins = ("browsers",)

TEMPLATE = "mos_template"
ROLE_PASSWORDS = {"mos_app": "app", "mos_engine": "engine"}
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `./mos test NAME` narrow by any part of a file's or a test's name."""
    parser.addoption("--named", action="append", default=[], help="only tests named so")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests whose path or name contains one of the words, spaces or underscores alike."""
    names = [name.lower().replace(" ", "_") for name in config.getoption("--named")]
    if names:
        kept = [item for item in items if any(name in item.nodeid.lower() for name in names)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


async def _jsonb(connection: "asyncpg.Connection[Any]") -> None:
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
        schema="pg_catalog",
    )


@dataclass
class Database:
    """One test's own database: migrated, empty, and gone afterwards."""

    owner_dsn: str
    app: Pool
    engine: Pool
    settings: Settings
    owner: "asyncpg.Connection[Any]"

    async def sql(self, statement: str, *args: Any) -> list[dict[str, Any]]:
        """Run a statement as the owner, past row-level security; return its rows as dicts."""
        return [dict(row) for row in await self.owner.fetch(statement, *args)]


def _memory() -> str | None:
    """Return a folder in memory where there is room: each test copies eight megabytes."""
    place = "/dev/shm"  # noqa: S108  a folder of our own is made in it
    roomy = os.path.isdir(place) and shutil.disk_usage(place).free > 3_000_000_000  # noqa: PTH112
    return place if roomy else None


@pytest.fixture(scope="session")
def empty_cluster() -> Iterator[Cluster]:
    """A running PostgreSQL without any database of ours."""
    directory = Path(tempfile.mkdtemp(prefix="mos-test-", dir=_memory()))
    directory.chmod(0o755)
    cluster = Cluster(directory, fast=True)
    try:
        cluster.create()
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
async def cluster(empty_cluster: Cluster) -> Cluster:
    """A running PostgreSQL with the migrated schema in its template database."""
    connection = await asyncpg.connect(empty_cluster.dsn(database="postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    finally:
        await connection.close()
    await migrate(empty_cluster.dsn(database=TEMPLATE), passwords=ROLE_PASSWORDS)
    return empty_cluster


@pytest.fixture
async def database(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Database]:
    """A clone of the migrated schema, for this test alone."""
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(cluster.dsn(database="postgres"))
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        settings = Settings(
            app_url=cluster.dsn("mos_app", name),
            engine_url=cluster.dsn("mos_engine", name),
            secrets=tmp_path / "secrets",
            app_dir=tmp_path / "app",
            push_private_hosts=True,
        )
        secret_files.prepare(settings.secrets)
        settings.app_dir.mkdir()
        owner = await asyncpg.connect(cluster.dsn(database=name))
        await _jsonb(owner)
        app = await connect(settings.app_url)
        engine = await connect(settings.engine_url)
        try:
            yield Database(cluster.dsn(database=name), app, engine, settings, owner)
        finally:
            await app.close()
            await engine.close()
            await owner.close()
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()

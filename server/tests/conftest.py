"""PostgreSQL for tests: one throw-away cluster per run, one clone of the schema per test."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from unsealing import opened

from mos.db import Pool, connect
from mos.db.migrate import migrate
from mos.kernel.settings import Settings
from mos.ops import key_store, secret_files
from mos.ops.postgres import Cluster
from mos.privacy import keystore
from mos.privacy.keyring import Keyring

# Fixtures that several folders share, each in a file of its own.
pytest_plugins = ("browsers", "mail_service")

TEMPLATE = "mos_template"
KEYS_TEMPLATE = "mos_keys_template"
ROLE_PASSWORDS = {"mos_app": "app", "mos_engine": "engine", "mos_keys": "keys"}
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
    keyring: Keyring
    keys_dsn: str

    async def sql(self, statement: str, *args: Any) -> list[dict[str, Any]]:
        """Run a statement as the owner, past row-level security; return its rows as dicts.

        What is sealed in them is opened.
        """
        rows = [dict(row) for row in await self.owner.fetch(statement, *args)]
        return await opened(self.owner, self.keyring, rows)


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
        await connection.execute(f"CREATE DATABASE {KEYS_TEMPLATE}")
    finally:
        await connection.close()
    await migrate(empty_cluster.dsn(database=TEMPLATE), passwords=ROLE_PASSWORDS)
    keys = empty_cluster.dsn(database=KEYS_TEMPLATE)
    await migrate(keys, keystore.SCHEMA, passwords=ROLE_PASSWORDS)
    return empty_cluster


@pytest.fixture
async def database(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Database]:
    """A clone of the migrated schema, for this test alone."""
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(cluster.dsn(database="postgres"))
    try:
        for copy, template in ((name, TEMPLATE), (f"{name}_keys", KEYS_TEMPLATE)):
            await admin.execute(f"CREATE DATABASE {copy} TEMPLATE {template} STRATEGY file_copy")
        keys_dsn = cluster.dsn(database=f"{name}_keys")
        settings = Settings(
            app_url=cluster.dsn("mos_app", name),
            engine_url=cluster.dsn("mos_engine", name),
            keys_url=cluster.dsn("mos_keys", f"{name}_keys"),
            secrets=tmp_path / "secrets",
            app_dir=tmp_path / "app",
            push_private_hosts=True,
            channel_networks=("127.0.0.0/8",),
        )
        secret_files.prepare(settings.secrets)
        settings.app_dir.mkdir()
        owner = await asyncpg.connect(cluster.dsn(database=name))
        await _jsonb(owner)
        await key_store.prepare(keys_dsn, settings.secrets, datetime.now(UTC), passwords=None)
        keys = await connect(settings.keys_url, size=2)
        keyring = Keyring(keys, settings.secrets)
        app = await connect(settings.app_url, keyring=keyring)
        engine = await connect(settings.engine_url, keyring=keyring)
        try:
            yield Database(
                cluster.dsn(database=name), app, engine, settings, owner, keyring, keys_dsn
            )
        finally:
            await app.close()
            await engine.close()
            await keys.close()
            await owner.close()
            for copy in (name, f"{name}_keys"):
                await admin.execute(f"DROP DATABASE {copy} WITH (FORCE)")
    finally:
        await admin.close()

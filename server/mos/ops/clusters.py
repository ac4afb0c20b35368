"""The two clusters of one machine: the database and, apart from it, the key store.

Where DATABASE_URL or MOS_KEYS_URL names a server that is somebody else's to run, that one is used.
"""

import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from mos.db import connect
from mos.ops import key_store, secret_files
from mos.ops.data_directory import DataDirectory, Refused
from mos.ops.home import create_database
from mos.ops.postgres import OWNER, Cluster
from mos.privacy.keyring import Keyring
from mos.privacy.keystore import ROLE as KEYS_ROLE

_KEYS = "keys"
_KEYS_OWNER = "mos_keys_owner"


class Clusters:
    """What of the two is ours to start, and where both are reached."""

    def __init__(self, directory: DataDirectory, *, main: bool, keys: bool) -> None:
        """Look at a data directory; `main` and `keys` say which are ours."""
        self._directory = directory
        self._main = main_cluster(directory.path, directory.secrets) if main else None
        if keys:
            _make_folder(directory.path / _KEYS)
        self._keys = keys_cluster(directory.path, directory.secrets) if keys else None

    @property
    def ours(self) -> list[Cluster]:
        """Those that are ours."""
        return [each for each in (self._main, self._keys) if each is not None]

    @property
    def absent(self) -> list[Cluster]:
        """Those of ours that are still to be made."""
        return [each for each in self.ours if not each.exists()]

    def refuse_damage(self) -> None:
        """Raise Refused where something is missing that was there before."""
        lost = None
        if self._main in self.absent and self._directory.marker.made:
            lost = self._main
        # A directory from before there were key stores gets one; one with epoch keys has lost it.
        elif self._keys in self.absent and any(self._directory.secrets.glob("epoch-*.key")):
            lost = self._keys
        if lost is not None:
            raise Refused(
                f"the data directory is damaged (no {lost.data}): restore a backup of "
                f"{self._directory.path}, or choose another --data; nothing was changed"
            )

    def create(self) -> None:
        """Make what is absent, side by side. Raises PostgresError."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(Cluster.create, self.absent))

    def start(self, waiting: Callable[[float], None]) -> None:
        """Start ours side by side and return when all answer. Raises PostgresError."""
        for cluster in self.ours:
            cluster.launch()
        for cluster in self.ours:
            cluster.await_answer(waiting=waiting)

    async def make_databases(self) -> None:
        """Create the database in each of ours, unless it is there."""
        for cluster in self.ours:
            await create_database(cluster.dsn(database="postgres"), cluster.database)

    def stop(self) -> None:
        """Stop ours."""
        for cluster in self.ours:
            cluster.stop()

    async def prepare_keys(self, now: datetime) -> None:
        """Bring the key store to this release. Raises what key_store.prepare does."""
        passwords = self._passwords(KEYS_ROLE) if self._keys else None
        await key_store.prepare(self.keys_dsn, self._directory.secrets, now, passwords=passwords)

    @asynccontextmanager
    async def keyring(self) -> AsyncIterator[Keyring]:
        """Yield a keyring for whoever makes the home."""
        pool = await connect(self.keys_dsn, size=2)
        try:
            yield Keyring(pool, self._directory.secrets)
        finally:
            await pool.close()

    @property
    def dsn(self) -> str:
        """Where the owner of the database's schema signs in."""
        return self._main.dsn() if self._main else os.environ["DATABASE_URL"]

    @property
    def keys_dsn(self) -> str:
        """Where the owner of the key store's schema signs in."""
        return self._keys.dsn() if self._keys else os.environ["MOS_KEYS_URL"]

    @property
    def passwords(self) -> dict[str, str] | None:
        """The passwords of the database's roles, where the database is ours."""
        return self._passwords("mos_app", "mos_engine") if self._main else None

    @property
    def environment(self) -> dict[str, str]:
        """What `mos serve` and `mos work` are told of the two."""
        if self._main is None:
            found = {"DATABASE_URL": self.dsn}
        else:
            roles = self._passwords("mos_app", "mos_engine")
            found = {
                "MOS_APP_URL": self._main.dsn("mos_app", password=roles["mos_app"]),
                "MOS_ENGINE_URL": self._main.dsn("mos_engine", password=roles["mos_engine"]),
            }
        if self._keys is None:
            return found | {"MOS_KEYS_URL": self.keys_dsn}
        password = self._passwords(KEYS_ROLE)[KEYS_ROLE]
        return found | {"MOS_KEYS_APP_URL": self._keys.dsn(KEYS_ROLE, password=password)}

    def _passwords(self, *roles: str) -> dict[str, str]:
        return {role: secret_files.password(self._directory.secrets, role) for role in roles}


def main_cluster(data: Path, secrets: Path) -> Cluster:
    """Return the database's cluster of the data directory `data`; it need not be there."""
    return Cluster(data, password=secret_files.password(secrets, OWNER))


def keys_cluster(data: Path, secrets: Path) -> Cluster:
    """Return the key store's cluster of the data directory `data`; it need not be there."""
    return Cluster(
        data / _KEYS,
        password=secret_files.password(secrets, _KEYS_OWNER),
        small=True,
        database="mos_keys",
    )


def _make_folder(folder: Path) -> None:
    if folder.exists():
        return
    folder.mkdir()
    if os.geteuid() == 0:
        # Whose the data directory is, theirs is the key store.
        owner = folder.parent.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)


# ───────────────────────────────────────────────────────────── for commands beside a `mos up`
def main_dsn(data: Path) -> str:
    """Return where the owner of the schema reaches the database of a home that is running."""
    if url := os.environ.get("DATABASE_URL"):
        return url
    cluster = main_cluster(data.absolute(), data.absolute() / "secrets")
    cluster.find_socket()
    return cluster.dsn()


def keys_dsn(data: Path) -> str:
    """Return where the owner of its schema reaches the key store. Raises Refused."""
    if url := os.environ.get("MOS_KEYS_URL"):
        return url
    if not (data / _KEYS).exists():
        raise Refused(f"there is no key store in {data}: name the --data, or set MOS_KEYS_URL")
    cluster = keys_cluster(data.absolute(), data.absolute() / "secrets")
    cluster.find_socket()
    return cluster.dsn()


def secrets_of(data: Path) -> Path:
    """Return the folder of a home's secrets."""
    # Where MOS_SECRETS is set it is a deployment's; `mos up` keeps its own.
    named = os.environ.get("MOS_SECRETS")
    return Path(named) if named else data.absolute() / "secrets"

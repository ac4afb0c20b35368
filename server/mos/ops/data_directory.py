"""The folder in which `mos up` keeps everything: is it ours, is it free, what kind of home is it?

`mos.json` marks it as ours. `lock` is held while a `mos up` uses it and says which; the lock itself
ends with the process, so a killed one needs no cleaning up after.
"""

import contextlib
import fcntl
import os
import shlex
import shutil
from pathlib import Path
from typing import Literal

import msgspec

from mos.ops import secret_files

Kind = Literal["demo", "empty"]

# The two new databases with their write-ahead logs take about 120 MB; a start with less would fail
# midway.
_ROOM_TO_BEGIN = 240_000_000
_ROOM_TO_START = 30_000_000
# A folder is as good as empty with these: the root of a disk, a start that was killed at once.
_IGNORED = {"lost+found", "lock"}
# Where the system can say, what counts is as whom we act, not who started us.
_EFFECTIVE = os.access in os.supports_effective_ids


class Refused(Exception):
    """`mos up` will not start; the text is one sentence that says why and what to do."""


class Marker(msgspec.Struct):
    """What `mos.json` says."""

    mos: int = 1  # the folder's format
    home: Kind = "empty"
    made: bool = False  # False while the first start has not come to its end


class Holder(msgspec.Struct):
    """Who uses the folder: a process and where it answers."""

    pid: int
    address: str


class DataDirectory:
    """A data directory that is ours and that this process alone uses."""

    def __init__(self, path: Path, *, wanted: Kind | None, default: Kind) -> None:
        """Open or begin the directory. Raises Refused, and then has changed nothing in it.

        `wanted` is the kind of home that was asked for, `default` what a new directory becomes.
        """
        self.path = path.absolute()
        try:
            self._begin(wanted, default)
        except PermissionError:
            raise _forbidden(self.path) from None

    def _begin(self, wanted: Kind | None, default: Kind) -> None:
        self._must_be_ours()
        self._must_have_room()
        new = not self._marker.exists()
        if not new and wanted is not None and self.marker.home != wanted:
            kind = "a demo home" if self.marker.home == "demo" else "a home of its own, no demo"
            raise Refused(
                f"{self.path} holds {kind}: leave --{wanted} out, or choose another --data"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = self._take_lock()
        if new:
            self._write(Marker(home=wanted or default))

    @property
    def _marker(self) -> Path:
        return self.path / "mos.json"

    @property
    def marker(self) -> Marker:
        """What the directory says of itself."""
        return msgspec.json.decode(self._marker.read_bytes(), type=Marker)

    @property
    def archive(self) -> Path:
        """The folder of the op log's old part."""
        return self.path / "archive"

    @property
    def secrets(self) -> Path:
        """The folder of secret files."""
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        """The folder of logs."""
        return self.path / "log"

    def say_address(self, address: str) -> None:
        """Tell a second `mos up` who uses the directory."""
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, msgspec.json.encode(Holder(os.getpid(), address)), 0)

    def finish(self) -> None:
        """Remember that the first start has come to its end."""
        if not self.marker.made:
            self._write(Marker(home=self.marker.home, made=True))

    def close(self) -> None:
        """Let another process use the directory."""
        os.ftruncate(self._lock, 0)
        os.close(self._lock)

    def _write(self, marker: Marker) -> None:
        secret_files.write_secret(self._marker, msgspec.json.encode(marker))

    def _must_be_ours(self) -> None:
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise Refused(f"{self.path} is a file: choose a directory with --data")
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK, effective_ids=_EFFECTIVE):
            raise _forbidden(self.path)
        if not self._marker.exists():
            others = {entry.name for entry in self.path.iterdir()} - _IGNORED
            if others:
                raise Refused(
                    f"{self.path} holds other files and is no data directory of MOS: "
                    "choose another --data; nothing was changed"
                )
            return
        try:
            marker = self.marker
        except PermissionError:
            raise _forbidden(self._marker) from None
        except msgspec.MsgspecError:
            raise Refused(
                f"the data directory is damaged (mos.json cannot be read): restore a backup of "
                f"{self.path}, or choose another --data; nothing was changed"
            ) from None
        if marker.mos > Marker().mos:
            raise Refused(
                f"{self.path} was made by a newer MOS: start that release or a later one; "
                "nothing was changed"
            )

    def _must_have_room(self) -> None:
        place = self.path
        while not place.exists():
            place = place.parent
        free = shutil.disk_usage(place).free
        begun = self._marker.exists() and self.marker.made
        needed = _ROOM_TO_START if begun else _ROOM_TO_BEGIN
        if free < needed:
            raise Refused(
                f"the disk that holds {self.path} is full: {free // 1_000_000} MB are free, "
                f"{needed // 1_000_000} MB are needed to start"
            )

    def _take_lock(self) -> int:
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(self.path, os.pread(lock, 4096, 0)) from None
        return lock


def refuse_if_in_use(path: Path) -> None:
    """Raise Refused when another `mos up` uses the directory; touch nothing."""
    with contextlib.suppress(OSError):
        lock = os.open(path / "lock", os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(path, os.pread(lock, 4096, 0)) from None
        finally:
            os.close(lock)


def was_killed(path: Path) -> bool:
    """Return whether the last `mos up` here ended without saying so."""
    with contextlib.suppress(OSError):
        return (path / "lock").stat().st_size > 0
    return False


def _forbidden(path: Path) -> Refused:
    """Return why we may not use `path`, and who can mend it."""
    try:
        owner = path.stat().st_uid
    except OSError:  # it is not there, or a folder above is closed to us
        return _may_not_make(path)
    if owner == os.geteuid():
        return Refused(
            f"{path} is yours but may not be written to: allow it "
            f"(chmod u+rwX {shlex.quote(str(path))}), or choose another --data"
        )
    return Refused(f"{path} belongs to somebody else: start as its owner, or choose another --data")


def _may_not_make(path: Path) -> Refused:
    return Refused(
        f"you may not make {path}: let root make it for you "
        f'(sudo install -d -o "$USER" {shlex.quote(str(path))}), or choose another --data'
    )


def _in_use(path: Path, said: bytes) -> Refused:
    with contextlib.suppress(msgspec.MsgspecError):
        holder = msgspec.json.decode(said, type=Holder)
        return Refused(
            f"MOS already runs with {path} (process {holder.pid}, {holder.address}): "
            "use that one, or choose another --data"
        )
    return Refused(
        f"another mos up is starting with {path}: use that one, or choose another --data"
    )

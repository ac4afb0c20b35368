"""The files of epoch keys, beside the other secrets: made, sealed to the recovery root, destroyed.

`epoch-7.key` is the key itself (32 bytes, mode 0600); `epoch-7.age` its copy, sealed to the
recovery root (mos.privacy.root). Both stand in mutable places alone, for a copy that nobody can
overwrite would undo every erasure.
"""

import os
import re
import secrets
from pathlib import Path

from mos.privacy import hierarchy

_NAME = re.compile(r"epoch-(\d{1,6})\.(key|age)")


class EpochKeyMissing(OSError):
    """An epoch key is not here, or is another one; the text says which file, and what to do."""


def key_file(folder: Path, number: int) -> Path:
    """Return where an epoch's key is."""
    return folder / f"epoch-{number}.key"


def copy_file(folder: Path, number: int) -> Path:
    """Return where the copy for the recovery root is."""
    return folder / f"epoch-{number}.age"


def read(folder: Path, number: int) -> bytes:
    """Return an epoch's key. Raises EpochKeyMissing."""
    file = key_file(folder, number)
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        raise EpochKeyMissing(_missing(file)) from None
    if len(key) != hierarchy.KEY_BYTES:
        raise EpochKeyMissing(f"{file} is no epoch key: {_TODO}")
    return key


def _missing(file: Path) -> str:
    return f"the epoch key {file} is missing: {_TODO}"


_TODO = "put it back from the other machines, or open its copy with `mos keys recover`"


def make(folder: Path, number: int) -> bytes:
    """Return the key of a new epoch; one that a killed rotation made already is used."""
    file = key_file(folder, number)
    if not file.exists():
        write(file, hierarchy.new_key())
    return read(folder, number)


def write(file: Path, content: bytes) -> None:
    """Write a file of mode 0600, whole or not at all, and safe on its disk."""
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    _sync_folder(file.parent)


def destroy_before(folder: Path, number: int) -> list[Path]:
    """Overwrite and remove the files of every epoch before `number`; return which those were."""
    found = [
        file
        for file in sorted(folder.glob("epoch-*"))
        if (match := _NAME.fullmatch(file.name)) and int(match[1]) < number
    ]
    for file in found:
        size = file.stat().st_size
        with file.open("r+b") as out:
            out.write(secrets.token_bytes(size))
            out.flush()
            os.fsync(out.fileno())
        file.unlink()
    if found:
        _sync_folder(folder)
    return found


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

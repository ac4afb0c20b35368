"""The op log's old part, out of the database and into files: one of each space, gzipped JSON lines.

What is written is on the disk before it leaves the database. If the two part company there (a crash
in between), the same ops stand in the file twice, never nowhere: `seq` tells.
"""

import asyncio
import gzip
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from mos.db import Db
from mos.sync.upkeep import SQL

# For how long every op stays in the database.
HOT = timedelta(days=90)
_AT_ONCE = 1000


class _Old(Struct, frozen=True):
    seq: int
    hlc: str
    is_old: bool
    text: str


_OLD_OPS = SQL.query("old_ops", _Old)
_FORGET_OPS = SQL.command("forget_ops")


async def archive(db: Db, folder: Path, org: UUID, space: UUID, now: datetime) -> int:
    """Move up to a thousand old ops of a locked space into its file; return how many.

    The last of them stays, and with it the proof of every cursor that stands there.
    """
    before = now - HOT
    past = f"{int(before.timestamp() * 1000):012x}"
    found = await db.all(
        _OLD_OPS, org=org, space=space, before=before, past=past, limit=_AT_ONCE + 1
    )
    # The beginning alone: what leaves the database leaves it up to a place, and behind an op that
    # came while the server's clock was ahead there are older ones.
    old = list(takewhile(lambda op: op.is_old, found))[:-1]
    if not old:
        return 0
    lines = "".join(f"{op.text}\n" for op in old).encode()
    await asyncio.to_thread(_append, file_of(folder, org, space), lines)
    await db.run(_FORGET_OPS, org=org, space=space, seq=old[-1].seq, hlc=max(op.hlc for op in old))
    return len(old)


def file_of(folder: Path, org: UUID, space: UUID) -> Path:
    """Return where a space's archive is, or would be."""
    return folder / str(org) / f"{space}.jsonl.gz"


def read(folder: Path, org: UUID, space: UUID) -> Iterator[bytes]:
    """Yield the ops of a space's archive, each a JSON object as its row was, values sealed."""
    file = file_of(folder, org, space)
    if file.exists():
        with gzip.open(file) as lines:
            yield from lines


async def forget(folder: Path, org: UUID, space: UUID) -> None:
    """Delete a space's archive, if there is one."""
    await asyncio.to_thread(_delete, file_of(folder, org, space))


def _append(file: Path, lines: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Members of one gzip file stand behind each other.
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(fd, "wb") as out:
        out.write(gzip.compress(lines, mtime=0))
        out.flush()
        os.fsync(out.fileno())
    _sync_folder(file.parent)


def _delete(file: Path) -> None:
    if file.exists():
        file.unlink()
        _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""What lies in the bytes of a home's files: for tests that look there as a thief would."""

import os
import subprocess
import sys

from mos.ops.settings import ROOT


def grepped(folder, words):
    """Return which files below `folder` hold one of the words, as UTF-8 or as JSON escapes it."""
    found = []
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            found += [(file.name, word) for word in words if word.encode() in content]
    return found


def checkpoint(data):
    """Let all that is in the memory of a running home's databases come to the disk."""
    done = subprocess.run(
        [sys.executable, "-c", _CHECKPOINT, str(data)], check=False, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "server")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


_CHECKPOINT = """
import asyncio, sys
from pathlib import Path
import asyncpg
from mos.ops.clusters import keys_cluster, main_cluster

async def main(data):
    for make in (main_cluster, keys_cluster):
        cluster = make(data, data / "secrets")
        cluster.find_socket()
        connection = await asyncpg.connect(cluster.dsn())
        await connection.execute("CHECKPOINT")
        await connection.close()

asyncio.run(main(Path(sys.argv[1])))
"""

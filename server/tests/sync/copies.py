"""Copies of a real home's database, as an operator takes them, and how they are put back."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path


async def take_files(real, name):
    """Stop the home, copy the database's files with their owners, start it; return the copy."""
    copy = real.folder / name
    async with stopped(real):
        subprocess.run(["cp", "-a", real.cluster.data, copy], check=True)
    return copy


async def put_back_files(real, copy):
    """Let the database be what it was when `copy` was taken."""
    async with stopped(real):
        shutil.rmtree(real.cluster.data)
        subprocess.run(["cp", "-a", copy, real.cluster.data], check=True)


async def take_dump(real, name):
    """Dump the database while everything runs, but not the key store; return the dump."""
    copy = real.folder / name
    await _run(real, "pg_dump", "-Fc", "-f", copy, "mos")
    return copy


async def put_back_dump(real, copy):
    """Let the database be what it was when `copy` was taken; the key store stays as it is."""
    real.stop_server()
    await real._admin("DROP DATABASE mos WITH (FORCE)")
    await _run(real, "pg_restore", "--exit-on-error", "-C", "-d", "postgres", copy)
    real.start_server()


class stopped:  # noqa: N801  reads like what it does
    """Server and database stand still inside."""

    def __init__(self, real):
        self._real = real

    async def __aenter__(self):
        self._real.stop_server()
        await asyncio.to_thread(self._real.cluster.stop)

    async def __aexit__(self, *_):
        # (The server ends with the thread that starts it.)
        self._real.cluster.start()
        self._real.start_server()


async def _run(real, program, *args):
    place = Path(real.cluster._binaries()) / program
    ran = await asyncio.create_subprocess_exec(
        place, "-h", real.cluster.socket, "-U", "mos_owner", *args,
        env=os.environ | {"PGPASSWORD": real.cluster.password},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await ran.communicate()
    assert ran.returncode == 0, said.decode()


KINDS = {"files": (take_files, put_back_files), "dump": (take_dump, put_back_dump)}

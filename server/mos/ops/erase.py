"""`mos erase`: a resident's content goes for good, after a restore too."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

import msgspec
import typer

from mos import wiring
from mos.db import DbError, Pool, connect
from mos.ops.settings import SettingsError, clock_of, read_settings
from mos.sync import erasure
from mos.sync.erasure import Erasure

Answer = TypeVar("Answer")

command = typer.Typer(help="Erase what a space holds, for good.", no_args_is_help=True)


@command.command()
def space(
    org: Annotated[UUID, typer.Argument(help="The organisation's id.")],
    space: Annotated[UUID, typer.Argument(help="The space's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase all that a space holds: nothing brings it back."""
    if not yes:
        typer.confirm(f"Erase the content of {space} for good?", abort=True)
    if not _run(lambda pool, now: _erase(pool, Erasure(org, space, now))):
        _refuse(f"there is no space {space} in {org}")
    print(f"erased  {space}")


@command.command("list")
def ledger() -> None:
    """Print the ledger of erased spaces (ids only), to be kept beside the backups."""
    for entry in _run(lambda pool, _now: _known(pool)):
        print(msgspec.json.encode(entry).decode())


@command.command()
def replay(
    file: Annotated[
        typer.FileText, typer.Argument(help="The ledger as `list` printed it; - reads stdin.")
    ],
) -> None:
    """Erase again, in a database restored from a backup, what was erased since that was made."""
    try:
        kept = [msgspec.json.decode(line, type=Erasure) for line in file if line.strip()]
    except msgspec.DecodeError as error:
        _refuse(f"this is no ledger: {error}")
    for entry in _run(lambda pool, _now: _replay(pool, kept)):
        print(f"erased  {entry.space}")


async def _known(pool: Pool) -> list[Erasure]:
    async with pool.transaction() as db:
        return await erasure.erasures(db)


async def _erase(pool: Pool, entry: Erasure) -> bool:
    async with pool.transaction() as db:
        return await wiring.erase(db, entry.org, entry.space, entry.at)


async def _replay(pool: Pool, kept: Iterable[Erasure]) -> list[Erasure]:
    """Erase what the database has and does not know to be erased; return it."""
    missing = erasure.not_yet(kept, await _known(pool))
    return [entry for entry in missing if await _erase(pool, entry)]


def _run(work: Callable[[Pool, datetime], Awaitable[Answer]]) -> Answer:
    try:
        return asyncio.run(_with_pool(work))
    except SettingsError as error:
        _refuse(str(error))
    except (OSError, DbError) as error:
        _refuse(f"cannot reach the database ({error})")


async def _with_pool(work: Callable[[Pool, datetime], Awaitable[Answer]]) -> Answer:
    settings = read_settings()
    pool = await connect(settings.app_url, role=settings.app_role, size=1)
    try:
        return await work(pool, clock_of(settings)())
    finally:
        await pool.close()


def _refuse(why: str) -> NoReturn:
    print(f"mos erase: {why}", file=sys.stderr)
    sys.exit(1)

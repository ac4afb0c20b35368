"""`mos audit`: proves that nobody has changed the audit log, and hands it out (docs/audit.md)."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from mos.audit import log, roots, signing
from mos.audit.model import INSTALLATION, Event, Happened
from mos.audit.roots import Verdict
from mos.db import DbError, Pool, Scope, connect
from mos.ops.clusters import main_dsn, secrets_of
from mos.ops.settings import ROOT, read_clock
from mos.privacy.rotation import Rotated

Answer = TypeVar("Answer")

command = typer.Typer(help="Prove and export the audit log.", no_args_is_help=True)

_Data = Annotated[Path, typer.Option(help="The data directory of `mos up`.")]
_From = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Not what came before.")
]
_DATA = ROOT / "var"


@command.command()
def verify(data: _Data = _DATA, since: _From = None) -> None:
    """Look along every chain and every signed root. Changes nothing.

    Ends with 1 where something was changed, removed or put in, and says which line of which chain.
    With --from it begins at the last root before that day, and trusts that one.
    """
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking at lines", total=None)

        def seen(part: int, whole: int) -> None:
            bar.update(task, completed=part, total=whole)

        verdict = _run(data, lambda pool: _verify(pool, data, since and since.date(), seen))
    for broken in verdict.broken:
        print(f"!! {broken}")
    print(f"looked at {verdict.lines} lines and {verdict.roots} roots")
    if verdict.broken:
        print(f"{len(verdict.broken)} of them do not hold: somebody has changed the database")
        sys.exit(1)
    print("everything holds")


@command.command()
def export(data: _Data = _DATA, since: _From = None) -> None:
    """Print the log as lines of JSON: every line with its chain and hash, then the roots.

    Whoever has them and the public keys (audit-keys.txt) can prove it without MOS.
    """
    _run(data, lambda pool: _export(pool, since and since.date()))


@command.command()
def root(data: _Data = _DATA) -> None:
    """Print the latest signed root. Kept elsewhere, it proves that nothing before it is gone."""
    found = _run(data, _last)
    if found is None:
        _refuse("nothing was signed yet: the worker does so once a day")
    print(f"root      {found.no}, of {found.day}")
    print(f"hash      {found.hash.hex()}")
    print(f"key       {found.key}")
    print(f"signature {found.signature.hex()}")


@command.command()
def rotate(data: _Data = _DATA) -> None:
    """Make another key for roots; those that the old one signed can still be checked."""
    folder = secrets_of(data)
    name = signing.make(folder)
    note(data, "audit_key_rotated", key=name)
    print(f"key       {name} signs from now on")
    print(f"Keep {folder / 'audit-keys.txt'} with your copies: it checks every root.")


def note(data: Path, event: Event, **says: str | int) -> None:
    """Add what an operator did to the installation's chain; says so where it cannot."""
    happened = Happened(event=event, says=dict(says))
    try:
        asyncio.run(note_at(main_dsn(data), happened))
    except (OSError, DbError) as error:
        print(f"not in the audit log, for the database does not answer ({error})", file=sys.stderr)


async def note_at(dsn: str, happened: Happened) -> None:
    """Add to the installation's chain in the database of `dsn`, its owner's."""
    pool = await connect(dsn, role="mos_app", size=1)
    try:
        async with pool.transaction(Scope(org=INSTALLATION)) as db:
            log.note(db, INSTALLATION, happened, read_clock()())
    finally:
        await pool.close()


async def note_rotation(dsn: str, done: Rotated) -> None:
    """Add that the keys have a new epoch."""
    says = {"epoch": done.number, "keys": done.rewrapped}
    await note_at(dsn, Happened(event="keys_rotated", says=says))


async def _verify(
    pool: Pool, data: Path, since: date | None, seen: Callable[[int, int], None]
) -> Verdict:
    return await roots.verify(pool, secrets_of(data), since=since, seen=seen)


async def _last(pool: Pool) -> roots.Root | None:
    async with pool.transaction() as db:
        return await roots.last_root(db)


async def _export(pool: Pool, since: date | None) -> None:
    out = sys.stdout
    async for line in _written(pool, since):
        out.write(f"{line}\n")
    out.flush()


async def _written(pool: Pool, since: date | None) -> AsyncIterator[str]:
    async for page in roots.pages(pool):
        for line in page:
            content = msgspec.json.decode(line.content)
            if since is None or content["at"] >= since.isoformat():
                fields = {"org": line.org, "n": line.n, "content": line.content}
                yield msgspec.json.encode(fields | {"hash": line.hash.hex()}).decode()
    async with pool.transaction() as db:
        signed = await roots.all_roots(db)
    for each in signed:
        fields = {"root": each.no, "content": each.content, "key": each.key}
        yield msgspec.json.encode(fields | {"signature": each.signature.hex()}).decode()


def _run(data: Path, work: Callable[[Pool], Awaitable[Answer]]) -> Answer:
    try:
        return asyncio.run(_with_pool(main_dsn(data), work))
    except signing.KeyMissing as error:
        _refuse(str(error))
    except (OSError, DbError) as error:
        _refuse(f"cannot reach the database ({error}): is `mos up` running?")


async def _with_pool(dsn: str, work: Callable[[Pool], Awaitable[Answer]]) -> Answer:
    # As the engine, which reads the log and can write none of it.
    pool = await connect(dsn, role="mos_engine", size=1)
    try:
        return await work(pool)
    finally:
        await pool.close()


def _refuse(why: str) -> NoReturn:
    print(f"mos audit: {why}", file=sys.stderr)
    sys.exit(1)

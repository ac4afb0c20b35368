"""`mos sim`: the offline protocol under every fault that seeds can think of."""

import asyncio
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Queue
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mos.db.migrate import migrate
from mos.ops.postgres import Cluster
from mos.ops.settings import ROOT
from mos.ops.sim.mutants import MUTANTS, Mutant, caught
from mos.ops.sim.plan import make_plan
from mos.ops.sim.runner import Outcome, run_plan, run_seeds, smallest
from mos.ops.sim.server import open_connection

_TEMPLATE = "sim"
_FAILURES = ROOT / "var" / "sim"


def command(  # noqa: PLR0917  Typer's options are names
    context: typer.Context,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to run.")] = 200,
    first: Annotated[int, typer.Option("--from", min=0, help="The first seed.")] = 0,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after so many minutes, whatever is left.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="How many run side by side.")] = 1,
    replay: Annotated[
        Path | None, typer.Option(exists=True, help="Run the plan in this file instead.")
    ] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Make known mistakes and see each one noticed.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where failures are written.")] = _FAILURES,
) -> None:
    """Simulate devices, networks and people against the real server, and check what must hold."""
    if context.invoked_subcommand is not None:
        return
    console = Console(highlight=False)
    if replay is not None:
        sys.exit(_replay(replay, console))
    if mutants:
        sys.exit(_make_mistakes(console))
    until = None if minutes is None else time.monotonic() + minutes * 60
    begun = time.monotonic()
    with _postgres(jobs) as dsns, _progress(console) as progress:
        task = progress.add_task("seeds", total=seeds)
        ran, failed = 0, []
        for seed, check, what in _side_by_side(dsns, first, seeds, until):
            ran += 1
            progress.advance(task)
            if check:
                failed.append(seed)
                progress.console.print(f"[bold red]seed {seed}[/] {check}: {what[:400]}")
        progress.stop()
        for seed in failed[:3]:
            kept = asyncio.run(_smallest(dsns[0], seed))
            console.print(f"seed {seed}: {_written(kept, out / f'seed-{seed}.json')}")
    rate = ran / max(time.monotonic() - begun, 0.001)
    console.print(f"{ran} seeds, {len(failed)} failed, {rate:.0f} a second")
    sys.exit(1 if failed else 0)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


@contextmanager
def _postgres(databases: int) -> Iterator[list[str]]:
    """Run a throw-away server with so many migrated databases; yield their addresses."""
    memory = Path("/dev/shm")  # noqa: S108  a folder of our own is made in it
    directory = Path(tempfile.mkdtemp(prefix="mos-sim-", dir=memory if memory.is_dir() else None))
    directory.chmod(0o755)
    cluster = Cluster(directory, fast=True)
    try:
        cluster.create()
        cluster.start()
        asyncio.run(_make_databases(cluster, databases))
        yield [cluster.dsn(database=f"{_TEMPLATE}_{number}") for number in range(databases)]
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


async def _make_databases(cluster: Cluster, databases: int) -> None:
    admin = await asyncpg.connect(cluster.dsn(database="postgres"))
    try:
        await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        passwords = {"mos_app": "sim", "mos_engine": "sim"}
        await migrate(cluster.dsn(database=_TEMPLATE), passwords=passwords)
        for number in range(databases):
            await admin.execute(
                f"CREATE DATABASE {_TEMPLATE}_{number} TEMPLATE {_TEMPLATE} STRATEGY file_copy"
            )
    finally:
        await admin.close()


# ────────────────────────────────────────────────── seeds

_Told = tuple[int, str, str]


def _side_by_side(dsns: list[str], first: int, seeds: int, until: float | None) -> Iterator[_Told]:
    """Yield (seed, check, what) as each seed ends; check is empty when everything held."""
    told: Queue[Any] = Queue()
    workers = [
        multiprocessing.Process(
            target=_work,
            args=(dsn, range(first + number, first + seeds, len(dsns)), until, told),
            daemon=True,
        )
        for number, dsn in enumerate(dsns)
    ]
    for worker in workers:
        worker.start()
    open_ends = len(workers)
    while open_ends:
        word = told.get()
        if word is None:
            open_ends -= 1
        elif isinstance(word, str):
            raise RuntimeError(word)
        else:
            yield word
    for worker in workers:
        worker.join()


def _work(dsn: str, seeds: range, until: float | None, told: "Queue[Any]") -> None:
    async def run() -> None:
        connection = await open_connection(dsn)
        async for outcome in run_seeds(connection, seeds):
            told.put(_word(outcome))
            if until is not None and time.monotonic() > until:
                break
        await connection.close()

    try:
        asyncio.run(run())
    except Exception as error:  # noqa: BLE001  the parent raises it
        told.put(f"{type(error).__name__}: {error}")
    told.put(None)


def _word(outcome: Outcome) -> _Told:
    found = outcome.violation
    return outcome.seed, found.check if found else "", found.what if found else ""


async def _smallest(dsn: str, seed: int) -> dict[str, Any]:
    """Return a failing seed's smallest plan and what it breaks."""
    connection = await open_connection(dsn)
    try:
        plan = make_plan(seed)
        found = (await run_plan(connection, plan)).violation
        assert found is not None  # noqa: S101  a seed always gives the same
        plan = await smallest(connection, plan, found.check)
        found = (await run_plan(connection, plan)).violation or found
    finally:
        await connection.close()
    return {"check": found.check, "what": found.what, "plan": plan, "trace": found.trace}


def _written(kept: dict[str, Any], file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1) + "\n")
    return file


def _make_mistakes(console: Console) -> int:
    """Put in every mutant; return the exit code: 0 when each was noticed."""
    missed = 0
    with _postgres(1) as dsns:
        for mutant in MUTANTS:
            by = asyncio.run(_notice(dsns[0], mutant))
            missed += by is None
            console.print(f"{mutant.name}: {by or '[bold red]not noticed'}", soft_wrap=True)
    console.print(f"{len(MUTANTS)} mutants, {missed} not noticed")
    return 1 if missed else 0


async def _notice(dsn: str, mutant: Mutant) -> str | None:
    connection = await open_connection(dsn)
    try:
        return await caught(connection, dsn, mutant)
    finally:
        await connection.close()


async def _run(dsn: str, plan: dict[str, Any]) -> Outcome:
    connection = await open_connection(dsn)
    try:
        return await run_plan(connection, plan)
    finally:
        await connection.close()


def _replay(file: Path, console: Console) -> int:
    kept = json.loads(file.read_text())
    with _postgres(1) as dsns:
        found = asyncio.run(_run(dsns[0], kept.get("plan", kept))).violation
    for line in found.trace if found else []:
        console.print(line)
    console.print(f"[bold red]{found}" if found else "everything holds")
    return 1 if found else 0

"""`mos bench`: finds the benchmarks of the checkout and runs one. They live in bench/."""

import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from mos.ops.settings import ROOT

command = typer.Typer(
    help="Measure how fast MOS is, beside others (docs/benchmarks.md).", no_args_is_help=True
)

Quick = Annotated[
    bool, typer.Option("--quick", help="A few seconds each: whether it runs, not how fast.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@command.command()
def sync(
    *,
    quick: Quick = False,
    as_json: AsJson = False,
    only: Annotated[str, typer.Option(help="Only these parts, as in B1,B4.")] = "",
    peers: Annotated[
        Path,
        typer.Option(help="Where peers are installed and databases lie: on a disk, not in memory."),
    ] = Path("~/.cache/mos-bench"),
) -> None:
    """Measure synchronisation beside Kinto, express-pouchdb and PostgreSQL's own limit."""
    parts = [name for name in only.upper().split(",") if name]
    _load("bench.sync").run(
        quick=quick, as_json=as_json, only=parts, place=peers.expanduser().absolute()
    )


@command.command()
def claim(
    *,
    quick: Quick = False,
    as_json: AsJson = False,
    rows: Annotated[int, typer.Option(help="How many reminders are due.", min=1000)] = 100_000,
    batch: Annotated[int, typer.Option(help="How many are taken at once.", min=1)] = 2000,
) -> None:
    """Measure how fast due reminders become occurrences and deliveries."""
    _load("bench.claim").run(quick=quick, as_json=as_json, rows=rows, batch=batch)


def _load(name: str) -> Any:
    # A polite stop takes along what was started, and leaves no databases behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.path.insert(0, str(ROOT))
    return import_module(name)

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
Peers = Annotated[
    Path,
    typer.Option(help="Where peers are installed and databases lie: on a disk, not in memory."),
]

_PEERS = Path("~/.cache/mos-bench")


@command.command()
def sync(
    *,
    quick: Quick = False,
    as_json: AsJson = False,
    only: Annotated[str, typer.Option(help="Only these parts, as in B1,B4.")] = "",
    peers: Peers = _PEERS,
) -> None:
    """Measure synchronisation beside Kinto, express-pouchdb and PostgreSQL's own limit."""
    _load("bench.sync").run(quick=quick, as_json=as_json, only=_parts(only), place=_place(peers))


@command.command()
def ring(
    *,
    quick: Quick = False,
    as_json: AsJson = False,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="A million reminders and 100,000 residents, too: an hour."),
    ] = False,
    only: Annotated[str, typer.Option(help="Only these parts, as in R1,R3.")] = "",
    peers: Peers = _PEERS,
) -> None:
    """Measure the reminder engine beside queues, other senders and PostgreSQL's own limit."""
    _load("bench.ring").run(
        quick=quick, whole=whole, as_json=as_json, only=_parts(only), place=_place(peers)
    )


def _parts(only: str) -> list[str]:
    return [name for name in only.upper().split(",") if name]


def _place(peers: Path) -> Path:
    return peers.expanduser().absolute()


def _load(name: str) -> Any:
    # A polite stop takes along what was started, and leaves no databases behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.path.insert(0, str(ROOT))
    return import_module(name)

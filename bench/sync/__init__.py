"""`mos bench sync`: what synchronisation costs, beside its peers and PostgreSQL's own limit."""

import asyncio
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import uvloop
from rich.console import Console

from bench import home, report
from bench.http import BenchError
from bench.sync import fanout, growth, pull, push, reconnect
from bench.sync.bench import Bench, Part

PARTS: dict[str, Part] = {
    "B1": push.spread_out,
    "B2": push.into_one_space,
    "B3": pull.cold,
    "B4": pull.what_is_new,
    "B5": fanout.fan_out,
    "B6": push.once_more,
    "B7": reconnect.after_a_week,
    "B8": growth.flat,
}


def run(*, quick: bool, as_json: bool, only: list[str], place: Path) -> None:
    """Measure the parts named in `only`, or all, and print what was found."""
    uvloop.install()
    console = Console(stderr=True, highlight=False)
    where = report.machine(quick=quick)
    report.warn_if_busy(where, console)
    results: list[report.Result] = []
    failed: list[str] = []
    with ExitStack() as stack:
        cluster = stack.enter_context(home.database(place))
        asyncio.run(home.prepare(cluster))
        mos = stack.enter_context(home.served(cluster))
        asyncio.run(home.found(cluster, mos.org))
        bench = Bench(cluster, mos, place, quick, stack)
        for name, part in PARTS.items():
            if only and name not in only:
                continue
            begun = time.monotonic()
            try:
                results += part(bench)
            except BenchError as error:
                # What the other parts find is not lost with it.
                failed.append(name)
                console.print(f"[red]{name}: {error}[/]")
            console.print(f"{name} took {time.monotonic() - begun:.0f} s")
        report.show(where, results, as_json=as_json)
    if failed:
        sys.exit(f"mos bench sync: {', '.join(failed)} did not come to an end")

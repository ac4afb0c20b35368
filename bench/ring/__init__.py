"""`mos bench ring`: what the reminder engine costs, beside queues, senders and PostgreSQL."""

import asyncio
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import uvloop
from rich.console import Console

from bench import home, report
from bench.http import BenchError
from bench.ring import claim, flood, history, plan, push
from bench.ring.bench import Bench, Part

PARTS: dict[str, Part] = {
    "R1": claim.rates,
    "R2": flood.at_once,
    "R3": push.sent,
    "R4": plan.ahead,
    "R5": history.flat,
}


def run(*, quick: bool, whole: bool, as_json: bool, only: list[str], place: Path) -> None:
    """Measure the parts named in `only`, or all, and print what was found.

    `whole`: a million reminders at once and a hundred thousand residents, too.
    """
    uvloop.install()
    console = Console(stderr=True, highlight=False)
    where = report.machine(quick=quick)
    report.warn_if_busy(where, console)
    results: list[report.Result] = []
    failed: list[str] = []
    with ExitStack() as stack:
        cluster = stack.enter_context(home.database(place))
        asyncio.run(home.prepare(cluster))
        bench = Bench(cluster, place, quick=quick, whole=whole)
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
        sys.exit(f"mos bench ring: {', '.join(failed)} did not come to an end")

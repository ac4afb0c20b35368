"""What a benchmark found, as a table for people and as JSON for the next run."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins
from rich.console import Console
from rich.table import Table

# Above this load per core somebody else is at work, and the numbers are theirs too.
_QUIET = 0.25


class Result(Struct, kw_only=True, omit_defaults=False):
    """One number beside another. `ratio` is `value` / `against`; `met` is None without a goal."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    versus: str | None = None  # whose number `against` is
    against: float | None = None
    ratio: float | None = None
    goal: str | None = None
    met: bool | None = None
    note: str = ""


class Goal(Struct, frozen=True):
    """A number to reach: `least` or `most` of the value itself, or of its ratio (`is_ratio`)."""

    least: float | None = None
    most: float | None = None
    is_ratio: bool = False

    def text(self) -> str:
        """Return the goal as people read it."""
        sign = "≥" if self.least is not None else "≤"
        amount = self.least if self.least is not None else self.most
        return f"{sign} {number(amount or 0)}{' times' if self.is_ratio else ''}"

    def is_met(self, value: float, ratio: float | None) -> bool | None:
        """Return whether the goal is reached, None where there is nothing to compare with."""
        amount = ratio if self.is_ratio else value
        if amount is None:
            return None
        return (self.least is None or amount >= self.least) and (
            self.most is None or amount <= self.most
        )


def result(
    name: str,
    runs: Sequence[float],
    unit: str,
    *,
    versus: tuple[str, Sequence[float]] | None = None,
    goal: Goal | None = None,
    note: str = "",
) -> Result:
    """Return the median of `runs` with its spread, beside the median of somebody else's runs."""
    value = statistics.median(runs)
    against = statistics.median(versus[1]) if versus else None
    ratio = value / against if against else None
    return Result(
        name=name,
        value=value,
        unit=unit,
        low=min(runs),
        high=max(runs),
        versus=versus[0] if versus else None,
        against=against,
        ratio=ratio,
        goal=goal.text() if goal else None,
        met=goal.is_met(value, ratio) if goal else None,
        note=note,
    )


def machine(*, quick: bool) -> dict[str, Any]:
    """Return what the numbers were measured on."""
    load = os.getloadavg()[0]
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_at_start": round(load, 2),
        "is_busy": load > _QUIET * (os.cpu_count() or 1),
        "quick": quick,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def show(where: dict[str, Any], results: list[Result], *, as_json: bool) -> None:
    """Print everything to the standard output."""
    if as_json:
        document = {"machine": where, "results": [rounded(each) for each in results]}
        print(json.dumps(document, ensure_ascii=False, indent=1))
        return
    # A file has no width; as narrow as a terminal's the table would be all folds.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    table = Table(box=None, pad_edge=False, row_styles=["", "dim"])
    table.add_column("measured", overflow="fold")
    table.add_column("median", justify="right")
    table.add_column("spread", justify="right")
    table.add_column("beside", overflow="fold")
    table.add_column("goal", justify="right")
    table.add_column("")
    for each in results:
        beside = (
            f"{each.versus} {number(each.against or 0)} ({number(each.ratio or 0)} times)"
            if each.versus
            else ""
        )
        mark = {None: "", True: "[green]✓[/]", False: "[red]✗[/]"}[each.met]
        spread = f"{number(each.low or 0)}-{number(each.high or 0)}"
        table.add_row(
            each.name, f"{number(each.value)} {each.unit}", spread, beside, each.goal or "", mark
        )
    console.print(table)
    for each in results:
        if each.note:
            console.print(f"[bold]{each.name}[/]: {each.note}", soft_wrap=True)


def warn_if_busy(where: dict[str, Any], console: Console) -> None:
    """Say the load at the start, and that the numbers are not to be kept when it is high."""
    console.print(f"{where['cores']} cores, load {where['load_at_start']} at the start")
    if where["is_busy"]:
        console.print("[yellow]The machine is busy: do not keep these numbers.[/]")
    if where["quick"]:
        console.print("[yellow]--quick: this shows that everything runs, not how fast.[/]")


def rounded(each: Result) -> dict[str, Any]:
    """Return the result with no more digits than mean something."""
    fields = to_builtins(each)
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in fields.items()
    }


def number(value: float) -> str:
    """Return a number with three digits that mean something."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def share(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` of all values lie; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def percentiles(seconds: Sequence[float]) -> str:
    """Return p50, p95 and p99 in milliseconds, as a note says them."""
    p50, p95, p99 = (share(seconds, part) * 1000 for part in (0.5, 0.95, 0.99))
    return f"p50 {number(p50)}, p95 {number(p95)}, p99 {number(p99)} ms"

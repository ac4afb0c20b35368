"""`mos check`: formatting, lint, types and import rules, of the server and of the app."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mos.ops import overdue as old_packages
from mos.ops.settings import ROOT

BIN = ROOT / ".venv" / "bin"
PWA = ROOT / "pwa"


@dataclass(frozen=True)
class Check:
    """One program to run, and where."""

    name: str
    command: tuple[str, ...]
    cwd: Path = ROOT


def _npx(name: str, *command: str) -> Check:
    return Check(name, ("npx", "--no-install", *command), PWA)


def checks() -> tuple[tuple[Check, ...], ...]:
    """Return the checks in lanes that may run side by side: the server's, the app's."""
    migrations = sorted((ROOT / "server/mos").glob("**/migrations/*.sql"))
    return (
        (
            Check("ruff check", ("ruff", "check")),
            Check("ruff format", ("ruff", "format", "--check")),
            Check("mypy", ("mypy",)),
            Check("lint-imports", ("lint-imports",)),
            Check("squawk", ("squawk", "--config", ".squawk.toml", *map(str, migrations))),
        ),
        (
            _npx(
                "svelte-check",
                "svelte-check",
                "--tsconfig",
                "./tsconfig.json",
                "--fail-on-warnings",
            ),
            _npx("eslint", "eslint", "."),
            _npx("prettier", "prettier", "--check", "."),
        ),
    )


def command(
    overdue: Annotated[
        bool,
        typer.Option(
            "--overdue", help="Only say which packages are older than SECURITY.md allows."
        ),
    ] = False,
) -> None:
    """Check formatting, lint, types, import rules and migrations; say which failed, and why."""
    console = Console()
    if overdue:
        sys.exit(_say_what_is_overdue())
    begun = time.monotonic()
    with ThreadPoolExecutor() as pool:
        passed = list(pool.map(lambda lane: [_run(check, console) for check in lane], checks()))
    failed = sum(not ok for lane in passed for ok in lane)
    took = f"in {time.monotonic() - begun:.0f} s"
    if failed:
        console.print(f"\n[bold red]{failed} of {sum(map(len, passed))} checks failed[/] {took}")
        sys.exit(1)
    console.print(f"\n[bold green]{sum(map(len, passed))} checks passed[/] {took}")


def _say_what_is_overdue() -> int:
    try:
        found = old_packages.overdue(datetime.now(UTC))
    except old_packages.CannotLook as error:
        print(f"mos check: the package index could not be asked.\n{error}", file=sys.stderr)
        return 2
    days = old_packages.ALLOWED_DAYS
    for each in found:
        print(f"{each.name} {each.locked}: {each.newer} has been there for more than {days} days.")
    if not found:
        print(f"No package is behind a release of more than {days} days ago.")
    return 1 if found else 0


def _run(check: Check, console: Console) -> bool:
    begun = time.monotonic()
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        check.command, cwd=check.cwd, env=environment, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    took = f"{time.monotonic() - begun:.1f} s"
    if done.returncode == 0:
        console.print(f"[green]✓[/] {check.name} [dim]{took}[/]", highlight=False)
        return True
    console.print(f"[red]✗ {check.name}[/] [dim]{took}[/]", highlight=False)
    console.out(done.stdout.rstrip(), highlight=False)
    return False

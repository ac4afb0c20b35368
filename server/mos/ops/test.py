"""`mos test`: everything that must hold. Server tests, the app's tests, journeys in a browser."""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree as ET

import msgspec
import typer
from rich.console import Console

from mos.ops import chromium
from mos.ops.settings import ROOT
from mos.ops.voice import bring_voice

BIN = ROOT / ".venv" / "bin"
PWA = ROOT / "pwa"
TESTS = ROOT / "server" / "tests"
# Half of a test is waiting (for a database, a browser, a second to pass): two processes are faster
# than one on two cores. A file stays in one: some share what takes long to start. Not the journeys:
# a browser alone keeps two cores busy, and beside another it is too slow for its people.
_SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile")
# More than so many that fail have one cause, and are not tried a second time.
_UNSTEADY_AT_MOST = 3
# pytest's word for "nothing was selected", no failure when other suites have something.
_NOTHING_SELECTED = 5


@dataclass(frozen=True)
class Tally:
    """How many tests passed and failed."""

    passed: int = 0
    failed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.passed + other.passed, self.failed + other.failed)


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="Only files and tests named so.")
    ] = None,
) -> None:
    """Run all tests, or those whose file or name contains a NAME; the last line counts them."""
    wanted = names or []
    console = Console(highlight=False)
    bring_voice(console.print)
    # One after the other, whatever fails: the last line counts all of them.
    tally = Tally()
    for title, suite in (("Server", _server), ("App", _app), ("Journeys", _journeys)):
        console.rule(f"[bold]{title}", align="left")
        sys.stdout.flush()
        tally += suite(wanted)
    if tally == Tally():
        print(f"No test is named {' or '.join(wanted)}." if wanted else "No test ran.")
    print(f"{tally.passed} passed, {tally.failed} failed", flush=True)
    sys.exit(0 if tally.passed and not tally.failed else 1)


def _server(names: list[str]) -> Tally:
    # Who names a few tests waits less for one process than for two.
    side_by_side = () if names else _SIDE_BY_SIDE
    return _pytest([str(TESTS), f"--ignore={TESTS / 'journeys'}", *side_by_side], names, {})


def _journeys(names: list[str]) -> Tally:
    journeys = TESTS / "journeys"
    if not any(journeys.rglob("test_*.py")):
        return Tally()
    browser = chromium.find()
    if browser is None:
        print(f"mos test: {chromium.MISSING}", file=sys.stderr)
        # On a developer's machine the rest is still worth something; in CI nothing may be missing.
        return Tally(failed=1) if os.environ.get("CI") == "true" else Tally()
    return _twice_in_ci([str(journeys)], names, chromium.environment(browser))


def _twice_in_ci(arguments: list[str], names: list[str], environment: dict[str, str]) -> Tally:
    """Run a suite; in CI the few that failed once more, alone, and name what passes then.

    A browser on a busy machine has moments of its own (decision 46). The first fault is printed.
    """
    with tempfile.TemporaryDirectory() as cache:
        arguments = [*arguments, "-o", f"cache_dir={cache}"]
        tally = _pytest(arguments, names, environment)
        failed = Path(cache) / "v" / "cache" / "lastfailed"
        few = 0 < tally.failed <= _UNSTEADY_AT_MOST and failed.exists()
        if not few or os.environ.get("CI") != "true":
            return tally
        unsteady = sorted(msgspec.json.decode(failed.read_bytes(), type=dict[str, bool]))
        print(f"{tally.failed} failed, and are tried once more, alone.", flush=True)
        again = _pytest([*arguments, "--last-failed"], names, environment)
    if again != Tally(passed=tally.failed):
        return tally
    print("Unsteady, each a fault to be understood: " + ", ".join(unsteady), flush=True)
    return tally + again + Tally(failed=-tally.failed)


def _pytest(arguments: list[str], names: list[str], environment: dict[str, str]) -> Tally:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = [f"--junitxml={report}", "--continue-on-collection-errors"]
        options += [f"--named={name}" for name in names]
        ended = subprocess.run(
            [str(BIN / "python"), "-m", "pytest", *arguments, *options],
            cwd=ROOT, env=_environment() | environment, check=False,
        )  # fmt: skip
        if ended.returncode == _NOTHING_SELECTED:
            return Tally()
        tally = _read_junit(report) if report.exists() else Tally()
    return _at_least_one_failure(tally, ended.returncode)


def _read_junit(report: Path) -> Tally:
    tally = Tally()
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314  our own file
        counts = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        failed = counts["failures"] + counts["errors"]
        tally += Tally(max(0, counts["tests"] - failed - counts["skipped"]), failed)
    return tally


def _app(names: list[str]) -> Tally:
    if not names:
        return _vitest([])
    files = [str(file.relative_to(PWA)) for file in PWA.glob("src/**/*.test.ts")]
    files += [str(file.relative_to(PWA)) for file in PWA.glob("scripts/**/*.test.ts")]
    by_file = [file for file in files if any(name.lower() in file.lower() for name in names)]
    pattern = "|".join(re.escape(name) for name in names)
    mentioned = re.compile(pattern, re.IGNORECASE)
    by_test = [
        file
        for file in files
        if file not in by_file and mentioned.search((PWA / file).read_text(encoding="utf-8"))
    ]
    tally = _vitest(by_file) if by_file else Tally()
    if by_test:
        tally += _vitest([*by_test, "--testNamePattern", _any_case(pattern)])
    return tally


def _any_case(pattern: str) -> str:
    """Return a JavaScript pattern without flags that takes every letter in either case."""
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else c for c in pattern)


class _VitestReport(msgspec.Struct, rename="camel"):
    num_passed_tests: int
    num_failed_tests: int


def _vitest(arguments: list[str]) -> Tally:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        ended = subprocess.run(
            ["npx", "--no-install", "vitest", "run", "--reporter=default", "--reporter=json",
             f"--outputFile.json={report}", "--passWithNoTests", *arguments],
            cwd=PWA, env=_environment(), check=False,
        )  # fmt: skip
        if report.exists():
            counts = msgspec.json.decode(report.read_bytes(), type=_VitestReport)
            tally = Tally(counts.num_passed_tests, counts.num_failed_tests)
        else:
            tally = Tally()
    return _at_least_one_failure(tally, ended.returncode)


def _at_least_one_failure(tally: Tally, status: int) -> Tally:
    """Count a suite that broke as a whole (a syntax error, a crash) as one failure."""
    return tally if status == 0 or tally.failed else tally + Tally(failed=1)


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}

"""Processes that begin at one word: MOS's workers and those of the peers, measured alike.

Each says `ready` when it has connected, waits for a line, works until nothing is left, and says in
JSON what it did.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bench import processes
from bench.http import BenchError
from mos.ops.postgres import die_with_parent
from mos.ops.settings import ROOT

Command = Sequence[str | Path]


class Work(NamedTuple):
    """What a crew did: seconds from the word until the last was done, and what each said."""

    seconds: float
    said: list[dict[str, Any]]

    def total(self, name: str) -> float:
        """Return the sum of what each said of `name`."""
        return sum(float(each[name]) for each in self.said)


def worker(*arguments: str) -> Command:
    """Return the command of MOS's own worker (bench.ring.worker)."""
    return (sys.executable, "-P", "-m", "bench.ring.worker", *arguments)


def work(commands: Sequence[Command], environment: Mapping[str, str]) -> Work:
    """Start all, give the word when every one is ready, and wait for the last.

    Raises BenchError when one ends without having said what it did.
    """
    with ExitStack() as stack:
        crew = [_start(stack, command, environment) for command in commands]
        for each in crew:
            _expect(each, each.stdout.readline() if each.stdout else "", "ready")
        started = time.perf_counter()
        for each in crew:
            if each.stdin:
                each.stdin.write("go\n")
                each.stdin.flush()
        lines = [each.stdout.readline() if each.stdout else "" for each in crew]
        seconds = time.perf_counter() - started
        for each, line in zip(crew, lines, strict=True):
            _expect(each, line, "{")
    return Work(seconds, [json.loads(line) for line in lines])


def _start(
    stack: ExitStack, command: Command, environment: Mapping[str, str]
) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=dict(environment) | {"PYTHONPATH": f"{ROOT}:{ROOT / 'server'}"},
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prctl, no locks
    )  # fmt: skip
    stack.enter_context(process)
    stack.callback(processes.stop, process)
    return process


def _expect(process: "subprocess.Popen[str]", line: str, word: str) -> None:
    if not line.startswith(word):
        process.kill()
        trouble = process.stderr.read() if process.stderr else ""
        raise BenchError(f"{process.args}: said {line!r}; {trouble[-2000:]}")

"""What may stand in a log: what happened and where, never what a person wrote."""

import json
import subprocess
import sys

import pytest

from mos.ops.settings import ROOT

PROGRAM = """
import logging, structlog
from mos.ops import logs

logs.configure()
structlog.get_logger("x").info("worker_started", worker="1")

def stumble():
    raise RuntimeError("while reading Elsa's plan") from ValueError("contains (Elsa, Frukost)")

try:
    stumble()
except RuntimeError:
    LOGGER.exception("pass_failed")
"""


@pytest.mark.parametrize("logger", ["logging.getLogger('uvicorn.error')", "structlog.get_logger()"])
def test_an_exception_says_where_and_not_its_words(logger):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("LOGGER", logger)],
        cwd=ROOT / "server", check=True, capture_output=True, text=True,
    )  # fmt: skip

    started, failed = map(json.loads, done.stdout.splitlines())
    assert (started["event"], started["worker"]) == ("worker_started", "1")
    assert "kind" not in started
    assert "Elsa" not in done.stdout + done.stderr
    assert (failed["event"], failed["kind"]) == ("pass_failed", "RuntimeError")
    assert failed["at"][-1].endswith(" stumble")

"""`mos account let-in` against a running MOS: the link that it prints opens."""

import os
import re
import subprocess
import sys

import pytest
from real_up import Up

from mos.ops.demo.people import PEOPLE
from mos.ops.settings import ROOT

ADMIN = next(person.email for person in PEOPLE if person.key == "admin")


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "home", "--demo")
    running.ready()
    yield running
    running.stop()


def let_in(up, *words, asked=""):
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("MOS_", "DATABASE"))}
    return subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", "account", "let-in", *words, "--data", str(up.data)],
        input=asked, capture_output=True, text=True, timeout=120, check=False,
        env=outside | {"PYTHONPATH": str(ROOT / "server"), "COLUMNS": "200"},
    )  # fmt: skip


def test_whoever_runs_the_server_lets_an_administrator_in(up):
    stranger = let_in(up, "--email", "nobody@example.test", "--yes")
    no = let_in(up, asked=f"{ADMIN}\nn\n")
    done = let_in(up, "--url", "https://mos.example.org", asked=f"{ADMIN}\ny\n")

    assert (stranger.returncode, "nobody who may sign in" in stranger.stderr) == (1, True)
    assert no.returncode == 1
    assert done.returncode == 0, done.stderr
    [link] = re.findall(r"https://mos\.example\.org/#/\S+", done.stdout)
    assert ADMIN not in up.logs()
    assert link not in up.logs()

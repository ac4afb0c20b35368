"""Which package is older than SECURITY.md allows is said, and that nobody could be asked too."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mos.ops.overdue import ALLOWED_DAYS, Overdue, behind
from mos.ops.settings import ROOT

LOCK = """
aiohttp==3.14.5 \\
    --hash=sha256:0
pyrage==1.4.0
tzdata==2026.1 ; sys_platform == 'win32'
"""


@pytest.mark.parametrize(
    ("then", "found"),
    [
        (LOCK, []),
        ("aiohttp==3.14.4\npyrage==1.3.9\n", []),
        ("aiohttp==3.14.10\n", [Overdue("aiohttp", "3.14.5", "3.14.10")]),
        ("tzdata==2026.2\npyrage==1.4.0\n", [Overdue("tzdata", "2026.1", "2026.2")]),
        # What we do not use is nothing of ours.
        ("newcomer==9.0\n", []),
    ],
)
def test_what_was_there_so_long_ago_and_is_not_locked_is_overdue(then, found):
    assert behind(LOCK, then) == found


def test_where_no_index_can_be_asked_that_is_said_and_is_no_all_clear(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", "check", "--overdue"],
        capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"PYTHONPATH": str(ROOT / "server"), "UV_OFFLINE": "1",
                          "UV_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip

    assert done.returncode == 2, done.stdout
    assert "could not be asked" in done.stderr
    assert done.stdout == ""


def test_the_time_is_the_one_that_is_promised():
    promised = (Path(ROOT) / "SECURITY.md").read_text(encoding="utf-8")

    assert re.search(rf"\b{ALLOWED_DAYS} days\b", promised)

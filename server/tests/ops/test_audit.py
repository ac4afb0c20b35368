"""`mos audit` against a running MOS: it holds, and says where it does not."""

import os
import subprocess
import sys

import asyncpg
import pytest
from real_up import Up

from mos.ops.clusters import main_dsn
from mos.ops.settings import ROOT


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "home", "--empty")
    running.ready()
    yield running
    running.stop()


def mos(*words, data):
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("MOS_", "DATABASE"))}
    return subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", *words, "--data", str(data)],
        capture_output=True, text=True, timeout=120, check=False,
        env=outside | {"PYTHONPATH": str(ROOT / "server"), "COLUMNS": "200"},
    )  # fmt: skip


async def test_what_an_operator_does_is_in_the_log_and_a_change_behind_it_is_named(up):
    assert mos("audit", "rotate", data=up.data).returncode == 0
    assert mos("keys", "rotate", data=up.data).returncode == 0
    exported = mos("audit", "export", data=up.data)
    assert [word in exported.stdout for word in ("audit_key_rotated", "keys_rotated")] == [
        True,
        True,
    ]
    held = mos("audit", "verify", data=up.data)
    assert (held.returncode, "everything holds" in held.stdout) == (0, True), held.stderr

    owner = await asyncpg.connect(main_dsn(up.data))
    # Whichever line it is: a home that has just begun writes some of its own.
    n = await owner.fetchval(
        "UPDATE audit SET content = replace(content, 'keys_rotated', 'keyz_rotated')"
        " WHERE content LIKE '%keys\\_rotated%' RETURNING n"
    )
    await owner.close()
    broken = mos("audit", "verify", data=up.data)
    assert broken.returncode == 1
    changed = f"!! chain 00000000-0000-0000-0000-000000000000, line {n}: it was changed"
    assert changed in broken.stdout

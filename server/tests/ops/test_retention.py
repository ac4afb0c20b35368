"""`mos privacy retention` against a running MOS: the evidence, and what should be gone."""

import time

import asyncpg
import pytest
from real_up import Up, mos

from mos.ops.clusters import main_dsn
from mos.privacy.retention import terms_of
from mos.wiring import PERSONAL_DATA

NUMBER = len(terms_of(PERSONAL_DATA))


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "home", "--empty")
    running.ready()
    yield running
    running.stop()


def shown(up):
    done = mos("privacy", "retention", data=up.data)
    return done.returncode, done.stdout.splitlines()


async def test_a_running_home_keeps_what_it_declares_and_says_what_it_does_not(up):
    until = time.monotonic() + 60
    while (answer := shown(up))[0] != 0 and time.monotonic() < until:
        time.sleep(1)
    code, lines = answer
    assert (code, len(lines)) == (0, NUMBER + 1), lines
    assert lines[0].split("  ")[0] == "class"
    assert all(line.endswith("kept") for line in lines[1:])
    assert "retention_done" in mos("audit", "export", data=up.data).stdout
    assert mos("audit", "verify", data=up.data).returncode == 0

    owner = await asyncpg.connect(main_dsn(up.data))
    for change in (
        "UPDATE retention SET oldest = now() - interval '100 days' WHERE class = 'session'",
        "UPDATE retention SET failed = 1 WHERE class = 'op'",
        "UPDATE retention SET done_at = done_at - interval '3 days' WHERE class = 'clip'",
        "DELETE FROM retention WHERE class = 'duty'",
    ):
        await owner.execute(change)
    await owner.close()
    code, lines = shown(up)
    wrong = {line.split()[0]: line.split()[-1] for line in lines[1:-1] if line[-4:] != "kept"}
    assert code == 1
    assert wrong == {"session": "late", "op": "failed", "clip": "idle", "duty": "idle"}
    assert "4 of" in lines[-1]
    session = next(line for line in lines if line.startswith("session "))
    assert session.split()[1:3] == ["90", "days"]
    assert "10 days" in session

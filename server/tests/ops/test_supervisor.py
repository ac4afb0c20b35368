"""A child that should always run does, and ends when it is told to."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mos.ops.supervisor import Child


@pytest.fixture
def child(tmp_path):
    def make(program):
        return Child("child", [sys.executable, "-c", program], dict(os.environ), tmp_path / "c.log")

    return make


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  another process's doing has no event here
            await asyncio.sleep(0.01)


async def test_a_child_that_ends_is_started_again_after_growing_pauses(child, tmp_path):
    said = []
    runs = tmp_path / "runs"
    one = child(f"open({str(runs)!r}, 'a').write('x')")
    keeping = asyncio.ensure_future(one.keep_running(said.append))
    await until(lambda: runs.exists() and runs.read_text() == "xxx")
    await one.stop()
    await keeping

    assert [line.rsplit("in ", 1)[1] for line in said[:2]] == ["0.5 s", "1 s"]
    assert "ended (status 0)" in said[0]


async def test_a_stopped_child_ends_in_good_order(child):
    one = child(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('drained'), sys.exit(0)))\n"
        "print('up', flush=True); time.sleep(600)"
    )
    keeping = asyncio.ensure_future(one.keep_running(pytest.fail))
    await until(lambda: "up" in one.last_words())
    await one.stop()
    await keeping

    assert one.last_words().endswith("drained")


async def test_a_restart_is_at_once_and_no_crash(child, tmp_path):
    runs = tmp_path / "runs"
    one = child(f"import time; open({str(runs)!r}, 'a').write('x'); time.sleep(600)")
    keeping = asyncio.ensure_future(one.keep_running(pytest.fail))
    await until(lambda: runs.exists() and runs.read_text() == "x")
    one.restart()
    await until(lambda: runs.read_text() == "xx")
    await one.stop()
    await keeping

    assert one.crashes == 0


async def test_a_killed_supervisor_leaves_no_child(tmp_path):
    log = tmp_path / "c.log"
    program = (
        "import asyncio, os, sys; from pathlib import Path; from mos.ops.supervisor import Child\n"
        "one = Child('c', [sys.executable, '-c', 'import os, time; print(os.getpid(), flush=True);"
        f" time.sleep(600)'], dict(os.environ), Path({str(log)!r}))\n"
        "asyncio.run(one.keep_running(print))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as supervisor:
        await until(lambda: log.exists() and log.read_text().strip().isdigit())
        pid = int(log.read_text())
        supervisor.send_signal(signal.SIGKILL)

    await until(lambda: not Path(f"/proc/{pid}/exe").exists())

"""A rehearsal cleans up after itself, when it does not come to its beginning too."""

import pytest

from mos.ops import rehearsal
from mos.ops.rehearsal import Rehearsal


def test_a_rehearsal_that_does_not_start_in_time_leaves_nothing_running(tmp_path, monkeypatch):
    monkeypatch.setattr(rehearsal, "_READY_S", 0)
    monkeypatch.setattr(Rehearsal, "_answers", lambda _self: False)
    started = []
    begin = rehearsal.subprocess.Popen
    monkeypatch.setattr(
        rehearsal.subprocess, "Popen", lambda *a, **k: started.append(begin(*a, **k)) or started[-1]
    )
    with (
        pytest.raises(RuntimeError, match="did not start"),
        Rehearsal(tmp_path, "2026-11-27T12:14:00", empty=True),
    ):
        pass

    (process,) = started
    still_there = process.poll() is None
    process.kill()
    assert not still_there

"""docs/engine.md says what the code does."""

import json
import re
from pathlib import Path

from mos.dispatch.model import Event, State
from mos.dispatch.rules import TRANSITIONS

ROOT = Path(__file__).parents[3]
DOC = ROOT / "docs" / "engine.md"


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_the_table_of_transitions_in_the_docs_is_the_one_in_the_code():
    lines = DOC.read_text().splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("| | ring |"))
    events = [Event(cell) for cell in cells(lines[head])[1:]]
    documented = {
        (State(cells(line)[0]), event): State(after)
        for line in lines[head + 2 : head + 2 + len(State)]
        for event, after in zip(events, cells(line)[1:], strict=True)
        if after
    }

    assert set(events) == set(Event)
    assert documented == TRANSITIONS


def test_every_trap_is_held_by_a_test_that_exists():
    traps = DOC.read_text().partition("## Traps")[2].partition("\n## ")[0]
    rows = [cells(line)[1] for line in traps.splitlines() if line.startswith("| ")][1:]
    files = (ROOT / "server" / "tests").rglob("test_*.py")
    tests = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    vectors = json.loads((ROOT / "spec/vectors/recurrence.json").read_text())
    cases = {case["name"] for case in vectors}

    assert len(rows) == 20
    for row in rows:
        named, quoted = re.findall(r"`(\w+)`", row), re.findall(r'"([^"]+)"', row)
        assert named or quoted, row
        assert set(named) <= tests, row
        assert set(quoted) <= cases, row

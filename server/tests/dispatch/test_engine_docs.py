"""docs/engine.md says what the code does."""

from pathlib import Path

from mos.dispatch.model import Event, State
from mos.dispatch.rules import TRANSITIONS

DOC = Path(__file__).parents[3] / "docs" / "engine.md"


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

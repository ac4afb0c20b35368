"""Which ladder holds, and when its steps come: the vectors that the app shares."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mos.dispatch import rules
from mos.dispatch.model import Ladder

VECTORS = Path(__file__).parents[3] / "spec" / "vectors" / "ladders.json"
CASES = {case["name"]: case for case in json.loads(VECTORS.read_text(encoding="utf-8"))}
START = datetime(2026, 11, 27, 7, tzinfo=UTC)


@pytest.mark.parametrize("name", CASES)
def test_the_most_specific_ladder_holds(name):
    case = CASES[name]
    own = [
        Ladder(each["category"], each["criticality"], rules.check_steps(each["steps"]))
        for each in case["ladders"]
    ]

    steps = rules.ladder_for(own, [], case["category"], case["criticality"])

    times = rules.step_times(steps, START, timedelta(minutes=case["grace"]))
    found = [
        [step.tell.value, (at - START) / timedelta(minutes=1)]
        for step, at in zip(steps, times, strict=True)
    ]
    assert found == case["steps"]

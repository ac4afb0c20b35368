"""What was answered under a time that has moved is not asked for again, and nothing else falls."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mos.plan.rules.stand_ins import stand_ins

VECTORS = Path(__file__).parents[3] / "spec" / "vectors" / "stand_ins.json"
BEGIN = datetime(2026, 11, 28)  # noqa: DTZ001  wall time

times = st.sets(
    st.integers(0, 2 * 24 * 60).map(
        lambda minute: (BEGIN + timedelta(minutes=minute)).isoformat(timespec="minutes")
    ),
    max_size=8,
)


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text()), ids=lambda case: case["name"])
def test_as_the_app_decides(case):
    assert sorted(stand_ins(case["planned"], case["answered"])) == case["left_out"]


@given(times, times)
def test_no_more_fall_than_were_answered_and_none_that_was_answered_itself(planned, answered):
    left_out = stand_ins(planned, answered)

    assert left_out <= planned - answered
    assert len(left_out) <= len(answered - planned)


@given(times, times)
def test_a_plan_that_has_all_that_was_answered_loses_nothing(planned, answered):
    assert stand_ins(planned | answered, answered) == set()

"""When something counts as missed: the shared vectors, through the rule and through the engine."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from mos.dispatch import rules as dispatch
from mos.dispatch.model import Planned, State
from mos.plan.rules.grace import grace_minutes

VECTORS = Path(__file__).parents[3] / "spec" / "vectors" / "grace.json"
CASES = json.loads(VECTORS.read_text(encoding="utf-8"))
START = datetime(2026, 11, 27, 7, tzinfo=UTC)
SOMEBODY = UUID(int=1)


def grace_of(case) -> int:
    names = ["category", "criticality", "minutes", "grace"]
    return grace_minutes(**{name: case[name] for name in names})


def told(case):
    """The occurrence as the engine has it once it has rung."""
    planned = Planned(
        space=SOMEBODY,
        occ="pill@2026-11-27T08:00",
        reminder=SOMEBODY,
        at=START,
        first_at=START,
        ends_at=START + timedelta(minutes=case["minutes"]),
        category=case["category"],
        criticality=case["criticality"],
        checkable=True,
        grace_s=grace_of(case) * 60,
        ring_start=True,
        ring_again=True,
    )
    return replace(dispatch.born(SOMEBODY, planned, START), state=State.TOLD, told_at=START)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_occurrence_is_missed_when_its_vector_says_so(case):
    occurrence = told(case)
    if case["snoozed"] is not None:
        until = START + timedelta(minutes=case["snoozed"])
        occurrence = dispatch.snoozed(occurrence, SOMEBODY, until, START).after

    assert occurrence.missed_at == START + timedelta(minutes=case["missed"])

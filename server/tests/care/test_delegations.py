"""Who may give a dose, and how long a delegation lasts: the first as the app has it, too."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mos.care import rules
from mos.care.model import Policy, Role
from mos.care.rules.delegations import Held
from mos.kernel.errors import Invalid

CASES = json.loads((Path(__file__).parents[3] / "spec/vectors/delegation.json").read_text())
TODAY = date(2026, 11, 25)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_who_may_give_a_dose(case):
    held = [
        Held(h["task"], datetime.fromisoformat(h["since"]), datetime.fromisoformat(h["until"]))
        for h in case["held"]
    ]
    lacked = rules.lack(
        Policy(case["policy"]),
        Role(case["role"]),
        {"medication.sign"} if case["signs"] else set(),
        case["task"],
        held,
        datetime.fromisoformat(case["at"]),
    )

    assert lacked == case["lack"]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 11, 25), date(2027, 11, 24)),
        (date(2027, 1, 1), date(2027, 12, 31)),
        (date(2028, 2, 29), date(2029, 2, 28)),
        (date(2027, 3, 1), date(2028, 2, 29)),
    ],
)
def test_a_year_and_no_day_more(first, last):
    assert rules.last_day_at_most(first) == last


def test_a_year_is_the_most_that_passes():
    rules.check_span(TODAY, date(2027, 11, 24), TODAY, TODAY)
    with pytest.raises(Invalid):
        rules.check_span(TODAY, date(2027, 11, 25), TODAY, TODAY)


def test_each_warning_comes_once_and_a_missed_one_is_not_made_up_for():
    until = datetime(2027, 1, 1, tzinfo=UTC)
    days = [
        (40, 0, None), (30, 0, 30), (20, 30, None), (7, 30, 7), (7, 0, 7), (3, 7, None),
        (0, 7, None),
    ]  # fmt: skip
    for before, told, expected in days:
        now = until - timedelta(days=before)
        assert rules.warning(until, told, now) == expected, before

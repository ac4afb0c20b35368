"""What a resident cannot eat: the cases that the app runs, too (spec/vectors/allergy.json)."""

import json
from pathlib import Path

import pytest

from mos.kernel.errors import Invalid
from mos.meals.model import KEYS, SEVERITIES, check_allergy, check_lowering, check_texture
from mos.meals.rules import what_counts

CASES = json.loads((Path(__file__).parents[3] / "spec/vectors/allergy.json").read_text())
CHECKS = {"allergy": check_allergy, "lowering": check_lowering, "texture": check_texture}


def of(*asks):
    return [pytest.param(case, id=case["name"]) for case in CASES if case["ask"] in asks]


def test_there_are_28_keys_and_every_case_has_a_name_of_its_own():
    assert len(set(KEYS)) == 28
    assert len({case["name"] for case in CASES}) == len(CASES) >= 30
    assert {case["ask"] for case in CASES} == {*CHECKS, "counts"}


@pytest.mark.parametrize("case", of(*CHECKS))
def test_what_may_be_written_is_exact_and_a_refusal_names_the_place(case):
    check = CHECKS[case["ask"]]
    if case["problem"] is None:
        check({"v": case["v"]})
        return
    with pytest.raises(Invalid) as refused:
        check({"v": case["v"]})
    field, code = case["problem"]
    assert (refused.value.field, refused.value.code) == (f"v.{field}", code)


@pytest.mark.parametrize("case", of("counts"))
def test_what_counts_in_whatever_order_it_arrived(case):
    backwards = dict(reversed(case["allergies"].items()))

    assert what_counts(case["allergies"], case["lowerings"]) == case["counts"]
    assert what_counts(backwards, case["lowerings"]) == case["counts"]


def test_one_more_allergy_never_makes_less_count():
    order = [*SEVERITIES, "of a later release"]
    lowering = {"key": "MILK", "covers": ["a"], "to": None, "why": "x"}
    for decided in ([], [lowering], [lowering | {"to": "intolerance"}]):
        for first in order:
            for more in order:
                before = what_counts({"a": {"key": "MILK", "severity": first}}, decided)
                after = what_counts(
                    {
                        "a": {"key": "MILK", "severity": first},
                        "b": {"key": "MILK", "severity": more},
                    },
                    decided,
                )
                weaker = order.index(before.get("MILK", SEVERITIES[0]))
                assert order.index(after["MILK"]) >= weaker

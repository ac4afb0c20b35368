"""Orders and doses: the cases that the app runs, too (spec/vectors/order.json)."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from mos.kernel.errors import Invalid
from mos.medication import rules
from mos.medication.model import as_needed_of, check_order, problems
from mos.plan.model.rule import decode_rule
from mos.plan.rules.recurrence import preview

CASES = json.loads((Path(__file__).parents[3] / "spec/vectors/order.json").read_text())
NAMED = {case["name"]: case for case in CASES}


def of(kind):
    return [pytest.param(case, id=case["name"]) for case in CASES if case["ask"] == kind]


def moment(text):
    return datetime.fromisoformat(text)


def test_every_case_has_a_name_of_its_own_and_a_kind_that_is_run():
    assert len(NAMED) == len(CASES) >= 80
    assert {case["ask"] for case in CASES} == {"problems", "plan", "rings", "next", "doubled"}


@pytest.mark.parametrize("case", of("problems"))
def test_each_field_at_fault_has_its_one_error(case):
    assert problems(case["v"]) == case["problems"]


@pytest.mark.parametrize("case", of("problems"))
def test_the_first_of_them_refuses_the_order(case):
    if not case["problems"]:
        check_order({"v": case["v"]})
        return
    field, code = next(iter(problems(case["v"]).items()))
    with pytest.raises(Invalid) as refused:
        check_order({"v": case["v"]})
    assert (refused.value.field, refused.value.code) == (f"v.{field}" if field else "v", code)


@pytest.mark.parametrize("case", of("plan"))
def test_an_order_plans_what_its_active_version_says(case):
    plan = rules.plan_of(case["doc"])

    if case["plan"] is None:
        assert plan is None
    else:
        assert plan is not None
        assert {group: plan[group] for group in case["plan"]} == case["plan"]


@pytest.mark.parametrize("case", of("rings"))
def test_an_order_rings_when_a_reminder_would(case):
    plan = rules.plan_of({"active": {"v": case["v"]}})
    assert plan is not None
    decode_rule(plan["rule"])

    found = preview(plan["rule"], moment(case["from"]), moment(case["to"]))
    assert [[each["local"], each["at"]] for each in found["occurrences"]] == case["rings"]


@pytest.mark.parametrize("case", of("next"))
def test_as_needed_is_within_the_order_or_says_from_when(case):
    limits = as_needed_of(case["v"])
    assert limits is not None

    found = rules.next_dose(limits, map(moment, case["given"]), moment(case["now"]))
    assert (found.may, found.at, found.left, found.is_last) == (
        case["may"], moment(case["at"]), case["left"], case["is_last"],
    )  # fmt: skip


@pytest.mark.parametrize("case", of("doubled"))
def test_doses_too_soon_or_too_many_are_found_whatever_order_they_arrive_in(case):
    limits = as_needed_of(case["v"])
    assert limits is not None
    given = [rules.Dose(moment(at), at) for at in case["given"]]

    for order in (given, given[::-1]):
        assert rules.doubled(limits, order) == case["doubled"]


def test_a_dose_by_the_clock_that_two_people_gave_was_given_twice():
    assert rules.given_twice(["a@1", "b@1", "a@1", "a@2"]) == {"a@1"}

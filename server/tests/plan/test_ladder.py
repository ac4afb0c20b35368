"""Ladders as people write them: every line of the vectors that the app shares."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from mos.kernel.errors import Invalid
from mos.plan.model.ladder import check_ladder, is_ladders_name

VECTORS = json.loads((Path(__file__).parents[3] / "spec" / "vectors" / "ladder.json").read_text())
WRITTEN = {case["name"]: case for case in VECTORS if "steps" in case}
NAMED = {case["name"]: case for case in VECTORS if "rec" in case}


@pytest.mark.parametrize("name", WRITTEN)
def test_steps_are_taken_or_refused_with_the_place_and_a_code(name):
    case = WRITTEN[name]
    problem = None
    try:
        check_ladder({"steps": case["steps"]})
    except Invalid as refusal:
        problem = {"field": refusal.field, "code": refusal.code}

    assert problem == case["problem"]


@pytest.mark.parametrize("name", NAMED)
def test_a_ladders_record_has_the_name_of_what_it_is_for(name):
    case = NAMED[name]
    space, rec = UUID(case["space"]), UUID(case["rec"])

    assert is_ladders_name(space, rec, {"for": case["for"]})
    others = [other["for"] for other in NAMED.values() if other is not case]
    assert not any(is_ladders_name(space, rec, {"for": other}) for other in others)


@pytest.mark.parametrize("steps", ["all", None, [1], [{"tell": "all", "after": True}]])
def test_what_is_no_list_of_steps_is_refused_too(steps):
    with pytest.raises(Invalid, match=r"step|minutes"):
        check_ladder({"steps": steps})

"""Ladders in JSON: as people write them, exactly; as they are read back, forgivingly."""

from datetime import timedelta
from itertools import pairwise
from typing import Any, get_args
from uuid import UUID

from mos.dispatch.model import Audience, By, Step
from mos.kernel.errors import Invalid

MOST_STEPS = 8
# Half a day each way: what is found a day late is told once and not carried up a ladder.
_FURTHEST = 12 * 60
_BY = frozenset(get_args(By))
_WHOM = "primary, unit, on_call, deciders, all or {account}"


def check_steps(value: object) -> tuple[Step, ...]:
    """Return the steps that somebody wrote. Raises Invalid with the field and a code."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_STEPS:
        raise Invalid(f"a ladder has 1 to {MOST_STEPS} steps", field="steps", code="steps_count")
    steps = tuple(_step(each, f"steps.{n}") for n, each in enumerate(value))
    for n, (first, then) in enumerate(pairwise(steps), start=1):
        if then.after <= first.after:
            raise Invalid(
                "each step comes later than the one before it",
                field=f"steps.{n}.after",
                code="step_order",
            )
    if all(isinstance(step.tell, UUID) or step.tell is Audience.PRIMARY for step in steps):
        raise Invalid(
            "at least one step tells more than one person: the unit, those on call, or all",
            field=f"steps.{len(steps) - 1}.tell",
            code="step_alone",
        )
    return steps


def read_steps(value: object) -> tuple[Step, ...]:
    """Return steps that were stored. One that is not understood tells all: nobody is left out."""
    if not isinstance(value, list):
        return ()
    steps = []
    for each in value:
        try:
            steps.append(_step(each, ""))
        except Invalid:
            after = each.get("after") if isinstance(each, dict) else 0
            minutes = after if isinstance(after, int) and abs(after) <= _FURTHEST else 0
            steps.append(Step(Audience.ALL, timedelta(minutes=minutes)))
    return tuple(sorted(steps, key=lambda step: step.after))


def write_steps(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    """Return steps as JSON has them, `after` in minutes."""
    return [
        {
            "tell": {"account": str(step.tell)} if isinstance(step.tell, UUID) else step.tell.value,
            "after": step.after // timedelta(minutes=1),
        }
        | ({"by": list(step.by)} if step.by else {})
        for step in steps
    ]


def _step(value: object, field: str) -> Step:
    if not isinstance(value, dict) or not value.keys() <= {"tell", "after", "by"}:
        raise Invalid("a step has tell, after and by", field=field, code="step_shape")
    return Step(
        _tell(value.get("tell"), f"{field}.tell"),
        _after(value.get("after"), f"{field}.after"),
        _by(value["by"], f"{field}.by") if "by" in value else (),
    )


def _tell(value: object, field: str) -> Audience | UUID:
    if isinstance(value, str) and value in set(Audience):
        return Audience(value)
    if isinstance(value, dict) and value.keys() == {"account"}:
        try:
            return UUID(str(value["account"]))
        except ValueError:
            pass
    raise Invalid(f"tell is {_WHOM}", field=field, code="step_tell")


def _after(value: object, field: str) -> timedelta:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _FURTHEST:
        raise Invalid(
            f"after is a whole number of minutes, from {-_FURTHEST} to {_FURTHEST}",
            field=field,
            code="step_after",
        )
    return timedelta(minutes=value)


def _by(value: object, field: str) -> tuple[By, ...]:
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(each, str) and each in _BY for each in value)
        or len(set(value)) != len(value)
    ):
        raise Invalid(
            "by is some of push, email, sms, webhook, each once", field=field, code="step_by"
        )
    return tuple(value)

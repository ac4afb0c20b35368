"""The domain of the simulation: collections like the real ones, without what they set in motion."""

from typing import Any

from mos.kernel.errors import Invalid
from mos.ops.sim.reference import Kind
from mos.sync.model import Collection


def _check_title(groups: dict[str, Any]) -> None:
    if not isinstance(groups.get("title", ""), str):
        raise Invalid("A title is text.", field="title")


def _check_nothing(_groups: dict[str, Any]) -> None:
    """Let everything pass."""


def _takes_two(groups: dict[str, Any]) -> bool:
    return groups["v"].get("double") is True


_HANDS = frozenset({"taken", "closed"})

COLLECTIONS = {
    one.name: one
    for one in (
        Collection(name="profile", kind="set", write="plan.edit", check=_check_nothing),
        Collection(name="reminder", kind="set", write="plan.edit", check=_check_title),
        Collection(name="completion", kind="event", write="outcome.record", check=_check_nothing),
        Collection(name="retract", kind="event", write="outcome.record", check=_check_nothing),
        Collection(
            name="alert", kind="set", write="alert.take", check=_check_nothing, people_may=_HANDS
        ),
        Collection(
            name="order",
            kind="safety",
            write="medication.edit",
            confirm="medication.confirm",
            check=_check_nothing,
            second=_takes_two,
        ),
    )
}

KINDS = {
    "profile": Kind("set", "plan.edit"),
    "reminder": Kind("set", "plan.edit", text="title"),
    "completion": Kind("event", "outcome.record"),
    "retract": Kind("event", "outcome.record"),
    "alert": Kind("set", "alert.take", people_may=_HANDS),
    "order": Kind("safety", "medication.edit", confirm="medication.confirm", needs_two="double"),
}

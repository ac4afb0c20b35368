"""The domain of the simulation: collections like the real ones.

Of what those set in motion only this is here: a dose that was given twice is told.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from mos.db import Db
from mos.dispatch import actions as dispatch
from mos.dispatch.model import Answer
from mos.kernel.errors import Invalid
from mos.medication import actions as medication
from mos.ops.sim.reference import Kind
from mos.sync.model import Change, Collection


def _check_title(groups: dict[str, Any]) -> None:
    if not isinstance(groups.get("title", ""), str):
        raise Invalid("A title is text.", field="title")


def _check_nothing(_groups: dict[str, Any]) -> None:
    """Let everything pass."""


def _takes_two(groups: dict[str, Any]) -> bool:
    return groups["v"].get("double") is True


async def _watch_doses(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
    said = [
        (one, one.groups["v"], datetime.fromisoformat(one.groups["v"]["at"])) for one in changes
    ]
    answers = [(one.space, v["occ"], Answer(one.rec, v["st"], at)) for one, v, at in said]
    await dispatch.answer(db, org, answers, now)
    done = [medication.Done(one.space, one.rec, v["occ"], at) for one, v, at in said]
    await medication.watch_doubles(db, org, done, now)


_HANDS = frozenset({"taken", "closed"})

COLLECTIONS = {
    one.name: one
    for one in (
        Collection(name="profile", kind="set", write="plan.edit", check=_check_nothing),
        Collection(name="reminder", kind="set", write="plan.edit", check=_check_title),
        Collection(
            name="completion",
            kind="event",
            write="outcome.record",
            check=_check_nothing,
            applied=_watch_doses,
        ),
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
        Collection(name="allergy", kind="event", write="meals.edit", check=_check_nothing),
        *(
            Collection(
                name=name,
                kind="safety",
                write="meals.edit",
                confirm="meals.edit",
                check=_check_nothing,
            )
            for name in ("allergy_lowering", "texture")
        ),
    )
}

KINDS = {
    "profile": Kind("set", "plan.edit"),
    "reminder": Kind("set", "plan.edit", text="title"),
    "completion": Kind("event", "outcome.record", gives="order"),
    "retract": Kind("event", "outcome.record"),
    "alert": Kind("set", "alert.take", people_may=_HANDS),
    "order": Kind("safety", "medication.edit", confirm="medication.confirm", needs_two="double"),
    "allergy": Kind("event", "meals.edit"),
    "allergy_lowering": Kind("safety", "meals.edit", confirm="meals.edit"),
    "texture": Kind("safety", "meals.edit", confirm="meals.edit"),
}

# The next release: it knows one more collection, and old apps cannot show all of an order.
LATER = COLLECTIONS | {
    "order": replace(COLLECTIONS["order"], min_push=2),
    "later": Collection(name="later", kind="set", write="plan.edit", check=_check_nothing),
}
LATER_KINDS = KINDS | {
    "order": replace(KINDS["order"], min_push=2),
    "later": Kind("set", "plan.edit"),
}

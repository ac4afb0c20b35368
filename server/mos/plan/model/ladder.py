"""A resident's ladder as records hold it: who is told when nobody answers."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from mos.dispatch.model import Ladder
from mos.dispatch.rules import check_steps
from mos.kernel.errors import Invalid
from mos.kernel.ids import named_id
from mos.plan.model.record import shaped

_Category = Annotated[str, Meta(pattern=r"^[a-z_]{1,32}\Z")]


class For(Struct, frozen=True, forbid_unknown_fields=True):
    """What a ladder is for. None is every category, or every criticality."""

    category: _Category | None = None
    criticality: Literal["normal", "important", "critical"] | None = None


class _LadderGroups(Struct, rename={"for_": "for"}, forbid_unknown_fields=True):
    for_: For | UnsetType = UNSET
    steps: Any = UNSET
    deleted: bool | UnsetType = UNSET


def ladder_record(space: UUID, what: For) -> UUID:
    """Return the id of the record that holds a space's ladder for this."""
    return named_id(space, f"ladder/{what.category or '*'}/{what.criticality or '*'}")


def is_ladders_name(space: UUID, rec: UUID, groups: dict[str, Any]) -> bool:
    """Say whether `rec` is the name of what the groups, passed by `check_ladder`, are for."""
    return "for" in groups and rec == ladder_record(space, shaped(groups["for"], For))


def check_ladder(groups: dict[str, Any]) -> None:
    """Pass groups of a ladder that are as docs/records.md has them. Raises Invalid."""
    read = shaped(groups, _LadderGroups)
    if read.steps is not UNSET:
        check_steps(read.steps)


def read_ladder(space: UUID, rec: UUID, doc: dict[str, Any]) -> Ladder | None:
    """Return the ladder that a record holds, without steps where it was taken away.

    None for one whose id is no name, or not that of what it is for: two records can never say two
    things about the same.
    """
    try:
        what = shaped(doc.get("for"), For)
    except Invalid:
        return None
    if ladder_record(space, what) != rec:
        return None
    is_there = doc.get("deleted") is not True and "steps" in doc
    steps = check_steps(doc["steps"]) if is_there else ()
    return Ladder(what.category, what.criticality, steps)

"""A resident's plan as records hold it: reminders and the profile.

What people may write is exact (`check_reminder`, `check_profile`). What is read back is forgiving:
a record that is not whole yet plans nothing, and a word of a later release stays what it is.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from mos.kernel.errors import Invalid
from mos.kernel.zones import is_zone
from mos.plan.model.record import Clock, Day, Minutes, require_order, shaped
from mos.plan.model.rule import Pause, Rule, decode_rule

CRITICALITIES = ("normal", "important", "critical")

_Category = Annotated[str, Meta(pattern=r"^[a-z_]{1,32}\Z")]
_Symbol = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{0,64}\Z")]
# pwa/src/app/sound.ts makes them; an app of an earlier release plays `soft` for one that it lacks.
_Sound = Literal["soft", "bell", "chimes", "bird", "drops", "marimba", "calm", "none"]


class Ring(Struct, frozen=True, forbid_unknown_fields=True):
    """When the devices ring. `before` is in minutes."""

    start: bool = True
    again: bool = True
    before: Annotated[int, Meta(ge=1, le=1440)] | None = None


class Reminder(Struct, frozen=True, kw_only=True):
    """One planned thing, with its rule. `grace` and `minutes` are in minutes."""

    id: UUID
    category: str
    minutes: int
    checkable: bool
    grace: int | None
    criticality: str
    ring: Ring
    rule: Rule


class Profile(Struct, frozen=True):
    """What the plan needs to know of a resident: when everything is silent."""

    pause: tuple[Pause, ...] = ()


# ───────────────────────────────────────────────────────────── what may be written
class _Clip(Struct, forbid_unknown_fields=True):
    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    seconds: Annotated[int, Meta(ge=1, le=30)]


class _ReminderGroups(Struct, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1, max_length=80)] | UnsetType = UNSET
    category: _Category | UnsetType = UNSET
    label: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    symbol: _Symbol | UnsetType = UNSET
    note: Annotated[str, Meta(max_length=400)] | UnsetType = UNSET
    minutes: Minutes | UnsetType = UNSET
    checkable: bool | UnsetType = UNSET
    grace: Minutes | UnsetType | None = UNSET
    criticality: Literal["normal", "important", "critical"] | UnsetType = UNSET
    ring: Ring | UnsetType = UNSET
    rule: Any = UNSET
    clip: _Clip | UnsetType | None = UNSET
    deleted: bool | UnsetType = UNSET


class _Night(Struct, rename={"from_": "from"}, forbid_unknown_fields=True):
    from_: Clock
    to: Clock


class _Parts(Struct, forbid_unknown_fields=True):
    morning: Clock
    day: Clock
    evening: Clock
    night: Clock


class _ProfilePause(Struct, rename={"from_": "from"}, forbid_unknown_fields=True):
    from_: Day
    to: Day | UnsetType = UNSET
    why: Annotated[str, Meta(max_length=80)] = ""


class _ProfileGroups(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=80)] | UnsetType = UNSET
    flat: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    face: _Symbol | UnsetType = UNSET
    zone: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    language: Literal["sv", "en", "fi"] | UnsetType = UNSET
    level: Annotated[int, Meta(ge=1, le=4)] | UnsetType = UNSET
    weekdays: Literal["all", "weekend", "none"] | UnsetType = UNSET
    theme: Literal["auto", "light", "dark"] | UnsetType = UNSET
    night: _Night | UnsetType = UNSET
    parts: _Parts | UnsetType = UNSET
    sound: _Sound | UnsetType = UNSET
    sound_tell: _Sound | UnsetType | None = UNSET
    loudest: Annotated[int, Meta(ge=10, le=100)] | UnsetType = UNSET
    buzz: Literal["none", "short", "long"] | UnsetType = UNSET
    pause: Annotated[list[_ProfilePause], Meta(max_length=1000)] | UnsetType = UNSET


def check_reminder(groups: dict[str, Any]) -> None:
    """Pass groups of a reminder that are as docs/records.md has them. Raises Invalid."""
    read = shaped(groups, _ReminderGroups)
    if read.rule is not UNSET:
        _rule(read.rule)


def is_own_choice(groups: dict[str, Any]) -> bool:
    """Say whether these groups of a profile are a resident's own to choose: a sound that is heard.

    Silence is decided together with somebody who knows what is missed by it.
    """
    return groups.keys() <= {"sound", "sound_tell"} and "none" not in groups.values()


def check_profile(groups: dict[str, Any]) -> None:
    """Pass groups of a profile that are as docs/records.md has them. Raises Invalid."""
    read = shaped(groups, _ProfileGroups)
    if read.zone is not UNSET and not is_zone(read.zone):
        raise Invalid("zone is an IANA time zone, as in Europe/Stockholm", field="zone")
    if read.pause is not UNSET:
        for pause in read.pause:
            if pause.to is not UNSET:
                require_order(pause.from_, pause.to, field="pause")


def _rule(value: object) -> Rule:
    try:
        return decode_rule(value)
    except Invalid as error:
        field = "rule" if error.field in (None, "rule") else f"rule.{error.field}"
        raise Invalid(error.detail, field=field, code=error.code) from error


# ───────────────────────────────────────────────────────────── what is read back
def read_reminder(rec: UUID, doc: dict[str, Any]) -> Reminder | None:
    """Return the reminder that a record holds; None when it is deleted or has no rule to read."""
    if doc.get("deleted") is True or "rule" not in doc:
        return None
    try:
        rule = decode_rule(doc["rule"])
        ring = shaped(doc.get("ring", {}), Ring)
    except Invalid:
        # Accepted once, under other zone files perhaps; the editor shows that it is not read.
        return None
    criticality = doc.get("criticality", "normal")
    return Reminder(
        id=rec,
        category=doc.get("category", "other"),
        minutes=doc.get("minutes", 0),
        checkable=doc.get("checkable", True),
        grace=doc.get("grace"),
        # A level of a later release is taken for the highest that is known here.
        criticality=criticality if criticality in CRITICALITIES else "critical",
        ring=ring,
        rule=rule,
    )


def read_profile(doc: dict[str, Any]) -> Profile:
    """Return what the plan needs of a profile's record."""
    try:
        pauses = shaped({"pause": doc.get("pause", [])}, _ProfileGroups).pause
    except Invalid:
        return Profile()
    if pauses is UNSET:
        return Profile()
    return Profile(
        tuple(Pause(pause.from_, None if pause.to is UNSET else pause.to) for pause in pauses)
    )

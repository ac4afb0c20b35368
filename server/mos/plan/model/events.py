"""What happens in a resident's day, as records hold it: events, and what people do to alerts."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from mos.kernel.errors import Invalid
from mos.plan.model.record import Moment, Occ, Shape, require_order, shaped

Outcome = Literal["done", "partly", "refused", "asleep", "away", "not_available", "held", "other"]
# An alert holds ids, moments and states, which the engine keeps readable as well.
ALERT_CLEAR = frozenset({"what", "step", "taken", "closed"})
_A_DAY = timedelta(days=1)


class Completion(Struct, frozen=True, forbid_unknown_fields=True):
    """An outcome of an occurrence, as somebody recorded it."""

    occ: Occ
    at: Moment
    st: Outcome
    note: Annotated[str, Meta(max_length=400)] = ""
    # Who gave or did it, in the words of whoever wrote it: where no PIN could be checked.
    given_by: Annotated[str, Meta(max_length=100)] = ""
    # Of an order: the version that was shown, and whether it was given as needed.
    ver: UUID | UnsetType = UNSET
    # How much that version said, as it was shown: the order may say another amount by now.
    amount: Annotated[str, Meta(max_length=60)] = ""
    prn: bool = False


class Retract(Struct, frozen=True, forbid_unknown_fields=True):
    """Undo: the event `of` no longer counts."""

    of: UUID
    at: Moment


class Snooze(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody says "Påminn igen": ring again at `until`."""

    occ: Occ
    at: Moment
    until: Moment


class Help(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody should come; of an occurrence, or of nothing planned."""

    at: Moment
    why: Literal["help", "unwilling"]
    occ: Occ | UnsetType = UNSET


class Rang(Struct, frozen=True, forbid_unknown_fields=True):
    """The device did show and ring an occurrence."""

    occ: Occ
    at: Moment
    how: Literal["sound", "silent", "push"]


class Taken(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody says "Jag tar det": until `again_at` nobody else is called.

    `to`: whom they ask to take it instead.
    """

    by: UUID
    at: Moment
    again_at: Moment
    to: UUID | UnsetType = UNSET


class Closed(Struct, frozen=True, forbid_unknown_fields=True):
    """A person closes an alert. The server alone closes for other reasons."""

    at: Moment
    why: Literal["by_hand"]


class AlertGroups(Struct, frozen=True, forbid_unknown_fields=True):
    """What people may set of an alert."""

    taken: Taken | UnsetType | None = UNSET
    closed: Closed | UnsetType | None = UNSET


class _Event(Struct, forbid_unknown_fields=True):
    v: dict[str, Any]


def check_completion(groups: dict[str, Any]) -> None:
    """Pass a completion; whatever is not done needs words that say why. Raises Invalid."""
    completion = _value(groups, Completion)
    if completion.st != "done" and not completion.note.strip():
        raise Invalid(f"the outcome “{completion.st}” needs a note", field="v.note", code="missing")


def check_retract(groups: dict[str, Any]) -> None:
    """Pass a retraction. Raises Invalid."""
    _value(groups, Retract)


def check_snooze(groups: dict[str, Any]) -> None:
    """Pass a snooze of at most a day. Raises Invalid."""
    snooze = _value(groups, Snooze)
    require_order(snooze.at, snooze.until, field="v.until")
    if snooze.until - snooze.at > _A_DAY:
        raise Invalid("a snooze lasts a day at most", field="v.until", code="too_long")


def check_help(groups: dict[str, Any]) -> None:
    """Pass a call for help. Raises Invalid."""
    _value(groups, Help)


def check_rang(groups: dict[str, Any]) -> None:
    """Pass a device's word that it rang. Raises Invalid."""
    _value(groups, Rang)


def check_alert(groups: dict[str, Any]) -> None:
    """Pass what a person does to an alert. Raises Invalid."""
    alert = shaped(groups, AlertGroups)
    if isinstance(alert.taken, Taken):
        require_order(alert.taken.at, alert.taken.again_at, field="taken.again_at")
        if alert.taken.again_at - alert.taken.at > _A_DAY:
            raise Invalid("an alert is taken for a day at most", field="taken.again_at")


def check_conflict(groups: dict[str, Any]) -> None:
    """Refuse whatever a person writes into a conflict: it is resolved, not edited."""
    raise Invalid("a conflict is the server's to write", field=min(groups, default=None))


def _value(groups: dict[str, Any], shape: type[Shape]) -> Shape:
    value = shaped(groups, _Event).v
    try:
        return shaped(value, shape)
    except Invalid as error:
        field = "v" if error.field is None else f"v.{error.field}"
        raise Invalid(error.detail, field=field, code=error.code) from None

"""An order of medicine as its record holds it (docs/records.md), and what is wrong with one.

The app judges alike in pwa/src/medication/order.ts; spec/vectors/order.json holds the two together.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct

from mos.care.rules import TASKS
from mos.kernel.errors import Invalid
from mos.plan.model.rule import Once, Rule, decode_rule

ROUTES = (
    "oral", "sublingual", "inhaled", "nasal", "eye", "ear", "skin", "patch", "rectal", "vaginal",
    "injection", "tube", "other",
)  # fmt: skip

Check = Callable[[Any], str | None]

# What counts as nothing written: the same few characters in both languages.
_BLANK = " \t\r\n\u00a0"
# Text, because a number of a computer's would round: what was ordered is what is shown.
_DOSE = re.compile(r"(0|[1-9][0-9]{0,6})(\.[0-9]{1,4})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z")
_STEP = re.compile(r"PT(?:([0-9]{1,3})H)?(?:([0-9]{1,5})M)?")
_EARLIEST = "1900-01-01"
_A_WEEK = 7 * 24 * 60


class AsNeeded(Struct, frozen=True):
    """What a prescriber allows of a medicine that is taken as needed."""

    min_interval: timedelta
    max_24h: int


# ───────────────────────────────────────────────────────────── what may be written
def problems(v: Any) -> dict[str, str]:
    """Return what is wrong with an order's value: a code for each field at fault, in their order.

    Codes: missing, malformed, unknown, empty, too_long, out_of_range, backwards; a rule's own.
    """
    if not isinstance(v, dict):
        return {"": "malformed"}
    checks = _EVERY | _OF_KIND.get(str(v.get("kind")), {})
    found: dict[str, str] = {}
    for field, check in checks.items():
        code = check(v[field]) if field in v else "missing"
        if code is not None:
            where, _, what = code.rpartition(" ")
            found[f"{field}.{where}" if where else field] = what
    for field, check in _MAY_BE.items():
        code = check(v[field]) if field in v else None
        if code is not None:
            found[field] = code
    found |= {
        str(field)[:40]: "unknown"
        for field in sorted(v)
        if field not in checks and field not in _MAY_BE
    }
    return found | _at_odds(v, found)


def check_order(groups: dict[str, Any]) -> None:
    """Pass the value of an order. Raises Invalid for the first field at fault."""
    for field, code in problems(groups.get("v")).items():
        place = f"v.{field}" if field else "v"
        raise Invalid(f"{place} is {code.replace('_', ' ')}", field=place, code=code)


def needs_second(groups: dict[str, Any]) -> bool:
    """Say whether a change of this order is two people's to make."""
    v = groups.get("v")
    return isinstance(v, dict) and v.get("double") is True


def _at_odds(v: dict[str, Any], found: dict[str, str]) -> dict[str, str]:
    """Return what only two fields together can get wrong."""
    odds: dict[str, str] = {}
    if "from" in found or "from" not in v:
        return odds
    if "until" not in found and v.get("until") is not None and v["until"] < v["from"]:
        odds["until"] = "backwards"
    if v.get("kind") == "times" and not any(field.partition(".")[0] == "rule" for field in found):
        rule = decode_rule(v["rule"])
        # Otherwise what "every other week" counts from would move with the order.
        if _first_day(rule).isoformat() < v["from"]:
            odds["rule.at" if isinstance(rule, Once) else "rule.start"] = "backwards"
    return odds


def _first_day(rule: Rule) -> date:
    return rule.day if isinstance(rule, Once) else rule.start


def _text(least: int, most: int) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "malformed"
        if least and not value.strip(_BLANK):
            return "empty"
        return "too_long" if len(value) > most else None

    return check


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> str | None:
        # True is an int to Python.
        if type(value) is not int:
            return "malformed"
        return None if least <= value <= most else "out_of_range"

    return check


def _or_null(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _one_of(words: tuple[str, ...]) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "malformed"
        return None if value in words else "unknown"

    return check


def _yes_or_no(value: Any) -> str | None:
    return None if isinstance(value, bool) else "malformed"


def _dose(value: Any) -> str | None:
    if not isinstance(value, str) or not _DOSE.fullmatch(value):
        return "malformed"
    return None if value.strip("0.") else "out_of_range"


def _day(value: Any) -> str | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value) or value < _EARLIEST:
        return "malformed"
    try:
        date.fromisoformat(value)
    except ValueError:
        return "malformed"
    return None


def _interval(value: Any) -> str | None:
    minutes = interval_minutes(value)
    if minutes is None:
        return "malformed"
    return None if 0 < minutes <= _A_WEEK else "out_of_range"


def interval_minutes(value: Any) -> int | None:
    """Return the minutes of `PT4H30M`, or None for what is no such time."""
    found = _STEP.fullmatch(value) if isinstance(value, str) else None
    if found is None or found.group(1, 2) == (None, None):
        return None
    return int(found[1] or 0) * 60 + int(found[2] or 0)


def _rule(value: Any) -> str | None:
    try:
        decode_rule(value)
    except Invalid as error:
        field = "" if error.field in (None, "rule") else str(error.field)
        return f"{field} {error.code}"
    return None


def _stopped(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "malformed"
    for field, check in (("at", _moment), ("why", _text(1, 200))):
        code = check(value[field]) if field in value else "missing"
        if code is not None:
            return f"{field} {code}"
    extra = sorted(value.keys() - {"at", "why"})
    return f"{extra[0][:40]} unknown" if extra else None


def _moment(value: Any) -> str | None:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return "malformed"
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return "malformed"
    return None


_EVERY: dict[str, Check] = {
    "drug": _text(1, 120),
    "strength": _text(0, 60),
    "form": _text(0, 60),
    "dose": _dose,
    "unit": _text(1, 30),
    "route": _one_of(ROUTES),
    "kind": _one_of(("times", "as_needed")),
    "from": _day,
    "until": _or_null(_day),
    "prescriber": _text(0, 120),
    "text": _text(0, 400),
    "double": _yes_or_no,
    "critical": _yes_or_no,
    "window": _or_null(_whole(0, 1440)),
    "stopped": _or_null(_stopped),
}
# What an order of before does not have.
_MAY_BE: dict[str, Check] = {
    # Which delegation somebody without a licence needs to give it; None: none.
    "delegation": _or_null(_one_of(TASKS)),
}
_OF_KIND: dict[str, dict[str, Check]] = {
    "times": {"rule": _rule},
    "as_needed": {
        "why_needed": _text(1, 200),
        "min_interval": _interval,
        "max_24h": _whole(1, 96),
        "follow_up": _or_null(_whole(1, 1440)),
    },
}


# ───────────────────────────────────────────────────────────── what is read back
def active_of(doc: dict[str, Any]) -> dict[str, Any] | None:
    """Return the value of an order that holds now; None where nothing was ever confirmed."""
    active = doc.get("active")
    value = active.get("v") if isinstance(active, dict) else None
    return value if isinstance(value, dict) else None


def delegation_of(v: dict[str, Any]) -> str | None:
    """Return which delegation an order asks of whoever gives it; None for none."""
    task = v.get("delegation")
    return task if isinstance(task, str) else None


def as_needed_of(v: dict[str, Any]) -> AsNeeded | None:
    """Return the limits of an order that is given as needed; None for any other."""
    minutes, most = interval_minutes(v.get("min_interval")), v.get("max_24h")
    if v.get("kind") != "as_needed" or minutes is None or not isinstance(most, int):
        return None
    return AsNeeded(timedelta(minutes=minutes), most)

"""From an order to the reminder that rings for it. Pure.

The app reads alike: pwa/src/medication/order.ts, spec/vectors/order.json.
"""

from itertools import pairwise
from typing import Any, assert_never

from mos.kernel.errors import Invalid
from mos.medication.model import active_of
from mos.plan.model.rule import Interval, Once, Recurring, Rule, Weekly, decode_rule

_DAY_MINUTES = 24 * 60
# In minutes, the usual windows round a scheduled dose: what is critical as to time; once a day or
# less; more often, down to every fourth hour; beyond that a quarter of the time between two.
_CRITICAL = 30
_DAILY = 120
_OFTEN = 60
_OFTEN_FROM = 240


def plan_of(doc: dict[str, Any]) -> dict[str, Any] | None:
    """Return the groups of the reminder that an order's record plans (docs/records.md), or None.

    Only the active value counts. None: nothing is active, it was stopped, it ended before it began,
    it is given as needed, or its rule cannot be read.
    """
    v = active_of(doc)
    if v is None or v.get("kind") != "times" or v.get("stopped") is not None:
        return None
    try:
        rule = decode_rule(v.get("rule"))
    except Invalid:
        # Accepted once, under other zone files perhaps; the screens show that it is not read.
        return None
    until, value = v.get("until"), dict(v["rule"])
    if until is not None:
        last = value["at"][:10] if isinstance(rule, Once) else value["start"]
        if until < last:
            return None
        if not isinstance(rule, Once):
            value["end"] = min(until, value.get("end", until))
    critical = v.get("critical") is True
    window = v.get("window")
    return {
        "title": f"{v.get('drug', '')} {v.get('strength', '')}".strip(),
        "category": "medication",
        "label": "",
        "symbol": "pill",
        "note": ". ".join(part for part in (_dose(v), v.get("text", "")) if part),
        "minutes": 0,
        "checkable": True,
        "grace": usual_window(rule, critical=critical) if window is None else window,
        "criticality": "critical" if critical else "important",
        "ring": {"start": True, "again": True, "before": None},
        "rule": value,
    }


def _dose(v: dict[str, Any]) -> str:
    return f"{v.get('dose', '')} {v.get('unit', '')}".strip()


def usual_window(rule: Rule, *, critical: bool) -> int:
    """Return how many minutes late a dose may be where the order does not say."""
    if critical:
        return _CRITICAL
    between = _between(rule)
    if between >= _DAY_MINUTES:
        return _DAILY
    return _OFTEN if between >= _OFTEN_FROM else max(between // 4, 1)


def _between(rule: Rule) -> int:
    """Return the shortest time between two doses by the clock, in minutes; a day at the most."""
    match rule:
        case Once():
            return _DAY_MINUTES
        case Interval():
            return _DAY_MINUTES if rule.from_minute == rule.to_minute else rule.every
        case Weekly() | Recurring():
            minutes = sorted(rule.minutes)
            return min(b - a for a, b in pairwise([*minutes, minutes[0] + _DAY_MINUTES]))
        case _:
            assert_never(rule)

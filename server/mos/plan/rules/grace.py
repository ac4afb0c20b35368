"""When an unanswered occurrence counts as missed. Pure.

The app counts alike: spec/vectors/grace.json.
"""

# Minutes from the start, by category.
_USUAL = {"meal": 60}
_OTHERWISE = 30
# Nobody is late with a walk before the walk is over: a quarter after its end at the earliest.
_AFTER_END = 15


def grace_minutes(*, category: str, criticality: str, minutes: int, grace: int | None) -> int:
    """Return the minutes from the scheduled start until an occurrence counts as missed.

    `minutes` is how long it lasts, `grace` the reminder's own number if it has one. What a snooze
    does to it belongs to the engine (mos.dispatch.rules.snoozed).
    """
    if grace is not None:
        return grace
    usual = _USUAL.get(category, _OTHERWISE)
    if criticality == "critical":
        return usual // 2
    return usual if minutes == 0 else max(usual, minutes + _AFTER_END)

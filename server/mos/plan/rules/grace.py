"""When an unanswered occurrence counts as missed. Pure.

The app counts alike: spec/vectors/grace.json.
"""

# Minutes from the start, by category.
_USUAL = {"meal": 60}
_OTHERWISE = 30
# Nobody is late with a walk before the walk is over: a quarter after its end at the earliest.
_AFTER_END = 15


def grace_minutes(
    *, category: str, criticality: str, minutes: int, grace: int | None, snoozed: int | None
) -> int:
    """Return the minutes from the scheduled start until an occurrence counts as missed.

    `minutes` is how long it lasts, `grace` the reminder's own number if it has one, `snoozed` how
    many minutes after the start the latest "Påminn igen" rings, if there is one.
    """
    own = grace if grace is not None else _usual(category, criticality, minutes)
    # Waiting is the resident's right, but never at the price of what is critical.
    if criticality == "critical" or snoozed is None:
        return own
    return max(snoozed, 0) + own


def _usual(category: str, criticality: str, minutes: int) -> int:
    usual = _USUAL.get(category, _OTHERWISE)
    if criticality == "critical":
        return usual // 2
    return usual if minutes == 0 else max(usual, minutes + _AFTER_END)

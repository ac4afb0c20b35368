"""How much an alert weighs: what people choose by when they are told beside their devices."""

from typing import Literal

Weight = Literal["normal", "important", "critical"]

# Somebody asks for help, something critical is not done, something may have been given twice.
_CRITICAL = frozenset({"critical", "help", "double"})
_IMPORTANT = frozenset({"important", "conflict", "silent", "unentitled"})


def weight(ladder: str, criticality: str) -> Weight:
    """Return how much an alert weighs that walks this ladder, about what is of this criticality."""
    if ladder in _CRITICAL or criticality == "critical":
        return "critical"
    return "important" if ladder in _IMPORTANT else "normal"

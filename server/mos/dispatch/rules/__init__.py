"""Decisions about what is due. Pure: no await, no clock, no database.

Two machines walk side by side. An occurrence rings for the resident until it is answered or its
grace ends; an alert tells supporters, wider at each step, until somebody takes it or it is closed.
Each looks at what is true now and says what comes next and when to look again, so that one look
catches up with a stop of any length.
"""

from mos.dispatch.rules.alerts import walk
from mos.dispatch.rules.as_people_act import answered, snoozed, told, unsnoozed
from mos.dispatch.rules.as_plans_change import replanned
from mos.dispatch.rules.as_time_passes import born, late_at, look, over_at
from mos.dispatch.rules.ladders import LADDERS, RINGS, SILENT_AFTER, STALE_AFTER, Step
from mos.dispatch.rules.transitions import TRANSITIONS, after

__all__ = [
    "LADDERS",
    "RINGS",
    "SILENT_AFTER",
    "STALE_AFTER",
    "TRANSITIONS",
    "Step",
    "after",
    "answered",
    "born",
    "late_at",
    "look",
    "over_at",
    "replanned",
    "snoozed",
    "told",
    "unsnoozed",
    "walk",
]

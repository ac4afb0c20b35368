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
from mos.dispatch.rules.audience import NotTold, is_quiet, why_not
from mos.dispatch.rules.audience import told as told_by
from mos.dispatch.rules.choice import NONE_CHOSEN, Ladders, chosen_of, is_critical, ladder_for, safe
from mos.dispatch.rules.forecast import step_times
from mos.dispatch.rules.ladders import LADDERS, RINGS, SILENT_AFTER, STALE_AFTER
from mos.dispatch.rules.silence import asks_for_signs
from mos.dispatch.rules.transitions import MOVES, TRANSITIONS, after
from mos.dispatch.rules.weights import Weight, weight
from mos.dispatch.rules.written import check_steps, read_steps, write_steps

__all__ = [
    "LADDERS",
    "MOVES",
    "NONE_CHOSEN",
    "RINGS",
    "SILENT_AFTER",
    "STALE_AFTER",
    "TRANSITIONS",
    "Ladders",
    "NotTold",
    "Weight",
    "after",
    "answered",
    "asks_for_signs",
    "born",
    "check_steps",
    "chosen_of",
    "is_critical",
    "is_quiet",
    "ladder_for",
    "late_at",
    "look",
    "over_at",
    "read_steps",
    "replanned",
    "safe",
    "snoozed",
    "step_times",
    "told",
    "told_by",
    "unsnoozed",
    "walk",
    "weight",
    "why_not",
    "write_steps",
]

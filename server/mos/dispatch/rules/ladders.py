"""When devices ring and supporters are told, in numbers."""

from datetime import timedelta

from mos.dispatch.model import Audience, Step


def _minutes(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


# When the resident's devices ring, from the start. Only the first of them without `ring.again`.
RINGS: dict[str, tuple[timedelta, ...]] = {
    "normal": (_minutes(0), _minutes(5), _minutes(10)),
    "important": (_minutes(0), _minutes(5), _minutes(10)),
    "critical": (_minutes(0), _minutes(5)),
}

# What MOS does where nobody has chosen otherwise (mos.dispatch.rules.choice).
# With the usual grace of 30 minutes (critical: 15) a supporter hears after 15, 30, 60 (10, 15, 30).
# Counted from the end of the grace, because it says when waiting becomes wrong: nobody is called
# about a walk of an hour before that hour is over.
LADDERS: dict[str, tuple[Step, ...]] = {
    "normal": (
        Step(Audience.PRIMARY, _minutes(-15)),
        Step(Audience.UNIT, _minutes(0)),
        Step(Audience.ALL, _minutes(30)),
    ),
    "important": (
        Step(Audience.PRIMARY, _minutes(-15)),
        Step(Audience.UNIT, _minutes(0)),
        Step(Audience.ALL, _minutes(30)),
    ),
    "critical": (
        Step(Audience.PRIMARY, _minutes(-5)),
        Step(Audience.UNIT, _minutes(0)),
        Step(Audience.ALL, _minutes(15)),
    ),
    "help": (Step(Audience.UNIT, _minutes(0)), Step(Audience.ALL, _minutes(5))),
    # Two versions wait for a person, and nothing changes meanwhile: half an hour is long.
    "conflict": (Step(Audience.DECIDERS, _minutes(0)), Step(Audience.ALL, _minutes(30))),
    # Something may have been given twice.
    "double": (Step(Audience.UNIT, _minutes(0)), Step(Audience.ALL, _minutes(15))),
    # A dose was given by somebody who might not: nobody is in danger by that alone.
    "unentitled": (Step(Audience.DECIDERS, _minutes(0)),),
    "silent": (Step(Audience.PRIMARY, _minutes(0)), Step(Audience.UNIT, _minutes(15))),
}

# What rings still when it is found past its grace after a stop, while it is at most once more the
# grace late. A meal or a walk that is over is told to supporters alone; a dose may be given yet.
RINGS_LATE = frozenset({"medication"})
# A device that has said nothing for this long while something rings is silent.
SILENT_AFTER = timedelta(minutes=2)
# A device that was told, or should have been, and sends no heartbeat for this long is silent.
UNHEARD_AFTER = timedelta(minutes=15)
# What is older than this when it is found is told once and not carried up the ladder.
STALE_AFTER = timedelta(days=1)

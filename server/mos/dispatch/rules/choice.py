"""Which ladder holds: the resident's own, the organisation's, or MOS's."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from mos.dispatch.model import Alert, Audience, Ladder, Occurrence, Step
from mos.dispatch.rules.ladders import LADDERS, RINGS
from mos.dispatch.rules.weights import weight


class Ladders:
    """The ladders that people chose, for the spaces of one batch."""

    def __init__(
        self,
        own: Mapping[UUID, Sequence[Ladder]],
        templates: Mapping[UUID, Sequence[Ladder]],
    ) -> None:
        """Take the residents' own by space, and the organisations' templates by organisation."""
        self.own = own
        self.templates = templates

    def of_occurrence(self, occurrence: Occurrence) -> tuple[Step, ...]:
        """Return the steps by which supporters are told of an occurrence."""
        return self.of(
            occurrence.org, occurrence.space, occurrence.category, occurrence.criticality
        )

    def of_alert(self, alert: Alert) -> tuple[Step, ...]:
        """Return the steps of an alert. Only what is late or missed has ladders to choose."""
        if alert.ladder not in RINGS:
            return safe(LADDERS[alert.ladder], alert.criticality)
        return self.of(alert.org, alert.space, alert.category, alert.ladder)

    def of(self, org: UUID, space: UUID, category: str, criticality: str) -> tuple[Step, ...]:
        """Return the steps for what is of this category and criticality."""
        return ladder_for(
            self.own.get(space, ()), self.templates.get(org, ()), category, criticality
        )


NONE_CHOSEN = Ladders({}, {})


def ladder_for(
    own: Iterable[Ladder], templates: Iterable[Ladder], category: str, criticality: str
) -> tuple[Step, ...]:
    """Return the most specific steps: the resident's own, then the organisation's, then MOS's.

    Whatever they say, the last step of what is critical reaches all.
    """
    chosen = chosen_of(own, category, criticality) or chosen_of(templates, category, criticality)
    return LADDERS[criticality] if chosen is None else safe(chosen.steps, criticality)


def chosen_of(ladders: Iterable[Ladder], category: str, criticality: str) -> Ladder | None:
    """Return the most specific of ladders that are for this; None where none is."""
    fitting = [ladder for ladder in ladders if _fits(ladder, category, criticality)]
    return max(fitting, key=_specific, default=None)


def is_critical(alert: Alert) -> bool:
    """Say whether quiet hours mean nothing for an alert."""
    return weight(alert.ladder, alert.criticality) == "critical"


def _fits(ladder: Ladder, category: str, criticality: str) -> bool:
    return (
        bool(ladder.steps)
        and ladder.category in (None, category)
        and ladder.criticality in (None, criticality)
    )


def _specific(ladder: Ladder) -> tuple[bool, bool]:
    return ladder.category is not None, ladder.criticality is not None


def safe(steps: tuple[Step, ...], criticality: str) -> tuple[Step, ...]:
    """Return steps that end with everybody where the matter is critical."""
    last = steps[-1]
    if criticality != "critical" or last.tell is Audience.ALL:
        return steps
    return (*steps[:-1], replace(last, tell=Audience.ALL))

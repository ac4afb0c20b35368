"""Whom a step of the supporters' ladder tells, and why the others are not told."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from mos.dispatch.model import Audience, By, Person, Step, Told
from mos.kernel.zones import wall_time


class NotTold(StrEnum):
    """Why somebody who may take alerts is not told at a step."""

    LATER = "later"  # a later step tells them, or none: of one "on call", they have no duty then
    QUIET = "quiet"  # their quiet hours, and it is not critical
    NO_CHANNEL = "no_channel"  # nothing reaches them: no device, no address
    NO_SIGHT = "no_sight"  # it is about medication, which they may not see


def told(steps: Sequence[Step], people: Sequence[Person], *, critical: bool) -> list[Told]:
    """Return whom the last of `steps` tells: its own people, and those of the steps before it.

    Nobody is told who may not see it. In quiet hours somebody without duty is left out of what is
    not critical, unless the step would then reach nobody.
    """
    if not steps:
        return []
    now = steps[-1]
    own = _audience(now.tell, people)
    called = {person.account: person for step in steps for person in _audience(step.tell, people)}
    if not critical:
        asleep = {account for account, person in called.items() if _rests(person)}
        if not any(person.channels and person.account not in asleep for person in own):
            asleep -= {person.account for person in own}
        called = {name: person for name, person in called.items() if name not in asleep}
    return [Told(name, _by(now, person)) for name, person in sorted(called.items())]


def why_not(person: Person, *, is_meant: bool) -> NotTold:
    """Say why a step does not tell somebody who is not among those that `told` names.

    `is_meant`: it would, were it critical.
    """
    if not person.sees:
        return NotTold.NO_SIGHT
    if not person.channels:
        return NotTold.NO_CHANNEL
    return NotTold.QUIET if is_meant else NotTold.LATER


def is_quiet(from_: str | None, to: str | None, zone: str | None, now: datetime) -> bool:
    """Say whether `now` lies in quiet hours, wall times `HH:MM` in a zone; `to` is excluded.

    They may cross midnight. The same time twice is no quiet hours at all.
    """
    if from_ is None or to is None or zone is None or from_ == to:
        return False
    clock = wall_time(now, zone).partition("T")[2]
    return from_ <= clock < to if from_ < to else clock >= from_ or clock < to


def _audience(tell: Audience | UUID, people: Sequence[Person]) -> list[Person]:
    """Return an audience. Where it has nobody whom anything reaches, a wider one stands in."""
    able = [person for person in people if person.sees]
    for audience in _wider(tell):
        found = [person for person in able if _belongs(person, audience)]
        if any(person.channels for person in found):
            if audience is Audience.UNIT:
                # Whoever is somebody's contact person hears whatever the unit hears.
                found += [each for each in able if each.is_primary and not each.covers_unit]
            return found
    return able


def _wider(tell: Audience | UUID) -> tuple[Audience | UUID, ...]:
    match tell:
        case Audience.ALL:
            return ()
        case Audience.UNIT | Audience.DECIDERS:
            return (tell,)
        case _:
            return (tell, Audience.UNIT)


def _belongs(person: Person, audience: Audience | UUID) -> bool:
    match audience:
        case Audience.PRIMARY:
            return person.is_primary
        case Audience.UNIT:
            return person.covers_unit
        case Audience.ON_CALL:
            return person.on_duty
        case Audience.DECIDERS:
            return person.decides
        case Audience.ALL:
            return True
        case account:
            return person.account == account


def _rests(person: Person) -> bool:
    return person.is_quiet and not person.on_duty


def _by(step: Step, person: Person) -> tuple[By, ...]:
    return tuple(by for by in step.by if by in person.channels)

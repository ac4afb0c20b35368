"""When a resident's devices count as silent. Pure."""

from collections.abc import Iterable
from datetime import datetime

from mos.dispatch.model import Occurrence, Sign
from mos.dispatch.rules.ladders import UNHEARD_AFTER


def asks_for_signs(occurrence: Occurrence, now: datetime) -> bool:
    """Say whether it has come to be asked of an occurrence's devices whether they are alive."""
    silent_at = occurrence.silent_at
    return silent_at is not None and silent_at <= now and occurrence.told_at is not None


def unheard_from(occurrence: Occurrence, signs: Iterable[Sign]) -> datetime | None:
    """Return the moment at which all devices that should ring for an occurrence are silent.

    That a push service took a message says nothing of the device. One in kiosk mode is heard of
    all the time; another may be closed, and is asked for no more than one word since the start.
    None: they are not, or nothing is known.
    """
    moments = [_unheard_from(occurrence, sign) for sign in signs]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None


def _unheard_from(occurrence: Occurrence, sign: Sign) -> datetime | None:
    if sign.kiosk:
        return sign.beat_at + UNHEARD_AFTER
    if sign.rang or sign.beat_at >= occurrence.from_at:
        return None
    return occurrence.from_at + UNHEARD_AFTER

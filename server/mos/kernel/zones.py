"""Wall time and instants: the one place where the first becomes the second.

A plan is wall time in a zone, an event is an instant. A wall time is a date and a minute of that
day. Zones are IANA names; what is known of them comes from the machine's zone files, or from the
`tzdata` wheel where the machine has none.
"""

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

# IANA's spelling, which leaves out the files that are no places: posixrules, localtime, right/….
_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*")
_SECOND = timedelta(seconds=1)
# "Factory" is what IANA gives a machine that nobody has set.
_NO_PLACE = "Factory"


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def is_zone(name: str) -> bool:
    """Return True for an IANA zone that this machine knows, spelt as IANA spells it."""
    if name == _NO_PLACE or not _NAME.fullmatch(name):
        return False
    try:
        _zone(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
        return False
    return True


def instant_of(day: date, minute: int, zone: str) -> datetime:
    """Return the instant, in UTC, of `minute` minutes after midnight on `day` in `zone`.

    A wall time that is skipped gives the first instant after the gap; a repeated one its first.
    """
    rules = _zone(zone)
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=rules)
    # Outside a change of the clocks both readings are one; in a gap the later one has the larger
    # offset, and the two stand on either side of the change (PEP 495).
    later = wall.replace(fold=1)
    if _offset(wall) < _offset(later):
        return _turn(later.astimezone(UTC), wall.astimezone(UTC), rules)
    return wall.astimezone(UTC)


def wall_time(at: datetime, zone: str) -> str:
    """Return what a clock on the wall in `zone` shows at the instant: `2026-11-27T08:00`."""
    return at.astimezone(_zone(zone)).isoformat()[:16]


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


def _turn(still: datetime, changed: datetime, zone: ZoneInfo) -> datetime:
    """Return the second at which the offset of `still` gives way to that of `changed`."""
    old = _offset(still.astimezone(zone))
    while changed - still > _SECOND:
        middle = still + timedelta(seconds=(changed - still) // _SECOND // 2)
        if _offset(middle.astimezone(zone)) == old:
            still = middle
        else:
            changed = middle
    return changed


class ZoneRelease(Struct, frozen=True):
    """Which edition of the time-zone rules this process uses, such as 2026b, and where it is."""

    name: str
    source: Literal["system", "wheel"]
    path: str


# Every machine with zone files has this one.
_PROBE = "Etc/UTC"


@cache
def zone_release() -> ZoneRelease:
    """Return the release in use: Python takes the system's files before the wheel's.

    Its name is "unknown" where the system's files do not say it.
    """
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / _PROBE).is_file():
            return ZoneRelease(_release_of(folder), "system", str(folder))
    return ZoneRelease(str(import_module("tzdata").IANA_VERSION), "wheel", "tzdata")


def _release_of(folder: Path) -> str:
    """Read the name from the text file that IANA ships beside the zones (`# version 2026b`)."""
    for name in ("tzdata.zi", "+VERSION"):
        file = folder / name
        if file.is_file():
            with file.open(encoding="ascii", errors="replace") as lines:
                return lines.readline().removeprefix("# version").strip() or "unknown"
    return "unknown"

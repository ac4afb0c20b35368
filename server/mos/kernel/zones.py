"""Wall time and instants: the one place where the first becomes the second.

A plan is wall time in a zone, an event is an instant. A wall time is a date and a minute of that
day. Zones are IANA names; what is known of them comes from the `tzdata` wheel, or from the
machine's own zone files where those are newer. `zone` is the only way to one: Python by itself
takes whatever files the machine has, however old.
"""

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzdata  # type: ignore[import-untyped]  # it holds files alone
from msgspec import Struct

# IANA's spelling, which leaves out the files that are no places: posixrules, localtime, right/….
_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*")
_SECOND = timedelta(seconds=1)
# "Factory" is what IANA gives a machine that nobody has set.
_NO_PLACE = "Factory"


@cache
def zone(name: str) -> ZoneInfo:
    """Return an IANA zone, spelt as IANA spells it; raises ZoneInfoNotFoundError."""
    if name == _NO_PLACE or not _NAME.fullmatch(name):
        raise ZoneInfoNotFoundError("This is not the name of a zone.")
    release = zone_release()
    folder = _WHEEL if release.source == "wheel" else Path(release.path)
    try:
        with folder.joinpath(*name.split("/")).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError) as error:
        raise ZoneInfoNotFoundError("There is no such zone.") from error


def is_zone(name: str) -> bool:
    """Return True for an IANA zone that this release knows, spelt as IANA spells it."""
    try:
        zone(name)
    except ZoneInfoNotFoundError:
        return False
    return True


def instant_of(day: date, minute: int, name: str) -> datetime:
    """Return the instant, in UTC, of `minute` minutes after midnight on `day` in the zone `name`.

    A wall time that is skipped gives the first instant after the gap; a repeated one its first.
    """
    rules = zone(name)
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=rules)
    # Outside a change of the clocks both readings are one; in a gap the later one has the larger
    # offset, and the two stand on either side of the change (PEP 495).
    later = wall.replace(fold=1)
    if _offset(wall) < _offset(later):
        return _turn(later.astimezone(UTC), wall.astimezone(UTC), rules)
    return wall.astimezone(UTC)


def wall_time(at: datetime, name: str) -> str:
    """Return what a clock on the wall in the zone shows at the instant: `2026-11-27T08:00`."""
    return at.astimezone(zone(name)).isoformat()[:16]


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


def _turn(still: datetime, changed: datetime, rules: ZoneInfo) -> datetime:
    """Return the second at which the offset of `still` gives way to that of `changed`."""
    old = _offset(still.astimezone(rules))
    while changed - still > _SECOND:
        middle = still + timedelta(seconds=(changed - still) // _SECOND // 2)
        if _offset(middle.astimezone(rules)) == old:
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
_WHEEL = resources.files(tzdata) / "zoneinfo"
_RELEASE = re.compile(r"(\d{4})([a-z]+)")


@cache
def zone_release() -> ZoneRelease:
    """Return the release in use: the wheel's, unless the system's files say that they are newer."""
    wheel = ZoneRelease(tzdata.IANA_VERSION, "wheel", "tzdata")
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / _PROBE).is_file():
            system = ZoneRelease(_release_of(folder), "system", str(folder))
            return system if _age(system.name) > _age(wheel.name) else wheel
    return wheel


def _age(release: str) -> tuple[int, int, str]:
    """Return what releases are ordered by: 2026z, 2026za; one without a name is older than all."""
    match = _RELEASE.fullmatch(release)
    return (int(match[1]), len(match[2]), match[2]) if match else (0, 0, "")


def _release_of(folder: Path) -> str:
    """Read the name from the text file that IANA ships beside the zones (`# version 2026b`)."""
    for name in ("tzdata.zi", "+VERSION"):
        file = folder / name
        if file.is_file():
            with file.open(encoding="ascii", errors="replace") as lines:
                return lines.readline().removeprefix("# version").strip() or "unknown"
    return "unknown"

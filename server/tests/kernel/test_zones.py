"""Wall time and instants, and which edition of the zones is in use."""

import re
import zoneinfo
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path

import pytest
import tzdata

import mos
from mos.kernel import zones
from mos.kernel.zones import instant_of, is_zone, wall_time, zone, zone_release

_WHEEL = resources.files(tzdata) / "zoneinfo"


@pytest.fixture
def release():
    """The release, asked for anew."""
    for each in (zone_release, zone):
        each.cache_clear()
    yield zone_release
    for each in (zone_release, zone):
        each.cache_clear()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "minute", "place", "instant"),
    [
        (date(2026, 11, 27), 8 * 60, "Europe/Stockholm", "2026-11-27T07:00"),
        (date(2026, 3, 29), 2 * 60 + 30, "Europe/Stockholm", "2026-03-29T01:00"),
        (date(2026, 10, 25), 2 * 60 + 30, "Europe/Stockholm", "2026-10-25T00:30"),
        (date(2026, 10, 4), 2 * 60 + 15, "Australia/Lord_Howe", "2026-10-03T15:30"),
        (date(2011, 12, 30), 8 * 60, "Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_a_wall_time_has_one_instant_also_in_the_nights_when_clocks_change(
    day, minute, place, instant
):
    assert instant_of(day, minute, place) == at(instant)


def test_the_wall_shows_the_repeated_hour_twice():
    assert wall_time(at("2026-10-25T00:30"), "Europe/Stockholm") == "2026-10-25T02:30"
    assert wall_time(at("2026-10-25T01:30"), "Europe/Stockholm") == "2026-10-25T02:30"


@pytest.mark.parametrize("name", ["Europe/Stockholm", "UTC", "Asia/Calcutta", "Etc/GMT+5"])
def test_a_zone_is_known_by_its_name(name):
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    [
        *["", "Europe", "europe/stockholm", "+01:00", "PST", "Factory", "localtime", "posixrules"],
        *["../etc/passwd", "/etc/localtime", "right/Europe/Stockholm", "Europe/\0", "A" * 100_000],
    ],
)
def test_what_is_no_place_is_no_zone(name):
    assert not is_zone(name)


def _system(folder, monkeypatch, release):
    """Let the system's zone files be in `folder`, and call themselves `release`."""
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(folder),))
    places = {"Etc/UTC": "UTC", "Europe/Stockholm": "Asia/Tokyo"}
    for name, like in places.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((_WHEEL / like).read_bytes())
    if release:
        (folder / "tzdata.zi").write_text(f"# version {release}\n# more")


@pytest.mark.parametrize("name", ["2931c", "2026za", "2027a"])
def test_newer_files_of_the_system_are_used(release, tmp_path, monkeypatch, name):
    monkeypatch.setattr("tzdata.IANA_VERSION", "2026z")
    _system(tmp_path, monkeypatch, name)

    assert release() == zones.ZoneRelease(name, "system", str(tmp_path))
    # They say so themselves: here, Stockholm keeps Tokyo's time.
    assert instant_of(date(2026, 11, 27), 8 * 60, "Europe/Stockholm") == at("2026-11-26T23:00")


@pytest.mark.parametrize("name", ["2025b", "2026z", "2026y", "1999zz", "", "unknown", "2099"])
def test_files_that_are_not_newer_are_not_used(release, tmp_path, monkeypatch, name):
    monkeypatch.setattr("tzdata.IANA_VERSION", "2026z")
    _system(tmp_path, monkeypatch, name)

    assert release() == zones.ZoneRelease("2026z", "wheel", "tzdata")
    assert instant_of(date(2026, 11, 27), 8 * 60, "Europe/Stockholm") == at("2026-11-27T07:00")


def test_without_files_of_the_system_the_wheel_is_used(release, monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", ())

    assert release() == zones.ZoneRelease(tzdata.IANA_VERSION, "wheel", "tzdata")


def test_there_is_one_way_to_a_zone():
    """Python's own constructor takes whatever files the machine has."""
    package = Path(mos.__file__).parent
    others = [
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if re.search(r"\bZoneInfo\(", file.read_text(encoding="utf-8"))
    ]

    assert others == []


def test_every_zone_of_the_release_can_be_read():
    names = (resources.files(tzdata) / "zones").read_text().split()

    assert len(names) > 400
    assert [name for name in names if not is_zone(name)] == ["Factory"]

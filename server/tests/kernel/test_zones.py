"""Wall time and instants, and which edition of the zones is in use."""

import zoneinfo
from datetime import UTC, date, datetime

import pytest

from mos.kernel import zones
from mos.kernel.zones import instant_of, is_zone, wall_time, zone_release


@pytest.fixture
def release():
    """The release, asked for anew."""
    zone_release.cache_clear()
    yield zone_release
    zone_release.cache_clear()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "minute", "zone", "instant"),
    [
        (date(2026, 11, 27), 8 * 60, "Europe/Stockholm", "2026-11-27T07:00"),
        (date(2026, 3, 29), 2 * 60 + 30, "Europe/Stockholm", "2026-03-29T01:00"),
        (date(2026, 10, 25), 2 * 60 + 30, "Europe/Stockholm", "2026-10-25T00:30"),
        (date(2026, 10, 4), 2 * 60 + 15, "Australia/Lord_Howe", "2026-10-03T15:30"),
        (date(2011, 12, 30), 8 * 60, "Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_a_wall_time_has_one_instant_also_in_the_nights_when_clocks_change(
    day, minute, zone, instant
):
    assert instant_of(day, minute, zone) == at(instant)


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


def test_the_release_is_that_of_the_files_in_use(release, tmp_path, monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(tmp_path),))
    (tmp_path / "Etc").mkdir()
    (tmp_path / "Etc" / "UTC").write_bytes(b"TZif")
    (tmp_path / "tzdata.zi").write_text("# version 2031c\n# more")

    assert release() == zones.ZoneRelease("2031c", "system", str(tmp_path))


def test_a_release_that_the_files_do_not_name_is_unknown(release, tmp_path, monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(tmp_path),))
    (tmp_path / "Etc").mkdir()
    (tmp_path / "Etc" / "UTC").write_bytes(b"TZif")

    assert release().name == "unknown"


def test_without_files_of_the_system_the_wheel_is_used(release, monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", ())

    assert release().source == "wheel"
    assert release().name[:2] == "20"

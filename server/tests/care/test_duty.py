"""Who is on call: turns by the wall, holidays, both nights that move the clocks."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from dateutil.easter import easter
from hypothesis import given
from hypothesis import strategies as st

from mos.care import rules

VECTORS = json.loads((Path(__file__).parents[3] / "spec" / "vectors" / "holidays.json").read_text())
A, B, C = (UUID(int=n) for n in (1, 2, 3))
STOCKHOLM = "Europe/Stockholm"


def a_rule(**more):
    usual = {
        "weekdays": list(rules.WEEKDAYS), "from_": "16:00", "to": "07:00", "holidays": "usual",
        "turn": "day", "accounts": [A], "valid_from": date(2026, 1, 1), "valid_to": None,
    }  # fmt: skip
    return rules.Rule(**(usual | more))


def turns(rule, since, until, *, changes=None, place=STOCKHOLM):
    """Return (day, account) of the turns between two moments."""
    found = rules.duties(
        rule, changes or {}, place,
        since=datetime.fromisoformat(since), until=datetime.fromisoformat(until),
    )  # fmt: skip
    return [(duty.day.isoformat(), duty.account) for duty in found]


@pytest.mark.parametrize(("country", "year"), [(c, y) for c in VECTORS for y in VECTORS[c]])
def test_the_holidays_of_a_year(country, year):
    days = [day.isoformat() for day in sorted(rules.holidays(country, int(year)))]

    assert days == VECTORS[country][year]


@given(st.integers(1900, 2199))
def test_easter_is_when_the_church_says(year):
    assert rules.easter_sunday(year) == easter(year)


def test_holidays_are_those_of_the_units_country_and_elsewhere_unknown():
    independence = date(2026, 12, 6)

    assert rules.holiday_test("Europe/Helsinki")(independence)
    assert not rules.holiday_test(STOCKHOLM)(independence)
    assert not rules.holiday_test("Europe/Berlin")(date(2026, 12, 25))


def test_a_turn_over_midnight_belongs_to_the_day_on_which_it_begins():
    rule = a_rule(weekdays=["fri"])

    # Saturday at 06:59 the turn of Friday still runs; at 07:00 it is over.
    assert turns(rule, "2026-11-28T05:59Z", "2026-11-28T06:30Z") == [("2026-11-27", A)]
    assert turns(rule, "2026-11-28T06:00Z", "2026-11-28T06:30Z") == []


def test_a_turn_from_and_to_the_same_time_lasts_a_day():
    rule = a_rule(from_="08:00", to="08:00")

    (duty,) = rules.duties(
        rule, {}, STOCKHOLM,
        since=datetime(2026, 11, 27, 7, tzinfo=UTC), until=datetime(2026, 11, 28, 7, tzinfo=UTC),
    )  # fmt: skip
    assert duty.to_at - duty.from_at == timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 14), ("2026-10-24", 16), ("2026-11-27", 15)]
)
def test_the_nights_that_move_the_clocks_are_an_hour_shorter_and_longer(day, hours):
    (duty,) = rules.duties(
        a_rule(valid_from=date.fromisoformat(day), valid_to=date.fromisoformat(day)), {}, STOCKHOLM,
        since=datetime.fromisoformat(f"{day}T00:00Z"),
        until=datetime.fromisoformat(f"{day}T23:00Z"),
    )  # fmt: skip

    assert (duty.to_at - duty.from_at) == timedelta(hours=hours)


def test_accounts_take_turns_by_the_day_or_by_the_week():
    week = ("2026-11-22T23:00Z", "2026-12-07T23:00Z")
    daily = [
        who for _, who in turns(a_rule(accounts=[A, B, C], valid_from=date(2026, 11, 23)), *week)
    ]
    weekly = [
        who
        for _, who in turns(
            # From a Wednesday: the first week is a short one.
            a_rule(accounts=[A, B], turn="week", valid_from=date(2026, 11, 25)),
            *week,
        )
    ]

    assert daily[:4] == [A, B, C, A]
    assert weekly[:13] == [A] * 5 + [B] * 7 + [A]


@pytest.mark.parametrize(
    ("holidays", "weekdays", "begins"),
    [
        ("usual", ["wed"], True),
        ("usual", ["sun"], False),
        ("sunday", ["wed"], False),
        ("sunday", ["sun"], True),
        ("none", ["wed"], False),
        ("none", ["sun"], False),
    ],
)
def test_a_holiday_is_as_usual_as_a_sunday_or_without_a_turn(holidays, weekdays, begins):
    rule = a_rule(holidays=holidays, weekdays=weekdays)

    # 6 January 2027 is a Wednesday.
    found = turns(rule, "2027-01-06T12:00Z", "2027-01-06T22:00Z")
    assert found == ([("2027-01-06", A)] if begins else [])


def test_a_changed_day_is_somebody_elses_or_nobodys_and_moves_no_other_turn():
    rule = a_rule(accounts=[A, B], valid_from=date(2026, 11, 23))
    days = ("2026-11-23T12:00Z", "2026-11-26T12:00Z")

    changed = turns(rule, *days, changes={date(2026, 11, 24): C, date(2026, 11, 25): None})

    assert changed == [("2026-11-23", A), ("2026-11-24", C)]


def test_a_rota_begins_and_ends_on_its_days():
    rule = a_rule(valid_from=date(2026, 11, 27), valid_to=date(2026, 11, 28))

    found = turns(rule, "2026-11-20T00:00Z", "2026-12-05T00:00Z")

    assert [day for day, _ in found] == ["2026-11-27", "2026-11-28"]


@given(
    days=st.lists(st.sampled_from(rules.WEEKDAYS), min_size=1, unique=True),
    holidays=st.sampled_from(["usual", "sunday", "none"]),
    turn=st.sampled_from(["day", "week"]),
    start=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    cut=st.integers(1, 20),
)
def test_asking_in_two_parts_finds_what_asking_once_finds(days, holidays, turn, start, cut):
    """The worker renews every day what it knew already: it must say the same each time."""
    rule = a_rule(weekdays=days, holidays=holidays, turn=turn, accounts=[A, B, C], valid_from=start)
    first = datetime(2026, 6, 1, tzinfo=UTC)
    middle, end = first + timedelta(days=cut, hours=5), first + timedelta(days=21)

    def between(since, until):
        return rules.duties(rule, {}, STOCKHOLM, since=since, until=until)

    assert {d.from_at: d for d in between(first, middle)} | {
        d.from_at: d for d in between(middle, end)
    } == {d.from_at: d for d in between(first, end)}

"""When a rule rings: the shared vectors, a second opinion on each, and rules that mean harm."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import oracle
import pytest

from mos.kernel.errors import Invalid
from mos.plan.model.rule import decode_rule
from mos.plan.rules.recurrence import occurrences, preview

VECTORS = Path(__file__).parents[3] / "spec" / "vectors" / "recurrence.json"
CASES = json.loads(VECTORS.read_text(encoding="utf-8"))
RINGING = [case for case in CASES if "occurrences" in case]
REFUSED = [case for case in CASES if "refused" in case]

DAILY = {
    "zone": "Europe/Stockholm",
    "kind": "weekly",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "times": ["08:00"],
    "start": "2026-01-01",
}


def name_of(case):
    return case["name"]


def instant(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("case", RINGING, ids=name_of)
def test_a_rule_rings_as_its_vector_says(case):
    found = preview(case["rule"], instant(case["from"]), instant(case["to"]))

    assert found == {"occurrences": case["occurrences"]}


@pytest.mark.parametrize("case", REFUSED, ids=name_of)
def test_a_wrong_rule_is_refused_and_its_field_named(case):
    with pytest.raises(Invalid) as refused:
        decode_rule(case["rule"])

    assert (refused.value.field, refused.value.code) == (case["refused"], case["code"])


@pytest.mark.parametrize("case", RINGING, ids=name_of)
def test_the_vectors_say_what_a_clock_on_the_wall_would_show(case):
    found = oracle.occurrences(case["rule"], instant(case["from"]), instant(case["to"]))

    assert found == [(one["local"], one["at"]) for one in case["occurrences"]]


def test_vectors_have_names_of_their_own():
    names = [case["name"] for case in CASES]

    assert len(names) == len(set(names)) >= 200


def test_an_occurrence_of_the_night_belongs_to_the_day_before():
    rule = {"kind": "interval", "every": "PT4H", "from": "22:00", "to": "06:00"}
    rule = decode_rule(rule | {"zone": "Europe/Stockholm", "start": "2026-06-01"})
    window = datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 6, 2, 12, tzinfo=UTC)

    found = occurrences(rule, start=window[0], end=window[1])

    assert [one.local for one in found] == [
        "2026-06-01T22:00",
        "2026-06-02T02:00",
        "2026-06-02T06:00",
    ]
    assert {str(one.day) for one in found} == {"2026-06-01"}


# What a hostile device may write must cost no more than what it can ask to see.

LONG_AGO = {"zone": "Europe/Stockholm", "start": "1900-01-01", "times": ["08:00"]}
HOSTILE = {
    "a COUNT of a thousand million": LONG_AGO
    | {"kind": "rrule", "rrule": "FREQ=DAILY;COUNT=1000000000"},
    "a COUNT that ends only now": LONG_AGO | {"kind": "rrule", "rrule": "FREQ=DAILY;COUNT=46000"},
    "a rule that never matches": LONG_AGO
    | {"kind": "rrule", "rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"},
    "a counted rule that never matches": LONG_AGO
    | {"kind": "rrule", "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1"},
    "an interval of years": LONG_AGO
    | {"kind": "rrule", "rrule": "FREQ=YEARLY;INTERVAL=9999999999"},
    "ten thousand times": DAILY
    | {"times": [f"{n // 60 % 24:02}:{n % 60:02}" for n in range(10_000)]},
    "ten thousand exceptions": DAILY | {"except": ["2026-05-01"] * 10_000},
    "a thousand pauses": DAILY | {"pause": [{"from": "2026-01-01", "to": "2026-01-02"}] * 1000},
    "every minute since 1900": {
        "zone": "Europe/Stockholm",
        "kind": "interval",
        "every": "PT1M",
        "from": "00:00",
        "to": "23:59",
        "start": "1900-01-01",
    },
    "an every beyond all weeks": DAILY | {"every": 2**53 - 1},
}


@pytest.mark.parametrize("rule", HOSTILE.values(), ids=HOSTILE)
def test_what_a_rule_costs_follows_the_window(rule):
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    begun = time.process_time()

    found = occurrences(decode_rule(rule), start=noon, end=noon + timedelta(hours=1))

    assert time.process_time() - begun < 0.5
    assert len(found) <= 60


def test_pauses_without_number_are_refused():
    with pytest.raises(Invalid) as refused:
        decode_rule(DAILY | {"pause": [{"from": "2026-01-01"}] * 1001})

    assert (refused.value.field, refused.value.code) == ("pause", "too_many")


@pytest.mark.parametrize("year", [1, 9998])
def test_a_window_at_the_ends_of_the_calendar_is_answered(year):
    window = datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC)

    found = preview(DAILY | {"start": "1900-01-01"}, *window)

    assert len(found["occurrences"]) == (0 if year == 1 else 364)


def test_the_widest_window_has_ends():
    rule = decode_rule({"zone": "Pacific/Apia", "kind": "once", "at": "9999-12-31T23:59"})
    ahead, behind = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
    ends = datetime.min.replace(tzinfo=ahead), datetime.max.replace(tzinfo=behind)

    assert occurrences(rule, start=ends[0], end=ends[1]) == []

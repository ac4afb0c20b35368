"""A resident's plan in other calendars: what foreign readers make of it, and who reads it."""

import asyncio
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import icalendar
import pytest
import recurring_ical_events
from builders import a_home, a_record, a_relation, an_account

from mos.calendar import rules
from mos.calendar.model import Entry, Plan
from mos.plan.model.reminder import Profile, read_profile, read_reminder
from mos.web.edge import route_of

SPACE = UUID(int=1)
STOCKHOLM = "Europe/Stockholm"
BREAKFAST = {
    "title": "Frukost",
    "category": "meal",
    "minutes": 30,
    "ring": {"start": True, "again": True, "before": 10},
    "rule": {
        "zone": STOCKHOLM, "kind": "weekly", "times": ["08:00"], "start": "2026-01-01",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    },
}  # fmt: skip
NOTHING_PAUSED = Profile()
NIGHT = datetime(2026, 10, 20, tzinfo=UTC)


def a_plan(*groups, says="titles", language="sv", profile=NOTHING_PAUSED):
    entries = tuple(
        Entry(SPACE, str(each["title"]), read_reminder(UUID(int=n), each))
        for n, each in enumerate(groups, 1)
    )
    return Plan("Elsa", language, says, profile, entries)


def read(stream):
    return icalendar.Calendar.from_ical(stream)


# ───────────────────────────────────────────────────────────── what stands in it
def test_a_week_back_and_sixty_days_ahead_are_there_and_the_same_all_day():
    morning, evening = (rules.day_of(datetime(2026, 11, 25, hour, tzinfo=UTC)) for hour in (1, 23))
    stream = rules.stream(a_plan(BREAKFAST), morning)
    days = sorted(event.start.date() for event in read(stream).events)

    assert (days[0], days[-1]) == (date(2026, 11, 18), date(2027, 1, 24))
    assert len(days) == 68
    assert rules.stream(a_plan(BREAKFAST), evening) == stream


def test_an_event_is_named_as_its_occurrence_and_keeps_the_wall_time_over_a_night_of_two_clocks():
    events = {str(e["uid"]): e for e in read(rules.stream(a_plan(BREAKFAST), NIGHT)).events}
    before, after = (f"{UUID(int=1)}@2026-10-{day}T08:00" for day in ("24", "25"))

    assert events[before].start == datetime(2026, 10, 24, 6, tzinfo=UTC)
    assert events[after].start == datetime(2026, 10, 25, 7, tzinfo=UTC)
    assert events[after].end == datetime(2026, 10, 25, 7, 30, tzinfo=UTC)


def test_it_alarms_at_the_start_and_before_and_where_nothing_rings_not_at_all():
    silent = BREAKFAST | {"ring": {"start": False, "again": False, "before": None}}
    loud, quiet = (
        read(rules.stream(a_plan(BREAKFAST), NIGHT)),
        read(rules.stream(a_plan(silent), NIGHT)),
    )

    times = loud.events[0].alarms.times
    assert [each.trigger - loud.events[0].start for each in times] == [
        timedelta(minutes=-10),
        timedelta(0),
    ]
    assert not any(event.alarms.times for event in quiet.events)


def test_what_a_pause_silences_is_left_out():
    profile = read_profile({"pause": [{"from": "2026-10-22", "to": "2026-10-23"}]})
    days = {
        e.start.date() for e in read(rules.stream(a_plan(BREAKFAST, profile=profile), NIGHT)).events
    }

    assert date(2026, 10, 21) in days
    assert not {date(2026, 10, 22), date(2026, 10, 23)} & days


@pytest.mark.parametrize(
    ("language", "word"), [("sv", "Påminnelse"), ("en", "Reminder"), ("fi", "Muistutus")]
)
def test_a_plain_feed_tells_neither_what_is_planned_nor_for_whom(language, word):
    stream = rules.stream(a_plan(BREAKFAST, says="plain", language=language), NIGHT)

    assert {str(event["summary"]) for event in read(stream).events} == {word}
    assert b"Frukost" not in stream
    assert b"Elsa" not in stream


def test_a_title_cannot_add_lines_of_its_own():
    title = "Mat\r\nEND:VEVENT\r\nBEGIN:VTODO; , \\"
    calendar = read(rules.stream(a_plan(BREAKFAST | {"title": title}), NIGHT))

    assert not calendar.todos
    assert str(calendar.events[0]["summary"]).replace("\r", "") == title.replace("\r", "")


def test_a_plan_that_rings_every_minute_shows_its_nearest_events_and_no_more():
    busy = {
        "title": "Ofta",
        "rule": {
            "zone": "UTC", "kind": "interval", "every": "PT15M", "from": "00:00", "to": "23:45",
            "start": "2026-01-01",
        },
    }  # fmt: skip
    found = rules.events(a_plan(busy), NIGHT)

    assert len(found) == 5000
    assert found == sorted(found, key=lambda event: event.at)
    assert found[0].at == NIGHT - timedelta(days=7)


# ───────────────────────────────────────────────────────────── foreign readers
def test_another_library_finds_one_event_a_day():
    calendar = read(rules.stream(a_plan(BREAKFAST), NIGHT))

    found = recurring_ical_events.of(calendar).between((2026, 10, 24), (2026, 10, 26))

    assert sorted(event.start.isoformat() for event in found) == [
        "2026-10-24T06:00:00+00:00",
        "2026-10-25T07:00:00+00:00",
    ]


def test_a_calendar_program_shows_wall_times(tmp_path: Path):
    file = tmp_path / "feed.ics"
    file.write_bytes(rules.stream(a_plan(BREAKFAST), NIGHT))
    config = tmp_path / "khal.conf"
    config.write_text(
        f"[calendars]\n[[mos]]\npath = {tmp_path}/cal\ntype = calendar\n"
        f"[locale]\nlocal_timezone = {STOCKHOLM}\ndefault_timezone = {STOCKHOLM}\n"
        "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        f"[sqlite]\npath = {tmp_path}/khal.db\n"
    )
    khal = Path(sys.executable).parent / "khal"
    (tmp_path / "cal").mkdir()

    def run(*words: str) -> str:
        done = subprocess.run(
            [khal, "-c", config, *words],
            env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return done.stdout

    run("import", "--batch", str(file))
    shown = run("list", "2026-10-24", "2d", "--format", "{start-time}-{end-time} {title}")

    assert shown.count("08:00-08:30 Frukost") == 2


# ───────────────────────────────────────────────────────────── who reads it
async def made(site, home, **body):
    """Return what POST answered, and a browser that has no session."""
    browser = await site.as_account(home.org, home.caregiver)
    answer = await browser.post(f"residents/{home.space}/calendar-feeds", {"says": "titles"} | body)
    assert answer.status_code == 201, answer.text
    outside = await site.browser(client="203.0.113.9")
    address = answer.json()["address"]
    assert address.startswith(f"{site.database.settings.public_url}/calendar/")
    return (
        browser,
        outside,
        answer.json()["feed"],
        address.removeprefix(site.database.settings.public_url),
    )


async def a_planned_home(site):
    home = await a_home(site.database)
    await a_record(site.database, home.org, home.space, "reminder", BREAKFAST)
    return home


async def test_whoever_has_the_address_reads_the_plan_without_signing_in(site):
    home = await a_planned_home(site)
    browser, outside, feed, address = await made(site, home)

    answer = await outside.http.get(address)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert {str(e["summary"]) for e in read(answer.content).events} == {"Frukost"}
    (listed,) = (await browser.get(f"residents/{home.space}/calendar-feeds")).json()
    assert listed["id"] == feed["id"]
    assert listed["last_read_at"] is not None
    assert "token" not in str(listed)


async def test_a_reader_that_has_it_already_is_told_so_until_the_plan_changes(site):
    home = await a_planned_home(site)
    _, outside, _, address = await made(site, home)
    tag = (await outside.http.get(address)).headers["etag"]

    again = await outside.http.get(address, headers={"if-none-match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)

    await a_record(site.database, home.org, home.space, "reminder", BREAKFAST | {"title": "Lunch"})
    changed = await outside.http.get(address, headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert {str(e["summary"]) for e in read(changed.content).events} == {"Frukost", "Lunch"}

    site.clock.move(days=1)
    tomorrow = await outside.http.get(address, headers={"if-none-match": changed.headers["etag"]})
    assert tomorrow.status_code == 200


async def test_a_guessed_address_looks_like_one_that_was_ended(site):
    home = await a_planned_home(site)
    browser, outside, feed, address = await made(site, home)

    ended = await browser.delete(f"residents/{home.space}/calendar-feeds/{feed['id']}")
    assert ended.status_code == 204
    gone = await outside.http.get(address)
    guessed = await outside.http.get(f"/calendar/{'A' * 43}.ics")
    malformed = await outside.http.get("/calendar/hello")

    answers = [(a.status_code, a.json(), sorted(set(a.headers) - {"x-request-id"}))
               for a in (gone, guessed, malformed)]  # fmt: skip
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404
    assert (await browser.get(f"residents/{home.space}/calendar-feeds")).json() == []


async def test_whoever_guesses_is_asked_to_wait_and_nobody_else(site):
    home = await a_planned_home(site)
    _, outside, _, address = await made(site, home)
    guesser = await site.browser(client="192.0.2.66")

    statuses = [
        (await guesser.http.get(f"/calendar/{uuid4().hex}{'A' * 11}.ics")).status_code
        for _ in range(31)
    ]

    assert statuses == [404] * 30 + [429]
    assert (await guesser.http.get(address)).status_code == 429
    assert (await outside.http.get(address)).status_code == 200
    site.clock.move(seconds=21)
    assert (await guesser.http.get(address)).status_code == 200


async def test_the_address_shows_nothing_once_its_maker_may_no_longer_plan(site):
    home = await a_planned_home(site)
    _, outside, _, address = await made(site, home)

    await site.database.sql("UPDATE relation SET valid_to = $1", site.clock.now)

    assert (await outside.http.get(address)).status_code == 404


async def test_the_address_shows_nothing_once_its_maker_is_disabled_or_the_resident_moved_out(site):
    home = await a_planned_home(site)
    _, outside, _, address = await made(site, home)
    for statement in (
        "UPDATE account SET disabled_at = $1 WHERE role = 'caregiver'",
        "UPDATE resident SET archived_at = $1",
    ):
        await site.database.sql(statement, site.clock.now)
        assert (await outside.http.get(address)).status_code == 404, statement
        await site.database.sql("UPDATE account SET disabled_at = NULL")


async def test_orders_are_there_when_they_were_chosen_and_as_long_as_their_reader_sees_medication(
    site,
):
    home = await a_planned_home(site)
    order = {
        "active": {"v": {
            "drug": "Alvedon", "strength": "500 mg", "kind": "times", "stopped": None,
            "until": None, "rule": BREAKFAST["rule"],
        }}
    }  # fmt: skip
    await a_record(site.database, home.org, home.resident.medication, "order", order)
    _, outside, _, without = await made(site, home)
    _, _, _, address = await made(site, home, medication=True)

    async def titles(path):
        return {str(e["summary"]) for e in read((await outside.http.get(path)).content).events}

    assert await titles(without) == {"Frukost"}
    assert await titles(address) == {"Frukost", "Alvedon 500 mg"}

    await site.database.sql("UPDATE relation SET permissions = '{plan.view,plan.edit}'")
    assert await titles(address) == {"Frukost"}


async def test_orders_can_be_chosen_only_by_those_who_see_medication(site):
    home = await a_home(site.database)
    relative = await an_account(site.database, home.org, "relative")
    await a_relation(
        site.database, home.org, relative, space=home.space, permissions=("plan.view", "plan.edit")
    )
    browser = await site.as_account(home.org, relative)

    answer = await browser.post(
        f"residents/{home.space}/calendar-feeds", {"says": "titles", "medication": True}
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_so_many_addresses_and_no_more(site):
    home = await a_home(site.database)
    browser = await site.as_account(home.org, home.caregiver)
    path = f"residents/{home.space}/calendar-feeds"

    answers = await asyncio.gather(*(browser.post(path, {"says": "plain"}) for _ in range(22)))

    assert sorted(a.status_code for a in answers) == [201] * 20 + [409] * 2
    assert {a.json().get("code") for a in answers} == {None, "feeds_full"}


def test_what_is_logged_and_counted_is_the_form_of_the_address_alone():
    from mos.web import calendar

    scope = {"path": f"/calendar/{'A' * 43}.ics", "client": ("x", 0), "headers": []}
    feeds = calendar.CalendarFeeds(lambda: None, lambda: NIGHT)
    with pytest.raises(AttributeError):
        asyncio.run(feeds.answer(scope))

    assert route_of(scope) == "/calendar/{token}.ics"

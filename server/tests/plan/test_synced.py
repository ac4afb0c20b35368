"""The plan's records: what may be written, and how what rings follows in the same transaction."""

from datetime import timedelta

import pytest
from engine_world import DAY, a_world, occ_of

from mos import wiring
from mos.kernel.errors import Invalid
from mos.kernel.ids import named_id, new_id
from mos.kernel.zones import zone
from mos.sync.actions import record
from mos.sync.model import SystemChange
from mos.wiring import COLLECTIONS

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def rule(*times, **more):
    return {
        "zone": "Europe/Stockholm", "kind": "weekly", "days": EVERY_DAY, "times": list(times),
        "start": "2026-01-01",
    } | more  # fmt: skip


# ───────────────────────────────────────────────────────────── what comes due follows the plan
async def test_a_new_reminder_is_due_at_once_for_two_days(database):
    async with a_world(database) as world:
        await world.plan("08:00", "20:00")

        assert await world.due() == [
            "2026-11-27T08:00", "2026-11-27T20:00", "2026-11-28T08:00", "2026-11-28T20:00",
        ]  # fmt: skip


async def test_what_is_planned_for_this_minute_still_rings_and_this_morning_is_past(database):
    async with a_world(database, "2026-11-27T08:03") as world:
        reminder = await world.plan("07:00", "08:00")
        await world.tick()

        assert world.rings() == [occ_of(reminder, "08:00")]


async def test_a_new_title_moves_nothing(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        before = await database.sql("SELECT xmin::text FROM due")

        await world.set("reminder", reminder, {"title": "Gröt"})

        assert await database.sql("SELECT xmin::text FROM due") == before


async def test_a_resident_chooses_a_sound_that_is_heard_and_nothing_else(database):
    async with a_world(database) as world:
        resident = world.home.resident.account
        profile = {"space": world.space, "k": "set", "coll": "profile"}
        profile["rec"] = named_id(world.space, "profile")
        world.reach[resident] = frozenset({"plan.view", "outcome.record", "sound.choose"})

        await world.push(profile | {"f": {"sound": "bird"}}, by=resident)
        await world.push(profile | {"f": {"sound_tell": None}}, by=resident)
        for not_theirs in ({"sound": "none"}, {"level": 1}, {"sound": "bell", "loudest": 10}):
            op = profile | {"f": not_theirs}
            await world.push(op, by=resident, verdict="forbidden")


async def test_a_resident_is_called_what_supporters_write_into_the_profile(database):
    async with a_world(database) as world:
        profile = named_id(world.space, "profile")

        await world.set("profile", profile, {"name": " Elsa Ek ", "flat": "12", "language": "fi"})
        await world.set("profile", profile, {"level": 3})
        await world.set("profile", profile, {"name": "   "})

        [row] = await database.sql(
            "SELECT a.name, a.language, r.flat FROM resident r JOIN account a USING (account_id)"
        )
        assert row == {"name": "Elsa Ek", "language": "fi", "flat": "12"}


async def test_moving_a_reminder_moves_what_is_due(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")

        await world.set("reminder", reminder, {"rule": rule("09:30")})
        await world.at("08:00")
        assert world.rings() == []
        await world.at("09:30")

        assert world.rings() == [occ_of(reminder, "09:30")]


async def test_moving_one_reminder_leaves_the_others_alone(database):
    async with a_world(database) as world:
        lunch = await world.plan("12:00")
        breakfast = await world.plan("08:00")

        await world.set("reminder", breakfast, {"deleted": True})

        await world.at("12:00")
        assert world.rings() == [occ_of(lunch, "12:00")]


async def test_moving_a_reminder_cancels_what_rings(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        await world.at("08:00")

        await world.set("reminder", reminder, {"rule": rule("09:30")})
        await world.at("08:05")

        assert await world.state(occ_of(reminder, "08:00")) == "cancelled"
        assert world.rings() == [occ_of(reminder, "08:00")]
        assert world.tablet_browser.told[-1] == {"kind": "close", "tag": occ_of(reminder, "08:00")}


async def test_deleting_a_reminder_closes_its_alert_and_undo_opens_it_again(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")

        await world.set("reminder", reminder, {"deleted": True})
        await world.tick()
        assert await world.state(occ_of(reminder, "08:00")) == "cancelled"
        assert (await world.alerts())[0]["closed"]["why"] == "cancelled"

        await world.later(seconds=8)
        await world.set("reminder", reminder, {"deleted": False})
        await world.tick()
        assert await world.state(occ_of(reminder, "08:00")) == "late"
        assert (await world.alerts())[0]["closed"] is None
        assert len(await world.due()) == 2


async def test_an_exception_silences_one_day(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")

        await world.set("reminder", reminder, {"rule": rule("08:00", **{"except": [DAY]})})

        assert await world.due() == ["2026-11-28T08:00"]


async def test_a_paused_resident_hears_nothing_and_what_rings_is_paused(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00", "12:00")
        await world.at("08:00")
        profile = named_id(world.space, "profile")

        pause = [{"from": DAY, "to": DAY, "why": "Sjukhus"}]
        await world.set("profile", profile, {"pause": pause})
        assert await world.state(occ_of(reminder, "08:00")) == "paused"
        assert await world.due() == ["2026-11-28T08:00", "2026-11-28T12:00"]

        await world.at("08:30")
        await world.at("12:00")
        assert world.rings() == [occ_of(reminder, "08:00")]
        assert await world.alerts() == []

        await world.at("12:03")
        await world.set("profile", profile, {"pause": []})
        await world.tick()
        assert world.rings()[-1] == occ_of(reminder, "12:00")
        assert await world.state(occ_of(reminder, "08:00")) == "paused"


async def test_a_pause_calls_nobody_any_more_about_what_was_missed_before_it(database):
    async with a_world(database) as world:
        _, ward = await world.supporter(unit=True)
        _, other = await world.supporter()
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        await world.at("08:30")
        assert len(ward.told) == 1

        pause = [{"from": DAY, "to": DAY, "why": "Hos familjen"}]
        await world.set("profile", named_id(world.space, "profile"), {"pause": pause})
        await world.at("09:00")

        assert [alert["closed"]["why"] for alert in await world.alerts()] == ["cancelled"]
        assert other.told == []
        # What happened stays what happened.
        assert await world.state(occ) == "missed"


async def test_a_pause_of_today_leaves_yesterdays_alert_alone(database):
    async with a_world(database) as world:
        await world.plan("23:00")
        await world.at("23:00")
        await world.at("23:30")

        pause = [{"from": "2026-11-28", "to": "2026-11-28", "why": "Hos familjen"}]
        await world.set("profile", named_id(world.space, "profile"), {"pause": pause})
        await world.at("2026-11-28T00:10")

        assert [alert["closed"] for alert in await world.alerts()] == [None]


async def test_a_paused_reminder_leaves_the_others_ringing(database):
    async with a_world(database) as world:
        paused = await world.plan("08:00", rule=rule("08:00", pause=[{"from": DAY}]))
        other = await world.plan("08:00")

        await world.at("08:00")

        assert world.rings() == [occ_of(other, "08:00")]
        assert paused != other


async def test_a_longer_grace_holds_for_what_rings_already(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00", grace=10)
        await world.at("08:00")

        await world.set("reminder", reminder, {"grace": 60})
        await world.at("08:30")

        assert await world.state(occ_of(reminder, "08:00")) == "told"


async def test_a_change_of_zone_moves_what_is_to_come_and_doubles_nothing(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00", "12:00")
        await world.at("08:00")

        await world.set(
            "reminder", reminder, {"rule": rule("08:00", "12:00", zone="Europe/London")}
        )
        await world.at("09:00")
        assert world.rings() == [occ_of(reminder, "08:00")]
        await world.at("12:00")
        assert len(world.rings()) == 1
        await world.at("12:00", zone("Europe/London"))

        assert world.rings() == [occ_of(reminder, "08:00"), occ_of(reminder, "12:00")]


async def test_a_change_of_zone_that_moves_a_time_into_the_past_rings_now(database):
    async with a_world(database, "2026-11-27T07:30") as world:
        reminder = await world.plan("08:00")

        await world.set("reminder", reminder, {"rule": rule("08:00", zone="Europe/Helsinki")})
        await world.tick()

        assert world.rings() == [occ_of(reminder, "08:00")]
        assert await world.state(occ_of(reminder, "08:00")) == "told"


async def test_a_reminder_of_words_this_release_does_not_know_still_rings(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00", category="gardening")

        await world.at("08:00")

        assert (await world.occurrence(occ_of(reminder, "08:00")))["category"] == "gardening"
        assert world.rings()


async def test_a_reminder_without_a_rule_plans_nothing_until_it_has_one(database):
    async with a_world(database) as world:
        reminder = new_id(world.now)

        await world.set("reminder", reminder, {"title": "Frukost"})
        assert await world.due() == []
        await world.set("reminder", reminder, {"rule": rule("08:00")})

        assert len(await world.due()) == 2


# ───────────────────────────────────────────────────────────── nights that move the clocks
async def test_in_the_spring_night_a_time_that_is_skipped_rings_once_after_the_gap(database):
    async with a_world(database, "2026-03-29T01:30") as world:
        reminder = await world.plan("02:30", checkable=True)

        world.now = world.local("2026-03-29T01:59")
        await world.tick()
        assert world.rings() == []
        await world.later(minutes=1)
        assert world.rings() == [occ_of(reminder, "02:30", "2026-03-29")]

        done = occ_of(reminder, "02:30", "2026-03-29")
        await world.say("completion", occ=done, st="done")
        await world.later(hours=3)
        assert world.rings() == [done]


async def test_in_the_autumn_night_a_time_that_comes_twice_rings_once(database):
    async with a_world(database, "2026-10-25T02:00") as world:
        occ = occ_of(await world.plan("02:30"), "02:30", "2026-10-25")

        await world.later(minutes=30)
        assert world.rings() == [occ]
        await world.say("completion", occ=occ, st="done")
        await world.later(minutes=60)
        await world.later(hours=3)

        assert world.rings() == [occ]
        assert await world.state(occ) == "closed"


async def test_sleep_through_the_autumn_night_ends_by_the_clock_on_the_wall(database):
    async with a_world(database, "2026-10-24T21:00") as world:
        sleep = await world.plan("22:00", category="sleep", minutes=480, checkable=False)

        await world.at("2026-10-24T22:00")

        row = await world.occurrence(occ_of(sleep, "22:00", "2026-10-24"))
        assert row["ends_at"] == world.local("2026-10-25T06:00")
        assert row["ends_at"] - row["at"] == timedelta(hours=9)


# ───────────────────────────────────────────────────────────── the horizon
async def test_the_worker_keeps_every_plan_two_days_ahead(database):
    async with a_world(database, residents=3) as world:
        for resident in world.home.residents:
            await world.plan("08:00", space=resident.space)

        for day in range(28, 31):
            await world.at(f"2026-11-{day}T07:00")

        rows = await database.sql("SELECT space_id, max(occ) AS last FROM due GROUP BY space_id")
        assert {row["last"].partition("@")[2] for row in rows} == {"2026-12-01T08:00"}
        horizons = await database.sql("SELECT until FROM horizon")
        assert {row["until"] for row in horizons} == {world.now + timedelta(hours=48)}


async def test_what_came_due_while_nothing_ran_is_told_as_missed_and_not_rung(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        reminder = await world.plan("08:00")
        shown = await world.plan("09:00", checkable=False)
        await world.tick()

        # Longer than anything was materialised ahead.
        await world.at("2026-12-01T08:02")

        rows = await database.sql("SELECT occ, state FROM occurrence ORDER BY at")
        states = {row["occ"]: row["state"] for row in rows}
        missed = {occ for occ, state in states.items() if state == "missed"}
        assert missed == {
            *(occ_of(reminder, "08:00", f"2026-11-{day}") for day in (27, 28, 29, 30)),
            *(occ_of(shown, "09:00", f"2026-11-{day}") for day in (27, 28, 29, 30)),
        }
        assert world.rings() == [occ_of(reminder, "08:00", "2026-12-01")]
        assert len(await world.alerts()) == 8
        # The contact person is told of each once; nobody is called about last week's meals.
        assert len(contact.told) == 8
        await world.at("2026-12-01T08:05")
        assert len(contact.told) == 8


async def test_a_short_stop_rings_late_but_once(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.tick()

        await world.at("08:12")

        assert world.rings() == [occ]
        assert await world.state(occ) == "told"
        await world.at("08:15")
        assert await world.state(occ) == "late"


async def test_many_spaces_are_planned_by_a_fixed_number_of_statements(database):
    async with a_world(database, residents=12) as world:
        for resident in world.home.residents[:12]:
            await world.plan("08:00", space=resident.space)
        spaces = [resident.space for resident in world.home.residents]

        async def statements(wanted):
            from mos.db import Scope

            async with database.app.transaction(Scope(world.home.org, tuple(wanted))) as db:
                seen = []
                original = db._connection.fetch, db._connection.execute

                async def fetch(sql, *args):
                    seen.append(sql)
                    return await original[0](sql, *args)

                async def execute(sql, *args):
                    seen.append(sql)
                    return await original[1](sql, *args)

                db._connection = type(
                    "Counted", (), {"fetch": staticmethod(fetch), "execute": staticmethod(execute)}
                )()
                await wiring.materialise(db, world.home.org, wanted, world.now)
                return len(seen)

        assert await statements(spaces[:1]) == await statements(spaces)


# ───────────────────────────────────────────────────────────── what may be written
GOOD = {
    "reminder": [
        {"title": "Frukost", "category": "meal", "label": "", "symbol": "plate", "note": ""},
        {"minutes": 0, "checkable": True, "grace": None, "criticality": "critical"},
        {"ring": {"start": True, "again": True, "before": 10}, "deleted": False},
        {"rule": {"zone": "Europe/Stockholm", "kind": "once", "at": "2026-11-27T08:00"}},
        {"category": "a_word_of_next_year"},
    ],
    "profile": [
        {"name": "Elsa", "flat": "3", "face": "face_1", "zone": "Europe/Helsinki"},
        {"language": "fi", "level": 4, "weekdays": "none", "theme": "dark", "sound": "bell"},
        {"sound": "marimba", "sound_tell": "none", "loudest": 50, "buzz": "long"},
        {"sound_tell": None},
        {"night": {"from": "23:00", "to": "06:00"}},
        {"parts": {"morning": "06:00", "day": "10:00", "evening": "18:00", "night": "23:00"}},
        {"pause": [{"from": "2026-11-27", "why": "Sjukhus"}]},
    ],
    "completion": [
        {"v": {"occ": "", "at": "", "st": "done"}},
        {"v": {"occ": "", "at": "", "st": "other", "note": "åt hos sin syster"}},
    ],
    "snooze": [{"v": {"occ": "", "at": "", "until": "2026-11-27T07:10:00Z"}}],
    "help": [{"v": {"at": "", "why": "help"}}, {"v": {"occ": "", "at": "", "why": "unwilling"}}],
    "rang": [{"v": {"occ": "", "at": "", "how": "silent"}}],
    "retract": [{"v": {"of": "0193b3a0-6d6f-7000-8000-6d6f736d6f73", "at": ""}}],
    "alert": [
        {"taken": None},
        {"closed": {"at": "2026-11-27T07:00:00Z", "why": "by_hand"}},
        {"closed": None},
    ],
}
BAD = {
    "reminder": [
        ({"title": ""}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"titel": "Frukost"}, "titel"),
        ({"category": "Meal!"}, "category"),
        ({"category": "meal\n"}, "category"),
        ({"minutes": 1441}, "minutes"),
        ({"minutes": "30"}, "minutes"),
        ({"grace": -1}, "grace"),
        ({"criticality": "very"}, "criticality"),
        ({"ring": {"start": True, "loud": True}}, "ring.loud"),
        ({"rule": {"zone": "Mars/Base", "kind": "once", "at": "2026-11-27T08:00"}}, "rule.zone"),
        ({"rule": None}, "rule"),
    ],
    "profile": [
        ({"zone": "Europe/Stokholm"}, "zone"),
        ({"level": 5}, "level"),
        ({"sound": "siren"}, "sound"),
        ({"sound_tell": "siren"}, "sound_tell"),
        ({"loudest": 0}, "loudest"),
        ({"loudest": 101}, "loudest"),
        ({"buzz": "always"}, "buzz"),
        ({"night": {"from": "24:00", "to": "06:00"}}, "night.from"),
        ({"pause": [{"from": "2026-11-27", "to": "2026-11-26"}]}, "pause"),
    ],
    "completion": [
        ({"v": {"occ": "", "at": "", "st": "shown"}}, "v.st"),
        ({"v": {"occ": "", "at": "", "st": "other", "note": " "}}, "v.note"),
        ({"v": {"occ": "", "at": "", "st": "asleep"}}, "v.note"),
        ({"v": {"occ": "breakfast", "at": "", "st": "done"}}, "v.occ"),
        ({"v": {"occ": "", "at": "2026-11-27T07:00:00", "st": "done"}}, "v.at"),
        ({"v": {"at": "", "st": "done"}}, "v.occ"),
    ],
    "snooze": [
        ({"v": {"occ": "", "at": "", "until": "2026-11-27T06:00:00Z"}}, "v.until"),
        ({"v": {"occ": "", "at": "", "until": "2026-11-29T07:00:00Z"}}, "v.until"),
    ],
    "help": [({"v": {"at": "", "why": "bored"}}, "v.why")],
    "rang": [({"v": {"occ": "", "at": "", "how": "loud"}}, "v.how")],
    "retract": [({"v": {"of": "klar", "at": ""}}, "v.of")],
    "alert": [
        ({"closed": {"at": "2026-11-27T07:00:00Z", "why": "outcome"}}, "closed.why"),
        ({"what": {"kind": "help"}}, "what"),
    ],
}


async def test_only_what_a_name_is_of_is_written_under_it(database):
    """A supporter may not take the id of a dose's conflict, of an alert, or of food's texture."""
    async with a_world(database) as world:
        texture = {"food": None, "drink": 2, "source": "", "why": "x"}
        names = ["texture", f"alert/{new_id(world.now)}@2026-11-27T08:00", "conflict/x"]
        stolen = [("reminder", named_id(world.space, name), {"title": "x"}) for name in names]
        unopened = ("alert", named_id(world.space, "texture"), {"closed": None})
        ops = [
            {"k": "set", "space": world.space, "coll": coll, "rec": rec, "f": groups}
            for coll, rec, groups in (*stolen, unopened)
        ]
        answer = await world.push(*ops, by=world.home.caregiver, verdict="invalid")

        assert [result.code for result in answer.results] == ["named"] * 3 + ["unknown_record"]
        named = named_id(world.space, "texture")
        assert COLLECTIONS["texture"].named(world.space, named, {"v": texture})
        lowering = {"v": {"word": " Kiwi"}}
        kiwi, milk = (named_id(world.space, f"allergy/{word}") for word in ("kiwi", "MILK"))
        is_named = COLLECTIONS["allergy_lowering"].named
        assert is_named(world.space, kiwi, lowering)
        assert not is_named(world.space, milk, lowering)


def filled(groups):
    """Put a right value where an example leaves it empty."""
    if "v" not in groups:
        return groups
    usual = {
        "occ": "0193b3a0-6d6f-7000-8000-6d6f736d6f73@2026-11-27T08:00",
        "at": "2026-11-27T07:00:00.000Z",
    }
    return {"v": {key: value or usual[key] for key, value in groups["v"].items()}}


@pytest.mark.parametrize(
    ("coll", "groups"), [(coll, groups) for coll, all_ in GOOD.items() for groups in all_]
)
def test_what_records_md_allows_may_be_written(coll, groups):
    COLLECTIONS[coll].check(filled(groups))


@pytest.mark.parametrize(
    ("coll", "groups", "field"), [(coll, *case) for coll, all_ in BAD.items() for case in all_]
)
def test_what_it_does_not_allow_is_refused_by_name(coll, groups, field):
    with pytest.raises(Invalid) as refused:
        COLLECTIONS[coll].check(filled(groups))

    assert refused.value.field == field


def test_a_refusal_repeats_nothing_of_what_was_written():
    with pytest.raises(Invalid) as refused:
        COLLECTIONS["reminder"].check({"criticality": "Elsa Andersson"})

    assert "Elsa" not in refused.value.detail


async def test_records_that_the_server_writes_run_no_hooks_and_plan_at_the_next_look(database):
    async with a_world(database) as world:
        reminder = new_id(world.now)
        groups = {"title": "Frukost", "rule": rule("08:00")}
        from mos.db import Scope

        async with database.app.transaction(Scope(world.home.org, (world.space,))) as db:
            change = SystemChange(space=world.space, coll="reminder", rec=reminder, groups=groups)
            await record(db, world.home.org, [change], world.now)
            await wiring.materialise(db, world.home.org, [world.space], world.now)

        assert len(await world.due()) == 2

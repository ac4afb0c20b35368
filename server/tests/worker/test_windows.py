"""Expected beside told, every fifteen minutes."""

from datetime import timedelta

import pytest
from engine_world import DAY, a_world, occ_of
from structlog.testing import capture_logs

from mos.dispatch.metrics import REGISTRY
from mos.kernel.ids import named_id
from mos.worker.retention import Retention

COUNTS = ("expected", "told", "late", "excused", "waiting", "lost", "silent")


async def windows(world):
    """Return the judged windows by local begin, each with what is not nought in it."""
    rows = await world.database.sql("SELECT * FROM watch_window ORDER BY from_at")
    return {
        f"{row['from_at'].astimezone(world.local('12:00').tzinfo):%H:%M}": {
            name: row[name] for name in COUNTS if row[name]
        }
        for row in rows
    }


async def begin(world):
    """Let a worker live for long enough to judge windows from half past seven on."""
    await world.at("07:30")
    await world.at("07:36")


async def test_what_was_told_answered_and_paused_is_whole(database):
    async with a_world(database) as world:
        await world.plan("08:00", "08:20")
        await begin(world)
        await world.at("08:00")
        await world.at("08:14")
        assert await windows(world) == {}
        await world.at("08:21")

        # 07:00 in UTC.
        assert await windows(world) == {"07:00": {"expected": 1, "told": 1}}
        assert REGISTRY.get_sample_value("mos_watch_missing") == 0


async def test_an_occurrence_that_is_lost_while_it_is_taken_is_missing(database):
    async with a_world(database) as world:
        lost = occ_of(await world.plan("08:00"), "08:00")
        await world.plan("08:05")
        await begin(world)
        await world.at("08:00")
        # As if the worker had taken it away from the plan, and no more.
        await database.sql("DELETE FROM delivery WHERE subject = $1", lost)
        await database.sql("DELETE FROM occurrence WHERE occ = $1", lost)
        await world.at("08:05")
        with capture_logs() as logs:
            await world.at("08:21")

        assert await windows(world) == {"07:00": {"expected": 2, "told": 1, "lost": 1}}
        assert REGISTRY.get_sample_value("mos_watch_missing") == 1
        (alarm,) = [each for each in logs if each["event"] == "expected_not_told"]
        assert (alarm["log_level"], alarm["lost"]) == ("error", 1)
        assert str(world.space) not in str(alarm)
        assert lost not in str(alarm)


async def test_what_no_worker_takes_waits_and_is_told_late_once_one_does(database):
    async with a_world(database) as world:
        await world.plan("08:00")
        await begin(world)
        passes = world.worker._passes
        claim = passes.pop("claim")
        await world.at("08:21")
        assert await windows(world) == {"07:00": {"expected": 1, "waiting": 1}}

        passes["claim"] = claim
        await world.at("08:22")
        await world.at("08:36")
        assert await windows(world) == {"07:00": {"expected": 1, "told": 1, "late": 1}}
        assert REGISTRY.get_sample_value("mos_watch_missing") == 0


async def test_a_device_that_nothing_reaches_is_told_of_by_its_alert_and_else_missing(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await database.sql("UPDATE device SET push_endpoint = NULL")
        await begin(world)
        await world.at("08:00")
        # Nobody asks whether the device is silent: nothing else would show it, either.
        await database.sql("UPDATE occurrence SET silent_at = NULL, next_at = '2027-01-01'")
        await world.at("08:21")
        assert await world.state(occ) == "due"
        assert await windows(world) == {"07:00": {"expected": 1, "silent": 1}}


async def test_a_silent_device_whose_alert_was_opened_is_no_gap(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await world.plan("08:00")
        await database.sql(
            "UPDATE device SET push_endpoint = NULL WHERE device_id = $1", world.tablet
        )
        await begin(world)
        for time in ("08:00", "08:02", "08:03", "08:21"):
            await world.at(time)
        assert await windows(world) == {"07:00": {"expected": 1, "told": 1}}


async def test_after_a_stop_its_windows_are_judged_once_what_waited_is_told(database):
    async with a_world(database) as world:
        await world.plan("08:00", "10:00", "11:10")
        await begin(world)
        world.worker._began_at = None
        # A worker that has just begun tells first.
        await world.at("11:00")
        assert await windows(world) == {}
        await world.at("11:06")

        assert await windows(world) == {
            "07:00": {"expected": 1, "told": 1, "late": 1},
            "09:00": {"expected": 1, "told": 1, "late": 1},
        }


async def test_a_plan_that_is_edited_is_expected_where_it_went(database):
    async with a_world(database) as world:
        moved, gone = await world.plan("08:10"), await world.plan("08:12")
        await begin(world)
        rule = {
            "zone": "Europe/Stockholm", "kind": "weekly", "days": ["fri"], "times": ["08:25"],
            "start": "2026-01-01",
        }  # fmt: skip
        await world.set("reminder", moved, {"rule": rule})
        await world.set("reminder", gone, {"deleted": True})
        await world.at("08:25")
        await world.at("08:36")

        assert await windows(world) == {"07:15": {"expected": 1, "told": 1}}


@pytest.mark.parametrize("change", ["deleted", "paused"])
async def test_what_the_plan_silences_while_it_waits_is_no_gap(database, change):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        await begin(world)
        await database.sql("UPDATE device SET push_endpoint = NULL")
        await world.at("08:00")
        world.now += timedelta(seconds=30)
        if change == "deleted":
            await world.set("reminder", reminder, {"deleted": True})
        else:
            pause = [{"from": DAY, "to": DAY, "why": "Sjukhus"}]
            await world.set("profile", named_id(world.space, "profile"), {"pause": pause})
        await world.at("08:21")

        assert await windows(world) == {"07:00": {"expected": 1, "excused": 1}}


async def test_a_pause_of_the_day_expects_nothing(database):
    async with a_world(database) as world:
        await world.plan("08:00")
        await begin(world)
        pause = [{"from": DAY, "to": DAY, "why": "Sjukhus"}]
        await world.set("profile", named_id(world.space, "profile"), {"pause": pause})
        await world.at("08:21")

        assert await windows(world) == {}


@pytest.mark.parametrize(
    ("day", "eve", "begins"),
    [("2026-03-29", "2026-03-28", "01:00"), ("2026-10-25", "2026-10-24", "00:30")],
)
async def test_the_nights_that_move_the_clocks_expect_each_once(database, day, eve, begins):
    async with a_world(database, now=f"{eve}T20:00") as world:
        await world.plan("02:30")
        await world.at(f"{eve}T23:50")
        [row] = await database.sql("SELECT at FROM expected WHERE occ LIKE $1", f"%{day}T02:30")
        world.now = row["at"]
        await world.tick()
        for _ in range(8):
            await world.later(minutes=15)

        assert await windows(world) == {begins: {"expected": 1, "told": 1}}


async def test_windows_are_kept_for_ninety_days_and_what_was_expected_for_one(database):
    async with a_world(database) as world:
        await world.plan("08:00")
        await begin(world)
        await world.at("08:00")
        await world.at("08:21")
        world.now += timedelta(days=2)
        await world.tick()
        assert not await database.sql("SELECT FROM expected WHERE occ LIKE '%2026-11-27%'")

        assert await database.sql("SELECT FROM watch_window WHERE from_at < '2026-11-28'")
        world.now += timedelta(days=89)
        await Retention(database.engine).run(world.now)
        assert not await database.sql("SELECT FROM watch_window WHERE from_at < '2026-11-28'")

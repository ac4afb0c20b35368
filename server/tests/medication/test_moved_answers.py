"""What was answered before its time was moved is not asked for again, and nothing else is lost."""

import pytest
from engine_world import a_world, occ_of
from orders import given, order, propose

from mos.kernel.ids import named_id


async def moved(world, rec, base, *times):
    await propose(world, order(*times), rec=rec, base=base)


async def test_a_dose_that_was_given_is_not_rung_again_at_its_new_time(database):
    async with a_world(database) as world:
        rec, base = await propose(world, order("08:00"))
        await world.at("08:00")
        await given(world, occ_of(rec, "08:00"))

        await moved(world, rec, base, "08:45")

        assert await world.due() == ["2026-11-28T08:45"]
        for time in ("08:45", "09:30", "11:00"):
            await world.at(time)
        assert world.rings() == [occ_of(rec, "08:00")]
        assert await world.alerts() == []


async def test_nor_when_the_answer_comes_after_the_time_was_moved(database):
    """As from a device that was offline while the order was changed."""
    async with a_world(database) as world:
        rec, base = await propose(world, order("08:00"))
        await world.at("08:00")
        await moved(world, rec, base, "08:45")
        assert "2026-11-27T08:45" in await world.due()
        await world.at("08:30")

        await given(world, occ_of(rec, "08:00"))

        await world.at("08:45")
        await world.at("11:00")
        assert world.rings() == [occ_of(rec, "08:00")]
        assert await world.alerts() == []


async def test_an_answer_that_comes_late_ends_what_rings_and_who_is_called(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        rec, base = await propose(world, order("08:00", window=30))
        await world.at("08:00")
        await propose(world, order("08:45", window=30), rec=rec, base=base)
        for time in ("08:45", "09:00", "09:15", "09:20"):
            await world.at(time)
        [alert] = await world.alerts()
        assert alert["closed"] is None

        await given(world, occ_of(rec, "08:00"))
        await world.tick()

        [alert] = await world.alerts()
        assert alert["closed"] is not None


async def test_taken_back_it_is_asked_for_at_the_new_time(database):
    async with a_world(database) as world:
        rec, base = await propose(world, order("08:00"))
        await world.at("08:00")
        op = await given(world, occ_of(rec, "08:00"))
        await moved(world, rec, base, "08:45")

        await world.say("retract", space=world.home.resident.medication, of=str(op))

        await world.at("08:45")
        assert world.rings() == [occ_of(rec, "08:00"), occ_of(rec, "08:45")]


async def test_taking_a_morning_that_was_given_out_of_the_plan_leaves_the_evening(database):
    async with a_world(database) as world:
        rec, base = await propose(world, order("08:00", "20:00"))
        await world.at("08:00")
        await given(world, occ_of(rec, "08:00"))

        await moved(world, rec, base, "20:00")

        await world.at("20:00")
        assert world.rings() == [occ_of(rec, "08:00"), occ_of(rec, "20:00")]


async def test_the_worker_that_plans_ahead_brings_it_back_no_more(database):
    async with a_world(database) as world:
        rec, base = await propose(world, order("08:00"))
        await world.at("08:00")
        await given(world, occ_of(rec, "08:00"))
        await moved(world, rec, base, "08:45")
        await database.sql("DELETE FROM due")
        await database.sql("DELETE FROM horizon")

        await world.later(seconds=15)

        assert await world.due() == ["2026-11-28T08:45"]


async def test_what_was_answered_on_a_day_that_is_paused_since_stands_for_nothing(database):
    async with a_world(database) as world:
        rec, _ = await propose(world, order("00:30", "23:30"))
        await world.at("23:30")
        await given(world, occ_of(rec, "23:30"))
        pause = {"pause": [{"from": "2026-11-27", "to": "2026-11-27"}]}
        await world.set("profile", named_id(world.space, "profile"), pause)
        await database.sql("DELETE FROM due")
        await database.sql("DELETE FROM horizon")

        await world.later(seconds=15)

        assert "2026-11-28T00:30" in await world.due()


async def test_a_meal_that_was_answered_is_not_missed_at_its_new_time(database):
    async with a_world(database) as world:
        lunch = await world.plan("12:00")
        await world.at("12:00")
        await world.say("completion", occ=occ_of(lunch, "12:00"), st="done")
        rule = {
            "zone": "Europe/Stockholm", "kind": "weekly", "days": ["fri"], "times": ["12:30"],
            "start": "2026-01-02",
        }  # fmt: skip

        await world.set("reminder", lunch, {"rule": rule})

        await world.at("12:30")
        await world.at("14:30")
        assert world.rings() == [occ_of(lunch, "12:00")]
        assert await world.alerts() == []


@pytest.mark.parametrize("answered", [True, False])
async def test_what_comes_once_and_is_moved_rings_once_more(database, answered):
    """Who moves it wants to be reminded again."""
    async with a_world(database) as world:
        once = {"zone": "Europe/Stockholm", "kind": "once"}
        call = await world.plan("08:00")
        await world.set("reminder", call, {"rule": once | {"at": "2026-11-27T08:00"}})
        await world.at("08:00")
        if answered:
            await world.say("completion", occ=occ_of(call, "08:00"), st="done")

        await world.set("reminder", call, {"rule": once | {"at": "2026-11-27T08:30"}})

        await world.at("08:30")
        assert world.rings()[-1] == occ_of(call, "08:30")


async def test_a_dose_as_needed_stands_for_the_first_planned_one_once_the_order_has_times(database):
    """It was given, whatever it was called: an hour later it is not given again."""
    async with a_world(database) as world:
        as_needed = order(kind="as_needed", why_needed="Ont", min_interval="PT4H", max_24h=4)
        as_needed |= {"follow_up": None}
        del as_needed["rule"]
        rec, base = await propose(world, as_needed)
        await world.at("08:00")
        await given(world, occ_of(rec, "08:00"), prn=True)

        await moved(world, rec, base, "08:45", "20:00")

        for time in ("08:45", "09:30", "11:00"):
            await world.at(time)
        assert world.rings() == []
        await world.at("20:00")
        assert world.rings() == [occ_of(rec, "20:00")]

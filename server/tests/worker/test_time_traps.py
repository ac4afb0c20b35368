"""Nights, wrong clocks and late edits, where the engine must name the right occurrence."""

from datetime import timedelta

import pytest
from engine_world import DAY, a_world, occ_of


async def test_what_came_before_midnight_and_is_answered_after_it_is_yesterdays(database):
    async with a_world(database, f"{DAY}T23:00") as world:
        reminder = await world.plan("23:50")
        occ = occ_of(reminder, "23:50")
        await world.at("23:50")

        await world.at("2026-11-28T00:20")
        await world.say("completion", occ=occ, st="done")
        await world.tick()

        assert await world.state(occ) == "closed"
        assert "2026-11-28T23:50" in await world.due()


async def test_a_midnight_occurrence_that_is_answered_at_twenty_past_is_todays(database):
    async with a_world(database, f"{DAY}T23:00") as world:
        reminder = await world.plan("00:00")
        await world.at("2026-11-28T00:00")
        occ = occ_of(reminder, "00:00", "2026-11-28")

        await world.at("2026-11-28T00:20")
        await world.say("completion", occ=occ, st="done")
        await world.at("2026-11-28T08:00")

        assert await world.state(occ) == "closed"
        assert [alert["closed"]["why"] for alert in await world.alerts()] == ["outcome"]
        await world.at("2026-11-29T00:00")
        assert world.rings()[-1] == occ_of(reminder, "00:00", "2026-11-29")


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_tablet_whose_clock_is_a_day_off_answers_what_it_shows_and_nothing_else(
    database, days
):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        occ = occ_of(reminder, "08:00")
        await world.at("08:00")
        wrong = world.moment(world.now + timedelta(days=days))

        await world.say("rang", occ=occ, how="sound", at=wrong)
        await world.say("completion", occ=occ, st="done", at=wrong)
        await world.at("08:30")

        row = await world.occurrence(occ)
        assert row["state"] == "closed"
        assert row["closed_at"] <= world.now
        await world.at("2026-11-28T08:00")
        assert world.rings()[-1] == occ_of(reminder, "08:00", "2026-11-28")


async def test_an_edit_that_arrives_late_moves_what_waits_and_not_what_was_answered(database):
    """A supporter moved breakfast offline; the resident answered it meanwhile, as it was."""
    async with a_world(database) as world:
        answered = await world.plan("08:00")
        waiting = await world.plan("08:00", title="Promenad")
        await world.at("08:00")
        await world.say("completion", occ=occ_of(answered, "08:00"), st="done")

        await world.at("08:20")
        for reminder in (answered, waiting):
            await world.plan("09:00", id=reminder)
        await world.tick()

        assert await world.state(occ_of(answered, "08:00")) == "closed"
        assert await world.state(occ_of(waiting, "08:00")) == "cancelled"
        assert [alert["closed"]["why"] for alert in await world.alerts()] == ["cancelled"]
        before = len(world.rings())
        await world.at("09:00")
        # Breakfast has been eaten, whatever time it has by now.
        assert world.rings()[before:] == [occ_of(waiting, "09:00")]
        await world.at("2026-11-28T09:00")
        assert occ_of(answered, "09:00", "2026-11-28") in world.rings()

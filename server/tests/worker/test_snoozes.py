"""What "Påminn igen" does: it rings later, and the grace begins anew."""

from datetime import timedelta

import pytest
from engine_world import DAY, a_world, occ_of

from mos.kernel.ids import named_id


async def test_snoozing_rings_later_and_moves_the_grace(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        await world.at("08:02")
        until = world.moment(world.local("08:12"))
        await world.say("snooze", occ=occ, until=until)

        await world.at("08:05")
        await world.at("08:10")
        assert world.rings() == [occ]

        await world.at("08:12")
        await world.at("08:17")
        assert world.rings() == [occ] * 3

        await world.at("08:26")
        assert await world.state(occ) == "told"
        await world.at("08:27")
        assert await world.state(occ) == "late"
        await world.at("08:42")
        assert await world.state(occ) == "missed"


async def test_snoozing_what_is_critical_moves_no_grace(database):
    async with a_world(database) as world:
        medicine = await world.plan("08:00", criticality="critical", grace=15)
        occ = occ_of(medicine, "08:00")
        await world.at("08:00")
        await world.say("snooze", occ=occ, until=world.moment(world.local("08:07")))

        await world.at("08:05")
        assert world.rings() == [occ]
        await world.at("08:07")
        assert world.rings() == [occ] * 2
        await world.at("08:10")
        assert await world.state(occ) == "late"
        await world.at("08:15")
        assert await world.state(occ) == "missed"


async def a_critical_snooze_past_its_grace(world):
    """Snooze a medicine at 08:12 until 08:22, and let it be missed at 08:15; return its names."""
    medicine = await world.plan("08:00", criticality="critical", grace=15)
    occ = occ_of(medicine, "08:00")
    await world.at("08:00")
    await world.at("08:05")
    world.now = world.local("08:12")
    snooze = await world.say("snooze", occ=occ, until=world.moment(world.local("08:22")))
    await world.at("08:15")
    assert await world.state(occ) == "missed"
    assert world.rings() == [occ] * 2
    return medicine, occ, snooze


async def test_what_is_critical_and_missed_rings_when_the_snooze_said(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        _, occ, _ = await a_critical_snooze_past_its_grace(world)
        called = len(contact.told)
        before = await world.alerts()

        await world.at("08:21")
        assert world.rings() == [occ] * 2
        await world.at("08:22")
        assert world.rings() == [occ] * 3
        await world.at("08:29")

        assert world.rings() == [occ] * 3
        assert await world.state(occ) == "missed"
        assert await world.alerts() == before
        assert [alert["what"]["kind"] for alert in before] == ["missed"]
        assert len(contact.told) == called


async def test_what_is_critical_and_answered_meanwhile_rings_no_more(database):
    async with a_world(database) as world:
        _, occ, _ = await a_critical_snooze_past_its_grace(world)
        world.now = world.local("08:20")
        await world.say("completion", occ=occ, st="done")

        await world.at("08:22")

        assert world.rings() == [occ] * 2
        assert await world.state(occ) == "closed"


async def test_a_snooze_taken_back_after_the_miss_does_not_ring(database):
    async with a_world(database) as world:
        _, occ, snooze = await a_critical_snooze_past_its_grace(world)

        await world.say("retract", of=str(snooze))
        await world.at("08:22")

        assert world.rings() == [occ] * 2
        assert await world.state(occ) == "missed"


@pytest.mark.parametrize("change", ["deleted", "paused"])
async def test_a_missed_occurrence_that_the_plan_silences_does_not_ring(database, change):
    async with a_world(database) as world:
        medicine, occ, _ = await a_critical_snooze_past_its_grace(world)
        if change == "deleted":
            await world.set("reminder", medicine, {"deleted": True})
        else:
            pause = [{"from": DAY, "to": DAY, "why": "Sjukhus"}]
            await world.set("profile", named_id(world.space, "profile"), {"pause": pause})

        await world.at("08:22")

        assert world.rings() == [occ] * 2
        assert await world.state(occ) == "missed"


async def test_snoozing_what_is_critical_and_missed_rings_and_leaves_the_alert_alone(database):
    async with a_world(database) as world:
        medicine = await world.plan("08:00", criticality="critical", grace=15)
        occ = occ_of(medicine, "08:00")
        await world.at("08:00")
        await world.at("08:15")
        before = await world.alerts()
        await world.say("snooze", occ=occ, until=world.moment(world.local("08:26")))

        await world.at("08:26")

        assert world.rings() == [occ] * 2
        assert await world.state(occ) == "missed"
        assert await world.alerts() == before


@pytest.mark.parametrize(("back", "rings"), [("2026-11-27T09:00", 3), ("2026-11-28T09:00", 2)])
async def test_a_snooze_that_nothing_ran_for_rings_late_once_and_not_days_later(
    database, back, rings
):
    async with a_world(database) as world:
        _, occ, _ = await a_critical_snooze_past_its_grace(world)

        await world.at(back)
        await world.later(minutes=1)

        assert world.rings().count(occ) == rings
        assert await world.state(occ) == "missed"


async def test_a_snooze_taken_back_rings_as_before(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        later = world.moment(world.local("08:20"))
        snooze = await world.say("snooze", occ=occ, until=later)
        await world.tick()

        await world.say("retract", of=str(snooze))
        await world.at("08:05")
        assert world.rings() == [occ] * 2
        await world.at("08:30")

        assert await world.state(occ) == "missed"


async def test_snoozing_what_was_missed_rings_once_more(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        await world.at("08:30")
        await world.say("snooze", occ=occ, until=world.moment(world.local("08:40")))

        await world.at("08:40")
        assert world.rings() == [occ] * 2
        await world.at("09:10")

        assert await world.state(occ) == "missed"
        assert len(await world.alerts()) == 1


async def test_a_snooze_that_comes_before_the_worker_holds(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        world.now = world.local("08:02")

        await world.say("snooze", occ=occ, until=world.moment(world.local("08:12")))
        await world.at("08:05")
        assert world.rings() == []
        await world.at("08:12")

        assert world.rings() == [occ]


async def test_a_tablet_whose_clock_is_a_year_ahead_snoozes_for_minutes_all_the_same(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        ahead = world.now + timedelta(days=365)

        await world.say(
            "snooze", occ=occ, at=world.moment(ahead),
            until=world.moment(ahead + timedelta(minutes=10)),
        )  # fmt: skip
        await world.at("08:10")
        assert world.rings() == [occ, occ]
        await world.at("08:41")

        assert await world.state(occ) == "missed"


async def test_what_needs_no_answer_and_rings_by_a_snooze_after_all_calls_nobody_any_more(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00", checkable=False), "08:00")
        # Nothing ran at eight: it is missed, and told.
        await world.at("09:00")
        await world.say("snooze", occ=occ, until=world.moment(world.local("09:10")))
        await world.at("09:10")
        assert world.rings() == [occ]
        await world.at("09:40")

        assert (await world.occurrence(occ))["outcome"] == "shown"
        (alert,) = await world.alerts()
        assert alert["closed"]["why"] == "outcome"

"""What "Påminn igen" does: it rings later, and the grace begins anew."""

from datetime import timedelta

from engine_world import a_world, occ_of


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

"""Devices that say they rang, and those that say nothing."""

from engine_world import a_world, occ_of


async def test_a_tablet_that_rang_by_itself_counts_as_told(database):
    async with a_world(database) as world:
        world.service.answers = [503] * 50
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        assert await world.state(occ) == "due"

        await world.later(seconds=5)
        await world.say("rang", occ=occ, how="sound")
        await world.tick()

        assert await world.state(occ) == "told"
        states = await database.sql("SELECT channel, state FROM delivery WHERE kind = 'ring'")
        assert {row["state"] for row in states} == {"seen"}


async def test_a_supporters_device_that_rang_is_not_the_residents(database):
    async with a_world(database) as world:
        caregiver, _ = await world.supporter(primary=True)
        world.service.answers = [503] * 50
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")

        rang = world.event("rang", occ=occ, at=world.now, how="sound")
        await world.push(rang, by=caregiver)
        await world.tick()

        assert await world.state(occ) == "due"


async def test_a_tablet_that_stays_silent_is_an_alert_until_it_is_heard(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await database.sql(
            "UPDATE device SET push_endpoint = NULL WHERE device_id = $1", world.tablet
        )
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        await world.at("08:01")
        assert contact.told == []

        await world.at("08:02")
        (alert,) = await world.alerts()
        assert alert["what"]["kind"] == "silent"
        assert len(contact.told) == 1

        await world.at("08:04")
        await world.say("rang", occ=occ, how="sound")
        await world.tick()
        assert (await world.alerts())[0]["closed"]["why"] == "cancelled"


async def test_a_tablet_that_is_quicker_than_the_worker_is_believed(database):
    async with a_world(database) as world:
        await database.sql(
            "UPDATE device SET push_endpoint = NULL WHERE device_id = $1", world.tablet
        )
        occ = occ_of(await world.plan("08:00"), "08:00")
        world.now = world.local("08:00")

        await world.say("rang", occ=occ, how="sound")
        await world.tick()
        await world.at("08:05")

        assert await world.state(occ) == "told"
        assert await world.alerts() == []

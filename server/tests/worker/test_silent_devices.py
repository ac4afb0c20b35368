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


async def _beats(world, *, at, kiosk=True):
    """Let the tablet have sent its last heartbeat at that wall time."""
    await world.database.sql(
        "UPDATE device SET beat_at = $2, kiosk = $3 WHERE device_id = $1",
        world.tablet, world.local(at), kiosk,
    )  # fmt: skip


async def test_a_tablet_in_kiosk_mode_that_is_cut_off_is_an_alert_though_its_push_was_taken(
    database,
):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await _beats(world, at="07:55")
        await world.at("08:00")
        await world.at("08:09")
        assert await world.state(occ) == "told"
        assert await world.alerts() == []

        await world.at("08:10")

        (alert,) = await world.alerts()
        assert alert["what"]["kind"] == "silent"
        assert len(contact.told) == 1


async def test_a_tablet_that_was_cut_off_before_something_is_due_is_told_when_it_is(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await world.plan("08:00")
        await _beats(world, at="06:00")
        await world.at("07:59")
        assert await world.alerts() == []

        await world.at("08:00")
        await world.at("08:02")

        assert [alert["what"]["kind"] for alert in await world.alerts()] == ["silent"]


async def test_a_tablet_in_kiosk_mode_that_goes_on_beating_is_no_alert(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await world.plan("08:00", grace=120)
        await world.at("08:00")
        for minutes in range(5, 90, 5):
            await _beats(world, at=f"{8 + minutes // 60:02}:{minutes % 60:02}")
            await world.at(f"{8 + minutes // 60:02}:{minutes % 60:02}")
        assert await world.alerts() == []

        await world.at("09:40")

        assert "silent" in {alert["what"]["kind"] for alert in await world.alerts()}


async def test_a_closed_phone_that_said_it_rang_is_not_asked_for_more(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00", grace=120), "08:00")
        await _beats(world, at="06:00", kiosk=False)
        await world.at("08:00")
        await world.say("rang", occ=occ, how="push")
        await world.tick()

        await world.at("08:02")
        await world.at("08:40")

        assert await world.alerts() == []


async def test_a_closed_phone_that_says_nothing_of_its_push_is_an_alert_after_fifteen_minutes(
    database,
):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await world.plan("08:00", grace=120)
        await _beats(world, at="06:00", kiosk=False)
        await world.at("08:00")
        await world.at("08:02")
        await world.at("08:14")
        assert await world.alerts() == []

        await world.at("08:15")

        assert [alert["what"]["kind"] for alert in await world.alerts()] == ["silent"]


async def test_two_things_that_are_due_and_a_tablet_that_says_nothing_are_one_alert(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await world.plan("08:00", grace=120)
        await world.plan("08:05", grace=120)
        await _beats(world, at="06:00")
        for minute in ("08:00", "08:02", "08:05", "08:07", "08:30"):
            await world.at(minute)

        assert [alert["what"]["kind"] for alert in await world.alerts()] == ["silent"]


async def test_a_heartbeat_ends_the_alert_of_a_tablet_that_was_cut_off(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await world.plan("08:00", grace=120)
        await _beats(world, at="06:00")
        await world.at("08:00")
        await world.at("08:02")

        await world.beat()
        await world.tick()

        (alert,) = await world.alerts()
        assert alert["closed"]["why"] == "cancelled"


async def test_a_tablet_that_lives_and_has_not_rung_stays_an_alert(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await database.sql(
            "UPDATE device SET push_endpoint = NULL WHERE device_id = $1", world.tablet
        )
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:02")

        await world.beat()
        await world.tick()

        (alert,) = await world.alerts()
        assert "closed" not in alert or alert["closed"] is None

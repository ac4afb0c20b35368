"""What "Klar" ends, and what undo begins again."""

from engine_world import a_world, occ_of

from mos.kernel.ids import named_id


async def test_a_reminder_rings_at_its_time_and_klar_ends_it(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")

        await world.at("07:59")
        assert world.rings() == []

        await world.at("08:00")
        assert world.rings() == [occ]
        assert await world.state(occ) == "told"

        await world.later(minutes=3)
        await world.say("completion", occ=occ, st="done")
        await world.later(minutes=60)

        row = await world.occurrence(occ)
        assert (row["state"], row["outcome"]) == ("closed", "done")
        assert world.rings() == [occ]
        assert await world.alerts() == []


async def test_klar_before_its_time_keeps_it_from_ringing(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")

        await world.say("completion", occ=occ, st="done")
        await world.at("08:00")

        row = await world.occurrence(occ)
        assert (row["state"], row["outcome"]) == ("closed", "done")
        assert world.rings() == []


async def test_klar_before_its_time_that_is_taken_back_lets_it_ring(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")

        done = await world.say("completion", occ=occ, st="done")
        await world.say("retract", of=str(done))
        await world.at("08:00")

        assert world.rings() == [occ]


async def test_undo_lets_it_ring_again(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        done = await world.say("completion", occ=occ, st="done")
        await world.later(seconds=8)

        await world.say("retract", of=str(done))
        await world.tick()
        assert await world.state(occ) == "told"

        await world.at("08:05")
        assert world.rings() == [occ] * 2


async def test_klar_and_undo_in_one_push_count_for_nothing_in_either_order(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        resident = world.home.resident.account
        done = world.event("completion", occ=occ, st="done")
        undo = world.event("retract", of=str(done["op"]))

        await world.push(undo, done, by=resident, device=world.tablet)
        await world.tick()

        assert await world.state(occ) == "told"


async def test_two_say_klar_and_one_takes_it_back(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:01")
        first = await world.say("completion", occ=occ, st="done")
        await world.later(minutes=1)
        await world.say("completion", occ=occ, st="partly", by=world.home.caregiver)
        assert (await world.occurrence(occ))["outcome"] == "done"

        await world.say("retract", of=str(first))
        await world.tick()

        row = await world.occurrence(occ)
        assert (row["state"], row["outcome"]) == ("closed", "partly")


async def test_klar_after_it_was_missed_is_recorded_and_closes_the_alert(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        await world.at("08:30")

        await world.later(minutes=10)
        await world.say("completion", occ=occ, st="refused", by=world.home.caregiver)
        await world.tick()

        row = await world.occurrence(occ)
        assert (row["state"], row["outcome"]) == ("closed", "refused")
        (alert,) = await world.alerts()
        assert alert["closed"] == {"at": "2026-11-27T07:40:00.000Z", "why": "outcome"}
        # What still shows on screens is asked to go away.
        assert contact.told[-1]["kind"] == "close"
        assert contact.told[-1]["tag"] == str(named_id(world.space, f"alert/{occ}"))


async def test_undo_after_the_alert_was_closed_alerts_again(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        await world.at("08:30")
        done = await world.say("completion", occ=occ, st="done")
        await world.tick()
        assert (await world.alerts())[0]["closed"]

        await world.say("retract", of=str(done))
        await world.tick()

        assert await world.state(occ) == "missed"
        assert (await world.alerts())[0]["closed"] is None

"""What goes wrong on the way to somebody who comes: each trap, and that the chain goes on."""

import asyncio

from engine_world import DAY, a_world, occ_of

from mos.kernel.ids import named_id
from mos.worker.loop import Worker

# So that the tablet's rings do not get the answers that are meant for phones.
ONCE = {"start": True, "again": False, "before": None}


def kinds(phone):
    return [told["kind"] for told in phone.told]


async def test_a_phone_that_is_gone_makes_the_next_step_come_at_once(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        await world.plan("08:00", ring=ONCE)
        await world.at("08:00")
        world.service.answers = [410]

        await world.at("08:15")
        await world.tick()

        assert (kinds(contact), kinds(ward)) == ([], ["alert"])
        # The step has been taken: when its own time comes nobody hears it twice.
        await world.at("08:30")
        assert kinds(ward) == ["alert"]
        await world.at("09:00")
        assert kinds(ward) == ["alert", "alert"]


async def test_one_phone_of_two_that_answers_is_enough(database):
    async with a_world(database) as world:
        contact, _ = await world.supporter(primary=True)
        await world.phone(contact)
        _, ward = await world.supporter(unit=True)
        await world.plan("08:00", ring=ONCE)
        await world.at("08:00")
        world.service.answers = [410]

        await world.at("08:15")
        await world.tick()

        assert ward.told == []


async def test_when_every_channel_fails_the_ladder_ends_and_says_so(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await world.supporter(unit=True)
        await world.supporter()
        await world.plan("08:00", ring=ONCE)
        await world.at("08:00")
        world.service.answers = [400] * 20

        await world.at("08:15")
        for _ in range(5):
            await world.later(seconds=1)

        (alert,) = await world.alerts()
        assert alert["step"] == {"n": 3, "of": 3, "next_at": None}
        assert alert["closed"] is None
        states = await database.sql("SELECT DISTINCT state FROM delivery WHERE kind = 'alert'")
        assert [row["state"] for row in states] == ["failed"]


async def test_jag_tar_det_and_then_nothing_makes_the_chain_go_on(database):
    async with a_world(database) as world:
        contact, phone = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        taken = {
            "by": str(contact),
            "at": world.moment(world.now),
            "again_at": world.moment(world.local("08:35")),
        }
        alert = named_id(world.space, f"alert/{occ}")
        await world.set("alert", alert, {"taken": taken}, by=contact)
        await world.at("08:30")
        assert ward.told == []

        await world.at("08:35")

        assert kinds(ward) == ["alert"]
        assert kinds(phone) == ["alert", "close", "alert"]


async def test_a_carer_who_leaves_the_unit_in_the_middle_is_called_no_more(database):
    async with a_world(database) as world:
        leaver, phone = await world.supporter(unit=True)
        _, stays = await world.supporter(unit=True)
        await world.plan("08:00")
        await world.at("08:15")
        assert kinds(phone) == kinds(stays) == ["alert"]

        await database.sql(
            "UPDATE relation SET valid_to = $2 WHERE account_id = $1", leaver, world.now
        )
        await world.at("08:30")
        await world.at("09:00")

        assert kinds(phone) == ["alert"]
        assert kinds(stays) == ["alert"] * 3


async def test_a_chain_goes_on_after_the_worker_was_away_in_the_middle(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        await world.plan("08:00")
        await world.at("08:15")
        await world.worker.close()

        world.worker = Worker(database.app, database.engine, world.post, world.messengers)
        await world.at("09:10")

        # Two steps passed meanwhile: they are one, the widest.
        assert (kinds(contact), kinds(ward)) == (["alert"] * 2, ["alert"])
        assert (await world.alerts())[0]["step"]["n"] == 3


async def test_a_clock_that_jumps_ahead_and_back_tells_each_step_once(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await world.plan("08:00")
        await world.at("08:15")
        await world.at("08:31")
        assert kinds(contact) == ["alert"] * 2

        for time in ("08:10", "08:16", "08:30", "08:31"):
            await world.at(time)

        assert kinds(contact) == ["alert"] * 2
        await world.at("09:00")
        assert kinds(contact) == ["alert"] * 3


async def test_two_schedulers_tell_each_step_exactly_once(database):
    async with a_world(database, residents=5) as world:
        _, ward = await world.supporter(unit=True)
        for resident in world.home.residents:
            await world.plan("08:00", space=resident.space)
        other = Worker(database.app, database.engine, world.post, world.messengers)
        for time in ("08:00", "08:15", "08:30", "09:00"):
            world.now = world.local(time)
            await asyncio.gather(*(w.tick(world.now) for w in (world.worker, other) * 2))
            for worker in (world.worker, other):
                await worker.idle()
                await worker.tick(world.now)

        rows = await database.sql(
            "SELECT subject, step, count(*) AS n FROM delivery WHERE kind = 'alert' "
            "GROUP BY subject, step"
        )
        assert len(rows) == 5 * 3
        assert {row["n"] for row in rows} == {1}
        assert len(ward.told) == 5 * 3
        await other.close()


async def test_quiet_hours_let_somebody_rest_unless_it_is_critical_or_nobody_else_is_there(
    database,
):
    async with a_world(database, f"{DAY}T21:00") as world:
        contact, phone = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        await database.sql(
            "UPDATE account SET quiet_from = '21:30', quiet_to = '06:00', "
            "quiet_zone = 'Europe/Stockholm' WHERE account_id = $1", contact,
        )  # fmt: skip
        await world.plan("22:00", category="rest")
        await world.at("22:00")

        # Alone on the step, the contact person is told all the same; beside the unit, not.
        await world.at("22:15")
        assert (kinds(phone), kinds(ward)) == (["alert"], [])
        await world.at("22:30")
        assert (kinds(phone), kinds(ward)) == (["alert"], ["alert"])

        await world.plan("23:00", category="rest", criticality="critical", grace=15)
        for time in ("23:00", "23:10", "23:15"):
            await world.at(time)
        assert kinds(phone)[1:] == ["alert"] * 2


async def test_a_silent_tablet_while_something_critical_is_due_wakes_whoever_rests(database):
    async with a_world(database, f"{DAY}T21:00") as world:
        contact, phone = await world.supporter(primary=True)
        await world.supporter(unit=True)
        await database.sql(
            "UPDATE account SET quiet_from = '21:00', quiet_to = '06:00', "
            "quiet_zone = 'Europe/Stockholm' WHERE account_id = $1", contact,
        )  # fmt: skip
        await world.plan("22:00", criticality="critical", grace=60)
        world.service.answers = [503] * 50
        await world.at("22:00")
        world.service.answers = []

        await world.at("22:03")
        await world.at("22:18")

        silent = [row for row in await world.alerts() if row["what"]["kind"] == "silent"]
        assert len(silent) == 1
        assert "alert" in kinds(phone)

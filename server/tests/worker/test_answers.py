"""What "Klar" ends, and what undo begins again."""

import asyncio

from engine_world import a_world, occ_of

from mos.db import Scope
from mos.dispatch import actions, engine
from mos.dispatch.model import Answer
from mos.kernel.ids import named_id, new_id


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


async def test_klar_while_a_worker_takes_it_from_the_plan_counts(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        world.now = world.local("08:00")

        async with database.engine.transaction() as db:
            assert await engine.claim(db, world.now, 10) == 1
            tap = asyncio.create_task(world.say("completion", occ=occ, st="done"))
            # It waits for the worker, or has not seen what that one does.
            await asyncio.wait({tap}, timeout=0.3)
        done = await tap
        await world.later(minutes=60)

        row = await world.occurrence(occ)
        assert (row["state"], row["closed_by"]) == ("closed", done)
        assert await world.alerts() == []


async def test_an_undo_while_a_worker_takes_it_from_the_plan_counts(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        done = await world.say("completion", occ=occ, st="done")
        world.now = world.local("08:00")

        async with database.engine.transaction() as db:
            assert await engine.claim(db, world.now, 10) == 1
            undo = asyncio.create_task(world.say("retract", of=str(done)))
            await asyncio.wait({undo}, timeout=0.3)
        await undo
        await world.tick()

        assert world.rings() == [occ]


async def test_what_somebody_is_just_answering_is_taken_by_no_worker(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        world.now = world.local("08:00")

        async with database.app.transaction(Scope(world.home.org, (world.space,))) as db:
            answer = Answer(new_id(world.now), "done", world.now)
            await actions.answer(db, world.home.org, [(world.space, occ, answer)], world.now)
            async with database.engine.transaction() as other:
                assert await engine.claim(other, world.now, 10) == 0
        await world.tick()

        row = await world.occurrence(occ)
        assert (row["state"], row["closed_by"]) == ("closed", answer.op)
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
        await world.say("completion", occ=occ, st="partly", note="lite", by=world.home.caregiver)
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
        await world.say(
            "completion", occ=occ, st="refused", note="ville vänta", by=world.home.caregiver
        )
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


async def test_what_is_logged_days_later_keeps_when_it_happened_and_when_it_came(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        await world.at("09:00")
        happened = world.local("08:20")

        await world.later(days=6)
        await world.say(
            "completion", occ=occ, st="asleep", note="vaknade inte",
            at=world.moment(happened), by=world.home.caregiver,
        )  # fmt: skip
        await world.tick()

        row = await world.occurrence(occ)
        assert (row["state"], row["outcome"], row["closed_at"]) == ("closed", "asleep", happened)
        (answer,) = await database.sql("SELECT at, received_at FROM answer")
        assert (answer["at"], answer["received_at"]) == (happened, world.now)
        assert contact.told[-1]["kind"] == "close"


async def test_a_code_of_staff_is_taken_back_like_any_other_answer(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:05")
        said = await world.say(
            "completion", occ=occ, st="held", note="efter provet", by=world.home.caregiver
        )
        assert (await world.occurrence(occ))["outcome"] == "held"

        await world.say("retract", of=str(said), by=world.home.caregiver)
        await world.at("08:30")

        assert await world.state(occ) == "missed"

"""When the resident's devices ring, and what a push holds."""

import asyncio

from engine_world import a_world, occ_of


async def test_a_push_holds_ids_and_nothing_else(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00", title="Blodtryck 140", note="hemligt"), "08:00")
        await world.at("08:00")

        assert world.tablet_browser.told == [
            {"kind": "ring", "space": str(world.space), "occ": occ}
        ]


async def test_it_rings_again_after_five_and_ten_minutes(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")

        for minute in range(15):
            await world.at(f"08:{minute:02}")

        assert world.rings() == [occ] * 3


async def test_it_rings_once_where_ringing_again_is_off(database):
    async with a_world(database) as world:
        ring = {"start": True, "again": False, "before": None}
        occ = occ_of(await world.plan("08:00", ring=ring), "08:00")

        for minute in range(15):
            await world.at(f"08:{minute:02}")

        assert world.rings() == [occ]


async def test_it_rings_before_its_time_and_at_its_time(database):
    async with a_world(database) as world:
        ring = {"start": True, "again": False, "before": 10}
        occ = occ_of(await world.plan("08:00", ring=ring), "08:00")

        await world.at("07:50")
        assert world.rings() == [occ]
        assert await world.state(occ) == "planned"

        await world.at("07:55")
        assert world.rings() == [occ]

        await world.at("08:00")
        assert world.rings() == [occ] * 2
        assert await world.state(occ) == "told"


async def test_what_needs_no_answer_rings_once_and_ends_as_shown(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00", checkable=False, category="rest"), "08:00")

        await world.at("08:00")
        await world.at("08:10")
        await world.at("09:00")

        row = await world.occurrence(occ)
        assert (row["state"], row["outcome"]) == ("closed", "shown")
        assert world.rings() == [occ]
        assert await world.alerts() == []


async def test_a_meal_that_is_over_when_the_worker_is_back_is_told_and_not_rung(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await world.plan("08:00", category="meal")
        await world.tick()

        await world.at("08:40")

        assert world.rings() == []
        assert await world.state() == "missed"
        assert [told["kind"] for told in contact.told] == ["alert"]


async def test_a_medicine_found_late_rings_once_and_alerts_until_it_is_too_late(database):
    for minute, rung in (("08:40", 1), ("09:05", 0)):
        async with a_world(database) as world:
            _, contact = await world.supporter(primary=True)
            await world.plan("08:00", category="medication")
            await world.tick()

            await world.at(minute)
            await world.later(minutes=5)

            assert len(world.rings()) == rung
            assert await world.state(world.rings()[0] if rung else None) == "missed"
            assert contact.told[0]["kind"] == "alert"
        await database.sql("TRUNCATE occurrence, alert, delivery, due, horizon")
        await database.sql("DELETE FROM rec WHERE coll IN ('reminder', 'alert')")


async def test_what_was_taken_first_is_told_while_the_rest_still_waits(database, monkeypatch):
    monkeypatch.setattr("mos.worker.loop._BATCH", 2)
    async with a_world(database) as world:
        for _ in range(5):
            await world.plan("08:00")
        world.now = world.local("08:00")
        taken = []
        while len(world.rings()) < 5:
            await world.worker.tick(world.now)
            await world.worker.idle()
            taken.append(len(world.rings()))

        assert taken == [2, 4, 5]


async def test_a_worker_that_has_more_to_take_does_not_rest(database, monkeypatch):
    taken, stop = [], asyncio.Event()

    async def rest(*_):
        taken.append(len(await database.sql("SELECT FROM occurrence")))
        stop.set()

    monkeypatch.setattr("mos.worker.loop._BATCH", 1)
    monkeypatch.setattr("mos.worker.loop.Worker._rest", rest)
    async with a_world(database) as world:
        for _ in range(4):
            await world.plan("08:00")
        world.now = world.local("08:00")
        await world.worker.work(lambda: world.now, stop)

        assert taken == [4]

"""When the resident's devices ring, and what a push holds."""

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

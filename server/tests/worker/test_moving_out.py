"""Residents who move out, and come back."""

from engine_world import a_world, occ_of


async def test_nobody_is_called_about_a_resident_who_has_moved_out(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00", "12:00"), "08:00")
        await world.at("08:00")

        await database.sql(
            "UPDATE resident SET archived_at = $2 WHERE space_id = $1", world.space, world.now
        )
        await world.at("08:30")
        await world.at("13:00")

        assert await world.state(occ) == "cancelled"
        assert await world.due() == []
        assert contact.told == []


async def test_what_is_open_of_a_resident_who_moves_out_is_closed(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:30")
        await world.say("help", why="help")
        await world.tick()
        assert [alert["closed"] for alert in await world.alerts()] == [None, None]

        await database.sql(
            "UPDATE resident SET archived_at = $2 WHERE space_id = $1", world.space, world.now
        )
        await world.later(seconds=1)
        contact.told.clear()
        await world.later(hours=2)

        assert {alert["closed"]["why"] for alert in await world.alerts()} == {"cancelled"}
        assert contact.told == []
        [row] = await database.sql("SELECT count(*) AS n FROM delivery WHERE next_at IS NOT NULL")
        assert row["n"] == 0


async def test_who_comes_back_is_rung_for_again_ten_seconds_later(database):
    async with a_world(database) as world:
        await world.plan("08:00")
        for archived_at in (world.now, None):
            await database.sql("UPDATE resident SET archived_at = $1", archived_at)
            await world.later(seconds=10)

        assert await world.due() == ["2026-11-27T08:00", "2026-11-28T08:00"]

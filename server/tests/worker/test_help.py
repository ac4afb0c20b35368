"""Calls for help."""

from engine_world import a_world

from mos.kernel.ids import named_id


async def test_a_call_for_help_reaches_the_unit_at_once_and_can_be_taken_back(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)

        call = await world.say("help", why="help")
        await world.tick()

        assert [told["kind"] for told in ward.told] == ["alert"]
        assert ward.told[0]["alert"] == str(named_id(world.space, f"alert/{call}"))
        assert len(contact.told) == 1
        (alert,) = await world.alerts()
        assert alert["what"] == {
            "kind": "help",
            "at": "2026-11-27T06:00:00.000Z",
            "help": str(call),
        }

        await world.say("retract", of=str(call))
        await world.later(minutes=10)
        assert (await world.alerts())[0]["closed"]["why"] == "cancelled"
        assert [told["kind"] for told in ward.told] == ["alert", "close"]


async def test_a_call_for_help_taken_back_in_the_same_push_calls_nobody(database):
    async with a_world(database) as world:
        _, ward = await world.supporter(unit=True)
        call = world.event("help", why="unwilling")

        undo = world.event("retract", of=str(call["op"]))
        await world.push(call, undo, by=world.home.resident.account)
        await world.tick()

        assert ward.told == []

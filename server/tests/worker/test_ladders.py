"""Ladders that people choose: who is called, and when."""

from typing import Any

from engine_world import a_world, occ_of

from mos.kernel.ids import named_id, new_id


def step(tell: Any, after: int, *by: str) -> dict[str, Any]:
    return {"tell": tell, "after": after} | ({"by": list(by)} if by else {})


async def choose(world, *steps, category=None, criticality=None, **more):
    """Let the caregiver choose the resident's ladder for this."""
    name = f"ladder/{category or '*'}/{criticality or '*'}"
    groups = {"for": {"category": category, "criticality": criticality}, "steps": list(steps)}
    await world.set("ladder", named_id(world.space, name), groups | more)


async def test_a_chosen_ladder_calls_its_people_at_its_minutes(database):
    async with a_world(database) as world:
        friend, phone = await world.supporter()
        _, ward = await world.supporter(unit=True)
        await choose(world, step({"account": str(friend)}, 5), step("unit", 20), category="meal")
        await world.plan("08:00")

        for time, told in (
            ("08:15", (0, 0)),
            ("08:34", (0, 0)),
            ("08:35", (1, 0)),
            ("08:50", (2, 1)),
        ):
            await world.at(time)
            assert (len(phone.told), len(ward.told)) == told, time

        (alert,) = await world.alerts()
        assert alert["step"] == {"n": 2, "of": 2, "next_at": None}


async def test_a_chosen_first_step_decides_when_it_is_late(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await choose(world, step("primary", -5), step("all", 0))
        await world.plan("08:00")
        await world.at("08:24")
        assert await world.state() == "told"

        await world.at("08:25")

        assert await world.state() == "late"
        assert len(contact.told) == 1


async def test_the_most_specific_ladder_holds(database):
    async with a_world(database) as world:
        await choose(world, step("all", 1))
        await choose(world, step("all", 2), criticality="important")
        await choose(world, step("all", 3), category="meal")
        await choose(world, step("all", 4), category="meal", criticality="important")
        meals = [await world.plan("08:00", criticality=c) for c in ("normal", "important")]
        walks = [
            await world.plan("08:00", category="movement", criticality=c)
            for c in ("normal", "important")
        ]
        await world.at("08:00")
        await world.at("08:30")

        rows = await database.sql(
            "SELECT occ, extract(minute FROM next_at)::int - 30 AS after FROM alert"
        )
        after = {row["occ"]: row["after"] for row in rows}
        assert [after[occ_of(each, "08:00")] for each in (*meals, *walks)] == [3, 4, 1, 2]


async def test_a_changed_ladder_holds_at_once_for_what_is_open(database):
    async with a_world(database) as world:
        friend, phone = await world.supporter()
        await world.supporter(unit=True)
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:31")
        assert phone.told == []

        await choose(world, step({"account": str(friend)}, 0), step("all", 60))
        await world.tick()

        assert len(phone.told) == 1
        (alert,) = await world.alerts()
        assert alert["step"] == {"n": 1, "of": 2, "next_at": "2026-11-27T08:30:00.000Z"}


async def test_a_changed_ladder_leaves_what_somebody_has_taken_alone(database):
    async with a_world(database) as world:
        contact, phone = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:31")
        taken = {
            "by": str(contact),
            "at": world.moment(world.now),
            "again_at": world.moment(world.local("08:50")),
        }
        alert = named_id(world.space, f"alert/{occ}")
        await world.set("alert", alert, {"taken": taken}, by=contact)
        await world.tick()
        before = len(phone.told)

        await choose(world, step("all", 0), step("unit", 1))
        await world.tick()
        await world.at("08:49")
        assert len(phone.told) == before

        await world.at("08:50")
        assert len(phone.told) == before + 1


async def test_a_ladder_that_is_taken_away_gives_way_to_the_wider_one(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await choose(world, step("all", 120), category="meal")
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:31")
        assert contact.told == []

        await choose(world, step("all", 120), category="meal", deleted=True)
        await world.tick()

        assert len(contact.told) == 1


async def test_a_critical_ladder_ends_with_everybody_whatever_it_says(database):
    async with a_world(database) as world:
        await world.supporter(unit=True)
        _, other = await world.supporter()
        await choose(world, step("primary", -5), step("unit", 10))
        await world.plan("08:00", criticality="critical", grace=15)
        await world.at("08:00")
        await world.at("08:24")
        assert other.told == []

        await world.at("08:25")

        assert len(other.told) == 1


async def test_an_account_that_has_left_is_replaced_by_the_unit(database):
    async with a_world(database) as world:
        friend, phone = await world.supporter()
        _, ward = await world.supporter(unit=True)
        await choose(world, step({"account": str(friend)}, 0), step("all", 60))
        await world.plan("08:00")
        await world.at("08:00")
        await database.sql(
            "UPDATE relation SET valid_to = $2 WHERE account_id = $1", friend, world.now
        )

        await world.at("08:30")

        assert (len(phone.told), len(ward.told)) == (0, 1)


async def test_a_contact_person_whom_nothing_reaches_is_not_waited_for(database):
    async with a_world(database) as world:
        contact, _ = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        await database.sql("UPDATE device SET push_gone_at = now() WHERE account_id = $1", contact)
        await world.plan("08:00")
        await world.at("08:00")

        await world.at("08:15")

        assert len(ward.told) == 1


async def test_a_record_under_another_id_chooses_nothing(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        groups = {"for": {"category": "meal", "criticality": None}, "steps": [step("all", 120)]}
        op = {"k": "set", "space": world.space, "coll": "ladder", "f": groups}
        anothers = named_id(world.space, "ladder/rest/*")
        await world.push(op | {"rec": anothers}, by=world.home.caregiver, verdict="invalid")
        await world.push(op | {"rec": new_id(world.now)}, by=world.home.caregiver)
        await world.plan("08:00")
        await world.at("08:00")

        await world.at("08:15")

        assert len(contact.told) == 1


async def test_what_becomes_critical_while_it_waits_walks_the_critical_ladder(database):
    async with a_world(database) as world:
        await world.supporter(primary=True)
        await world.supporter(unit=True)
        _, other = await world.supporter()
        reminder = await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:16")

        await world.set("reminder", reminder, {"criticality": "critical"})
        await world.at("08:30")
        assert other.told == []
        await world.at("08:45")

        # A quarter after the grace, not half an hour.
        assert len(other.told) == 1

"""Who is called when nobody answers, and when."""

from builders import a_relation
from engine_world import a_world, occ_of

from mos.kernel.ids import named_id


async def test_a_missed_meal_alerts_the_contact_person_then_the_unit_then_all(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        _, other = await world.supporter()
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        alert = str(named_id(world.space, f"alert/{occ}"))

        await world.at("08:14")
        assert contact.told == []

        await world.at("08:15")
        told = {"kind": "alert", "space": str(world.space), "alert": alert}
        assert (contact.told, ward.told, other.told) == ([told], [], [])
        assert await world.state(occ) == "late"

        await world.at("08:30")
        assert (len(contact.told), len(ward.told), len(other.told)) == (2, 1, 0)
        assert await world.state(occ) == "missed"

        await world.at("09:00")
        assert (len(contact.told), len(ward.told), len(other.told)) == (3, 2, 1)

        await world.at("12:00")
        assert (len(contact.told), len(ward.told), len(other.told)) == (3, 2, 1)


def heard(browser):
    """Return how many of the alerts that a phone was told made themselves heard."""
    return sum("quiet" not in told for told in browser.told)


async def test_what_is_late_at_the_same_moment_makes_a_phone_sound_once(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        occs = [occ_of(await world.plan("08:00"), "08:00") for _ in range(3)]
        await world.at("08:00")

        await world.at("08:15")
        # Each has a notification of its own, to be taken and to be cleared by itself.
        alerts = {str(named_id(world.space, f"alert/{occ}")) for occ in occs}
        assert {told["alert"] for told in contact.told} == alerts
        assert heard(contact) == 1

        await world.at("08:30")
        assert (len(contact.told), len(ward.told)) == (6, 3)
        assert (heard(contact), heard(ward)) == (2, 1)


async def test_what_is_late_for_two_residents_makes_a_phone_sound_for_each(database):
    async with a_world(database, residents=2) as world:
        _, ward = await world.supporter(unit=True)
        for resident in world.home.residents:
            await world.plan("08:00", "08:01", space=resident.space)
        await world.at("08:00")

        await world.at("08:15")
        assert heard(ward) == len(ward.told) == 2
        await world.at("08:16")
        assert heard(ward) == len(ward.told) == 4


async def test_a_phone_that_the_first_alert_does_not_reach_sounds_for_the_next(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        once = {"start": True, "again": False, "before": None}
        for _ in range(3):
            await world.plan("08:00", ring=once)
        await world.at("08:00")
        world.service.answers = [503]

        await world.at("08:15")
        assert heard(contact) == len(contact.told) == 2
        await world.later(seconds=5)

        # It comes alone now, and nobody has heard of it.
        assert heard(contact) == len(contact.told) == 3


async def test_a_missed_meal_is_in_the_space_within_the_same_tick(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        occ = occ_of(reminder, "08:00")
        await world.at("08:00")
        await world.at("08:15")
        (late,) = await world.alerts()
        assert late["what"]["kind"] == "late"

        world.now = world.local("08:30")
        await world.worker.tick(world.now)

        (alert,) = await world.alerts()
        assert alert["what"] == {
            "kind": "missed",
            "at": "2026-11-27T07:15:00.000Z",
            "occ": occ,
            "reminder": str(reminder),
        }
        assert alert["step"] == {"n": 2, "of": 3, "next_at": "2026-11-27T08:00:00.000Z"}
        assert (alert["taken"], alert["closed"]) == (None, None)


async def test_what_is_critical_calls_sooner(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await world.plan("08:00", criticality="critical", category="medication", grace=None)

        await world.at("08:00")
        await world.at("08:09")
        assert contact.told == []
        await world.at("08:10")
        assert len(contact.told) == 1
        await world.at("08:15")

        assert await world.state() == "missed"


async def test_a_short_grace_alerts_when_it_ends(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await world.plan("08:00", grace=2)

        await world.at("08:00")
        await world.at("08:02")

        assert await world.state() == "missed"
        assert contact.told


async def test_nobody_is_called_about_a_walk_before_it_is_over(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await world.plan("08:00", category="movement", minutes=60, grace=None)

        await world.at("08:00")
        await world.at("08:59")
        assert contact.told == []
        await world.at("09:00")

        assert len(contact.told) == 1


async def test_without_a_contact_person_the_unit_is_told_first(database):
    async with a_world(database) as world:
        _, ward = await world.supporter(unit=True)
        _, other = await world.supporter()
        await world.plan("08:00")

        await world.at("08:15")

        assert (len(ward.told), len(other.told)) == (1, 0)


async def test_somebody_whose_relation_has_ended_is_not_called(database):
    async with a_world(database) as world:
        former, phone = await world.supporter(primary=True)
        await database.sql(
            "UPDATE relation SET valid_to = $2 WHERE account_id = $1", former, world.now
        )
        await world.plan("08:00")

        await world.at("08:15")
        await world.at("09:00")

        assert phone.told == []


async def test_somebody_who_may_not_take_alerts_is_not_called(database):
    async with a_world(database) as world:
        await a_relation(
            database, world.home.org, world.home.admin, space=world.space,
            permissions=("plan.view",), is_primary=True,
        )  # fmt: skip
        _, phone = await world.phone(world.home.admin)
        await world.plan("08:00")

        await world.at("09:00")

        assert phone.told == []

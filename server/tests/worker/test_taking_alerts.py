"""What "Jag tar det" does: it holds the ladder, until somebody or time lets go of it."""

from datetime import timedelta

from engine_world import a_world, occ_of

from mos.kernel.ids import named_id


async def test_taking_an_alert_holds_the_ladder_and_lets_go_of_it(database):
    async with a_world(database) as world:
        contact, phone = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        alert = named_id(world.space, f"alert/{occ}")

        await world.at("08:16")
        taken = {
            "by": str(contact),
            "at": world.moment(world.now),
            "again_at": world.moment(world.local("08:40")),
        }
        await world.set("alert", alert, {"taken": taken}, by=contact)
        await world.tick()
        assert phone.told[-1]["kind"] == "close"

        await world.at("08:30")
        assert ward.told == []
        (record,) = await world.alerts()
        assert record["what"]["kind"] == "missed"
        assert record["taken"]["by"] == str(contact)

        await world.at("08:40")
        assert [told["kind"] for told in ward.told] == ["alert"]
        assert (await world.alerts())[0]["taken"] is None

        await world.at("09:00")
        assert len(ward.told) == 2


async def test_a_taken_alert_is_told_again_although_the_ladder_had_ended(database):
    async with a_world(database) as world:
        contact, phone = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        for time in ("08:15", "08:30", "09:00"):
            await world.at(time)
        taken = {
            "by": str(contact),
            "at": world.moment(world.now),
            "again_at": world.moment(world.local("09:20")),
        }
        await world.set(
            "alert", named_id(world.space, f"alert/{occ}"), {"taken": taken}, by=contact
        )
        await world.tick()
        before = len(phone.told)

        await world.at("09:20")

        assert [told["kind"] for told in phone.told[before:]] == ["alert"]


async def test_the_record_names_who_took_it_whatever_the_device_wrote(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        taken = {
            "by": str(world.home.admin),
            "at": world.moment(world.now),
            "again_at": world.moment(world.local("08:40")),
        }

        await world.set("alert", named_id(world.space, f"alert/{occ}"), {"taken": taken})
        await world.tick()

        assert (await world.alerts())[0]["taken"]["by"] == str(world.home.caregiver)


async def test_a_phone_whose_clock_is_ahead_holds_an_alert_as_long_as_it_said(database):
    async with a_world(database) as world:
        contact, _ = await world.supporter(primary=True)
        _, ward = await world.supporter(unit=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        ahead = world.now + timedelta(hours=6)
        taken = {
            "by": str(contact),
            "at": world.moment(ahead),
            "again_at": world.moment(ahead + timedelta(minutes=30)),
        }

        await world.set(
            "alert", named_id(world.space, f"alert/{occ}"), {"taken": taken}, by=contact
        )
        await world.at("08:44")
        assert ward.told == []
        await world.at("08:46")

        assert len(ward.told) == 1


async def test_an_alert_closed_by_hand_stays_closed(database):
    async with a_world(database) as world:
        contact, phone = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        closed = {"at": world.moment(world.now), "why": "by_hand"}

        alert = named_id(world.space, f"alert/{occ}")
        await world.set("alert", alert, {"closed": closed}, by=contact)
        await world.at("08:30")
        await world.at("09:30")

        assert await world.state(occ) == "missed"
        assert [told["kind"] for told in phone.told] == ["alert", "close"]
        assert (await world.alerts())[0]["closed"]["why"] == "by_hand"


async def test_an_alert_that_was_closed_by_mistake_goes_on_where_it_was(database):
    async with a_world(database) as world:
        contact, phone = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        alert = named_id(world.space, f"alert/{occ}")
        await world.at("08:15")
        closed = {"at": world.moment(world.now), "why": "by_hand"}

        await world.set("alert", alert, {"closed": closed}, by=contact)
        await world.set("alert", alert, {"closed": None}, by=contact)
        await world.at("08:16")

        assert [told["kind"] for told in phone.told] == ["alert", "close", "alert"]
        assert (await world.alerts())[0]["closed"] is None
        await world.at("08:30")
        assert phone.told[-1]["kind"] == "alert"
        assert (await world.alerts())[0]["what"]["kind"] == "missed"


async def test_what_was_answered_meanwhile_is_not_opened_again(database):
    async with a_world(database) as world:
        contact, phone = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        alert = named_id(world.space, f"alert/{occ}")
        await world.at("08:15")
        closed = {"at": world.moment(world.now), "why": "by_hand"}

        await world.set("alert", alert, {"closed": closed}, by=contact)
        await world.say("completion", occ=occ, st="done")
        await world.set("alert", alert, {"closed": None}, by=contact)
        await world.at("08:30")

        assert [told["kind"] for told in phone.told] == ["alert", "close"]
        assert (await world.alerts())[0]["closed"]["why"] == "by_hand"


async def test_what_an_answer_closed_stays_closed_in_the_record_whatever_a_device_wrote(database):
    async with a_world(database) as world:
        contact, _ = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        alert = named_id(world.space, f"alert/{occ}")
        await world.at("08:15")
        await world.say("completion", occ=occ, st="done")
        await world.tick()

        await world.set("alert", alert, {"closed": None}, by=contact)
        await world.tick()

        assert (await world.alerts())[0]["closed"]["why"] == "outcome"


# ───────────────────────────────────────────────────────────── handing over
async def hand_over(world, alert, *, by, to):
    """Let somebody ask another to take an alert."""
    taken = {
        "by": str(by),
        "to": str(to),
        "at": world.moment(world.now),
        "again_at": world.moment(world.now + timedelta(hours=1)),
    }
    await world.set("alert", alert, {"taken": taken}, by=by)
    await world.tick()


async def confirm(world, alert, *, by):
    """Let somebody say "Jag tar det"."""
    taken = {
        "by": str(by),
        "at": world.moment(world.now),
        "again_at": world.moment(world.now + timedelta(hours=1)),
    }
    await world.set("alert", alert, {"taken": taken}, by=by)
    await world.tick()


async def test_whoever_an_alert_is_handed_to_hears_at_once_and_takes_it(database):
    async with a_world(database) as world:
        contact, _ = await world.supporter(primary=True)
        sam, phone = await world.supporter()
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        alert = named_id(world.space, f"alert/{occ}")
        assert phone.told == []

        await hand_over(world, alert, by=contact, to=sam)
        assert [told["kind"] for told in phone.told] == ["alert"]
        (record,) = await world.alerts()
        assert record["taken"] == {
            "by": str(contact),
            "to": str(sam),
            "at": "2026-11-27T07:15:00.000Z",
            "again_at": "2026-11-27T07:20:00.000Z",
        }
        await world.at("08:17")
        await confirm(world, alert, by=sam)
        await world.at("08:50")

        (record,) = await world.alerts()
        assert (record["taken"]["by"], "to" in record["taken"]) == (str(sam), False)
        assert [told["kind"] for told in phone.told] == ["alert", "close"]


async def test_the_ladder_goes_on_when_nobody_confirms_within_five_minutes(database):
    async with a_world(database) as world:
        contact, phone = await world.supporter(primary=True)
        sam, other = await world.supporter()
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        await hand_over(world, named_id(world.space, f"alert/{occ}"), by=contact, to=sam)
        await world.at("08:19")
        assert [told["kind"] for told in phone.told] == ["alert", "close"]

        await world.at("08:20")

        assert [told["kind"] for told in phone.told] == ["alert", "close", "alert"]
        assert (await world.alerts())[0]["taken"] is None
        assert len(other.told) == 1


async def test_nobody_who_may_not_be_called_is_handed_an_alert(database):
    async with a_world(database) as world:
        contact, _ = await world.supporter(primary=True)
        _, phone = await world.phone(world.home.admin)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")

        alert = named_id(world.space, f"alert/{occ}")
        await hand_over(world, alert, by=contact, to=world.home.admin)

        assert phone.told == []
        (record,) = await world.alerts()
        assert record["taken"] == {
            "by": str(contact),
            "at": "2026-11-27T07:15:00.000Z",
            "again_at": "2026-11-27T08:15:00.000Z",
        }


async def test_what_is_closed_is_handed_to_nobody(database):
    async with a_world(database) as world:
        contact, _ = await world.supporter(primary=True)
        sam, phone = await world.supporter()
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:15")
        await world.say("completion", occ=occ, st="done")

        await hand_over(world, named_id(world.space, f"alert/{occ}"), by=contact, to=sam)

        assert phone.told == []
        assert (await world.alerts())[0]["taken"] is None

"""What a resident and the people around them live through, with a worker that ticks."""

from datetime import timedelta

from builders import a_relation
from engine_world import a_world

from mos.kernel.ids import named_id

DAY = "2026-11-27"


def occ_of(reminder, time, day=DAY):
    return f"{reminder}@{day}T{time}"


# ───────────────────────────────────────────────────────────── it rings, and somebody answers
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


# ───────────────────────────────────────────────────────────── nobody answers
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


# ───────────────────────────────────────────────────────────── "Jag tar det"
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


# ───────────────────────────────────────────────────────────── "Påminn igen"
async def test_snoozing_rings_later_and_moves_the_grace(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        await world.at("08:02")
        until = world.moment(world.local("08:12"))
        await world.say("snooze", occ=occ, until=until)

        await world.at("08:05")
        await world.at("08:10")
        assert world.rings() == [occ]

        await world.at("08:12")
        await world.at("08:17")
        assert world.rings() == [occ] * 3

        await world.at("08:26")
        assert await world.state(occ) == "told"
        await world.at("08:27")
        assert await world.state(occ) == "late"
        await world.at("08:42")
        assert await world.state(occ) == "missed"


async def test_snoozing_what_is_critical_moves_no_grace(database):
    async with a_world(database) as world:
        medicine = await world.plan("08:00", criticality="critical", grace=15)
        occ = occ_of(medicine, "08:00")
        await world.at("08:00")
        await world.say("snooze", occ=occ, until=world.moment(world.local("08:07")))

        await world.at("08:05")
        assert world.rings() == [occ]
        await world.at("08:07")
        assert world.rings() == [occ] * 2
        await world.at("08:10")
        assert await world.state(occ) == "late"
        await world.at("08:15")
        assert await world.state(occ) == "missed"


async def test_a_snooze_taken_back_rings_as_before(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        later = world.moment(world.local("08:20"))
        snooze = await world.say("snooze", occ=occ, until=later)
        await world.tick()

        await world.say("retract", of=str(snooze))
        await world.at("08:05")
        assert world.rings() == [occ] * 2
        await world.at("08:30")

        assert await world.state(occ) == "missed"


async def test_snoozing_what_was_missed_rings_once_more(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        await world.at("08:30")
        await world.say("snooze", occ=occ, until=world.moment(world.local("08:40")))

        await world.at("08:40")
        assert world.rings() == [occ] * 2
        await world.at("09:10")

        assert await world.state(occ) == "missed"
        assert len(await world.alerts()) == 1


# ───────────────────────────────────────────────────────────── help, and silent devices
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
        assert alert["what"] == {"kind": "help", "at": "2026-11-27T06:00:00.000Z"}

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


async def test_a_tablet_that_rang_by_itself_counts_as_told(database):
    async with a_world(database) as world:
        world.service.answers = [503] * 50
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        assert await world.state(occ) == "due"

        await world.later(seconds=5)
        await world.say("rang", occ=occ, how="sound")
        await world.tick()

        assert await world.state(occ) == "told"
        states = await database.sql("SELECT channel, state FROM delivery WHERE kind = 'ring'")
        assert {row["state"] for row in states} == {"seen"}


async def test_a_supporters_device_that_rang_is_not_the_residents(database):
    async with a_world(database) as world:
        caregiver, _ = await world.supporter(primary=True)
        world.service.answers = [503] * 50
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")

        rang = world.event("rang", occ=occ, at=world.now, how="sound")
        await world.push(rang, by=caregiver)
        await world.tick()

        assert await world.state(occ) == "due"


async def test_a_tablet_that_stays_silent_is_an_alert_until_it_is_heard(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        await database.sql(
            "UPDATE device SET push_endpoint = NULL WHERE device_id = $1", world.tablet
        )
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        await world.at("08:01")
        assert contact.told == []

        await world.at("08:02")
        (alert,) = await world.alerts()
        assert alert["what"]["kind"] == "silent"
        assert len(contact.told) == 1

        await world.at("08:04")
        await world.say("rang", occ=occ, how="sound")
        await world.tick()
        assert (await world.alerts())[0]["closed"]["why"] == "cancelled"


async def test_a_tablet_that_is_quicker_than_the_worker_is_believed(database):
    async with a_world(database) as world:
        await database.sql(
            "UPDATE device SET push_endpoint = NULL WHERE device_id = $1", world.tablet
        )
        occ = occ_of(await world.plan("08:00"), "08:00")
        world.now = world.local("08:00")

        await world.say("rang", occ=occ, how="sound")
        await world.tick()
        await world.at("08:05")

        assert await world.state(occ) == "told"
        assert await world.alerts() == []


async def test_a_snooze_that_comes_before_the_worker_holds(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        world.now = world.local("08:02")

        await world.say("snooze", occ=occ, until=world.moment(world.local("08:12")))
        await world.at("08:05")
        assert world.rings() == []
        await world.at("08:12")

        assert world.rings() == [occ]


async def test_a_tablet_whose_clock_is_a_year_ahead_snoozes_for_minutes_all_the_same(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        ahead = world.now + timedelta(days=365)

        await world.say(
            "snooze", occ=occ, at=world.moment(ahead),
            until=world.moment(ahead + timedelta(minutes=10)),
        )  # fmt: skip
        await world.at("08:10")
        assert world.rings() == [occ, occ]
        await world.at("08:41")

        assert await world.state(occ) == "missed"


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


async def test_who_comes_back_is_rung_for_again(database):
    async with a_world(database) as world:
        await world.plan("08:00")
        for archived_at in (world.now, None):
            await database.sql("UPDATE resident SET archived_at = $1", archived_at)
            await world.tick()

        assert await world.due() == ["2026-11-27T08:00", "2026-11-28T08:00"]

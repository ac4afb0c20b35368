"""Orders ring as reminders do, and what is dangerous about them is told."""

import pytest
from builders import a_relation, an_account
from engine_world import a_world, occ_of
from orders import given, order, propose

from mos.kernel.ids import named_id, new_id
from mos.sync import hlc

DECIDES = ("plan.view", "alert.take", "medication.view", "medication.edit")
SEES = ("plan.view", "alert.take", "medication.view")


def as_needed(**more):
    v = order("08:00") | {
        "kind": "as_needed", "why_needed": "smärta", "min_interval": "PT4H", "max_24h": 4,
        "follow_up": None,
    } | more  # fmt: skip
    return {field: value for field, value in v.items() if field != "rule"}


async def alerts(world, kind):
    return [doc for doc in await world.alerts() if doc["what"]["kind"] == kind]


async def somebody(world, permissions, *, unit=False):
    account = await an_account(world.database, world.home.org, "nurse", name="Sam")
    where = {"unit": world.home.unit} if unit else {"space": world.space}
    await a_relation(world.database, world.home.org, account, permissions=permissions, **where)
    return (await world.phone(account))[1]


async def test_an_order_rings_on_the_residents_tablet_and_is_answered_like_a_reminder(database):
    async with a_world(database) as world:
        rec, _ = await propose(world, order("08:00"))
        await world.at("08:00")
        assert world.rings() == [occ_of(rec, "08:00")]

        await given(world, occ_of(rec, "08:00"))
        assert await world.state() == "closed"
        assert (await world.occurrence())["grace_s"] == 7200


async def test_orders_follow_the_ladder_of_medication_in_the_residents_day(database):
    async with a_world(database) as world:
        phone = await somebody(world, SEES)
        groups = {
            "for": {"category": "medication", "criticality": None},
            "steps": [{"tell": "all", "after": 7}],
        }
        await world.set("ladder", named_id(world.space, "ladder/medication/*"), groups)
        await propose(world, order("08:00", window=30))
        await world.at("08:00")
        await world.at("08:36")
        assert phone.told == []

        await world.at("08:37")

        assert len(phone.told) == 1


async def test_the_worker_keeps_orders_ahead_as_it_does_reminders(database):
    async with a_world(database) as world:
        await propose(world, order("08:00"))
        await database.sql("DELETE FROM due")
        await database.sql("DELETE FROM horizon")

        await world.tick()

        assert await world.due() == ["2026-11-27T08:00", "2026-11-28T08:00"]


async def test_an_unanswered_dose_is_told_to_those_alone_who_may_see_medication(database):
    async with a_world(database) as world:
        sees, not_medication = (
            await somebody(world, SEES, unit=True),
            await somebody(world, ("plan.view", "alert.take"), unit=True),
        )
        await propose(world, order("08:00", window=30))

        for time in ("08:00", "08:15", "08:30", "09:00"):
            await world.at(time)

        assert [told["kind"] for told in sees.told].count("alert") == 3
        assert not_medication.told == []


async def test_a_pause_of_the_day_silences_medication_too_and_lifting_it_does_not(database):
    async with a_world(database) as world:
        await propose(world, order("08:00"))
        profile = named_id(world.space, "profile")

        await world.set("profile", profile, {"pause": [{"from": "2026-11-27", "to": "2026-11-27"}]})
        assert await world.due() == ["2026-11-28T08:00"]
        await world.set("profile", profile, {"pause": []})
        assert await world.due() == ["2026-11-27T08:00", "2026-11-28T08:00"]


async def test_an_order_that_is_stopped_rings_no_more(database):
    async with a_world(database) as world:
        v = order("08:00")
        rec, first = await propose(world, v)
        await world.at("08:00")

        stopped = {"at": "2026-11-27T07:01:00.000Z", "why": "Utslag"}
        await propose(world, v | {"stopped": stopped}, rec=rec, base=first)

        assert await world.due() == []
        assert await world.state() == "cancelled"


async def test_a_proposal_changes_nothing_and_calls_those_who_decide_then_everybody(database):
    async with a_world(database) as world:
        decides, sees = await somebody(world, DECIDES), await somebody(world, SEES, unit=True)
        v = order("08:00")
        rec, _ = await propose(world, v)

        await propose(world, order("09:00"), rec=rec, base=new_id(world.now), verdict="conflict")
        await world.tick()

        assert await world.due() == ["2026-11-27T08:00", "2026-11-28T08:00"]
        (alert,) = await alerts(world, "conflict")
        assert alert["what"]["order"] == str(rec)
        assert "Metoprolol" not in str(alert)
        assert (len(decides.told), len(sees.told)) == (1, 0)

        await world.later(minutes=29)
        assert len(sees.told) == 0
        await world.later(minutes=1)
        assert (len(decides.told), len(sees.told)) == (2, 1)


async def test_where_nobody_may_decide_everybody_who_may_see_it_is_called_at_once(database):
    async with a_world(database) as world:
        sees = await somebody(world, SEES)
        rec, _ = await propose(world, order("08:00"))
        await propose(world, order("09:00"), rec=rec, base=new_id(world.now), verdict="conflict")
        await world.tick()

        assert len(sees.told) == 1


async def test_a_decision_closes_the_alert_and_what_was_chosen_rings(database):
    async with a_world(database) as world:
        rec, first = await propose(world, order("08:00"))
        _, other = await propose(
            world, order("09:00"), rec=rec, base=new_id(world.now), verdict="conflict"
        )
        await world.tick()

        await world.push(
            {
                "k": "resolve", "space": world.home.resident.medication, "coll": "order",
                "rec": rec, "base": first, "seen": [other], "choose": other, "why": "Rätt tid",
            },
            by=world.home.caregiver,
        )  # fmt: skip
        await world.tick()

        assert await world.due() == ["2026-11-27T09:00", "2026-11-28T09:00"]
        (alert,) = await alerts(world, "conflict")
        assert alert["closed"]["why"] == "outcome"


@pytest.mark.parametrize("kept", [True, False], ids=["what holds was kept", "another was chosen"])
async def test_what_the_decision_had_not_seen_opens_it_again_and_calls_once_more(database, kept):
    """A device comes back with a proposal from before, over the version that held then."""
    async with a_world(database) as world:
        decides = await somebody(world, DECIDES)
        rec, first = await propose(world, order("08:00"))
        await world.tick()
        early = hlc.send("", int(world.now.timestamp() * 1000), "f" * 16)
        await world.later(minutes=30)
        _, other = await propose(
            world, order("09:00"), rec=rec, base=new_id(world.now), verdict="conflict"
        )
        await world.push(
            {
                "k": "resolve", "space": world.home.resident.medication, "coll": "order",
                "rec": rec, "base": first, "seen": [other], "choose": first if kept else other,
                "why": "Rätt tid",
            },
            by=world.home.caregiver,
        )  # fmt: skip
        await world.tick()
        before = len(decides.told)
        (alert,) = await alerts(world, "conflict")
        assert alert["closed"] is not None

        await world.later(hours=2)
        await propose(world, order("07:00"), rec=rec, base=first, verdict="conflict", hlc=early)
        await world.tick()

        (alert,) = await alerts(world, "conflict")
        assert alert["closed"] is None
        assert len(decides.told) > before
        # What holds goes on as it was decided.
        assert {occ[11:] for occ in await world.due()} == {"08:00" if kept else "09:00"}


async def test_two_who_give_one_dose_leave_both_and_one_alert_that_a_person_closes(database):
    async with a_world(database) as world:
        rec, _ = await propose(world, order("08:00"))
        occ = occ_of(rec, "08:00")
        await world.at("08:00")

        await given(world, occ)
        await given(world, occ, st="partly", note="hälften", by=world.home.caregiver)
        await given(world, occ, by=world.home.caregiver)
        await world.tick()

        (alert,) = await alerts(world, "double")
        assert (alert["what"]["occ"], alert["what"]["order"]) == (occ, str(rec))
        assert alert["closed"] is None
        kept = await database.sql("SELECT count(*) AS n FROM rec WHERE coll = 'completion'")
        assert kept[0]["n"] == 3


async def test_a_dose_that_was_refused_or_taken_back_was_not_given(database):
    async with a_world(database) as world:
        rec, _ = await propose(world, order("08:00"))
        occ = occ_of(rec, "08:00")
        await world.at("08:00")

        await given(world, occ, st="refused", note="mådde illa")
        mistaken = await given(world, occ, by=world.home.caregiver)
        space = world.home.resident.medication
        await world.say("retract", by=world.home.caregiver, space=space, of=mistaken)
        await given(world, occ, by=world.home.caregiver)
        await world.tick()

        assert await alerts(world, "double") == []


async def test_two_answers_to_a_reminder_are_no_double_dose(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        for by in (None, world.home.caregiver):
            await world.say("completion", by=by, occ=occ_of(reminder, "08:00"), st="done")
        await world.tick()

        assert await world.alerts() == []


async def test_as_needed_too_soon_or_too_often_is_told_once_for_each_dose(database):
    async with a_world(database, "2026-11-27T00:30") as world:
        rec, _ = await propose(world, as_needed())
        for time in ("01:00", "05:00", "09:00", "13:00", "17:00", "18:00"):
            await world.at(time)
            await given(world, occ_of(rec, time), prn=True)
        await world.tick()

        told = [alert["what"]["occ"] for alert in await alerts(world, "double")]
        # The fifth is one too many in 24 hours; the sixth comes too soon as well.
        assert told == [occ_of(rec, "17:00"), occ_of(rec, "18:00")]
        assert await world.due() == []


async def test_a_dose_that_arrives_late_is_seen_beside_the_one_after_it(database):
    async with a_world(database, "2026-11-27T12:00") as world:
        rec, _ = await propose(world, as_needed())
        await given(world, occ_of(rec, "12:00"), prn=True)
        early = world.moment(world.local("09:00"))
        await given(world, occ_of(rec, "09:00"), prn=True, at=early, by=world.home.caregiver)
        await world.tick()

        (alert,) = await alerts(world, "double")
        assert alert["what"]["occ"] == occ_of(rec, "12:00")


async def test_what_somebody_closed_stays_closed_until_one_more_is_given(database):
    async with a_world(database) as world:
        rec, _ = await propose(world, order("08:00"))
        occ = occ_of(rec, "08:00")
        await world.at("08:00")
        await given(world, occ)
        await given(world, occ, by=world.home.caregiver)
        await world.tick()
        space = world.home.resident.medication
        closed = {"at": world.moment(world.now), "why": "by_hand"}
        name = named_id(space, f"alert/double/{occ}")
        await world.set("alert", name, {"closed": closed}, space=space)
        await world.tick()
        assert [a["closed"] is not None for a in await alerts(world, "double")] == [True]

        await given(world, occ, by=world.home.caregiver)
        await world.later(minutes=1)

        assert [a["closed"] for a in await alerts(world, "double")] == [None]

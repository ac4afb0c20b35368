"""Doses that somebody gave who might not: kept, marked and told, never refused."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from builders import a_relation, an_account
from engine_world import OF_MEDICATION, a_world, occ_of
from orders import given, order, propose

from mos.db import Scope
from mos.kernel.ids import new_id
from mos.sync import store as records

NURSING = ("plan.view", "alert.take", "medication.view", "medication.edit", "medication.sign")
SIGNS = OF_MEDICATION | {"medication.sign"}


async def _people(world, policy="care_record"):
    """A care provider with a nurse; the caregiver is the world's."""
    home, database = world.home, world.database
    await database.sql("UPDATE organisation SET policy = $1", policy)
    nurse = await an_account(database, home.org, "nurse", name="Ada")
    await a_relation(database, home.org, nurse, unit=home.unit, permissions=NURSING)
    for account in (nurse, home.caregiver, home.resident.account):
        world.of_medication[account] = SIGNS
    return SimpleNamespace(nurse=nurse, caregiver=home.caregiver)


async def _delegated(world, nurse, task, since, until, *, ended=None):
    home = world.home
    await world.database.sql(
        "INSERT INTO delegation (org_id, delegation_id, given_by, account_id, task, detail, units, "
        "spaces, valid_from, valid_to, checked_on, checked_how, given_at, ended_at) VALUES "
        "($1, $2, $3, $4, $5, '', $6, '{}', $7, $8, '2026-11-01', 'x', $7, $9)",
        home.org, new_id(world.now), nurse, home.caregiver, task, [home.unit], since, until, ended,
    )  # fmt: skip


async def _marks(world):
    space = world.home.resident.medication
    async with world.database.app.transaction(Scope(world.home.org, (space,))) as db:
        rows = await records.docs_of_spaces(db, [space], "completion")
    return [row.doc.get("unentitled") for row in sorted(rows, key=lambda row: row.rec)]


async def _alerts(world):
    await world.tick()
    return [alert for alert in await world.alerts() if alert["what"]["kind"] == "unentitled"]


async def test_a_dose_without_a_delegation_is_kept_marked_and_told(database):
    async with a_world(database) as world:
        people = await _people(world)
        rec, _ = await propose(world, order("08:00", delegation="insulin"), by=people.nurse)
        await world.at("08:00")

        await given(world, occ_of(rec, "08:00"), by=people.caregiver)

        assert await _marks(world) == [
            {"why": "delegation", "task": "insulin", "at": world.moment(world.now)[:-1] + ".000Z"}
        ]
        [alert] = await _alerts(world)
        assert alert["what"]["order"] == str(rec)
        assert alert["what"]["occ"] == occ_of(rec, "08:00")
        # It was given: nothing rings for it any more.
        await world.at("10:00")
        assert [alert["what"]["kind"] for alert in await world.alerts()] == ["unentitled"]


@pytest.mark.parametrize("task", ["insulin", "drops"])
async def test_one_of_that_very_task_lets_them(database, task):
    async with a_world(database) as world:
        people = await _people(world)
        rec, _ = await propose(world, order("08:00", delegation="insulin"), by=people.nurse)
        await world.at("08:00")
        hours = timedelta(hours=8)
        await _delegated(world, people.nurse, task, world.now - hours, world.now + hours)

        await given(world, occ_of(rec, "08:00"), by=people.caregiver)

        assert len(await _alerts(world)) == (0 if task == "insulin" else 1)


@pytest.mark.parametrize(("time", "is_marked"), [("23:59", False), ("00:00", True)])
async def test_in_a_night_shift_the_moment_of_the_dose_decides(database, time, is_marked):
    """It ends at midnight; what was done before arrives after."""
    async with a_world(database) as world:
        people = await _people(world)
        rec, _ = await propose(world, order("23:30", delegation="drops"), by=people.nurse)
        midnight = world.local("2026-11-28T00:00")
        await _delegated(world, people.nurse, "drops", midnight - timedelta(days=90), midnight)
        at = midnight if is_marked else world.local("2026-11-27T23:59")
        await world.at("2026-11-28T02:00")

        await given(world, occ_of(rec, "23:30"), by=people.caregiver, at=world.moment(at))

        assert (await _marks(world) != [None]) == is_marked
        assert bool(await _alerts(world)) == is_marked


async def test_what_was_taken_back_lets_nobody_from_then_on(database):
    async with a_world(database) as world:
        people = await _people(world)
        rec, _ = await propose(world, order("08:00", "12:00", delegation="skin"), by=people.nurse)
        await world.at("08:00")
        year = timedelta(days=300)
        ended = world.now + timedelta(hours=1)
        await _delegated(world, people.nurse, "skin", world.now, world.now + year, ended=ended)

        await given(world, occ_of(rec, "08:00"), by=people.caregiver)
        await world.at("12:00")
        await given(world, occ_of(rec, "12:00"), by=people.caregiver)

        marks = await _marks(world)
        assert [mark is None for mark in marks] == [True, False]


async def test_a_nurse_and_whoever_takes_their_own_need_none(database):
    async with a_world(database) as world:
        people = await _people(world)
        times = ("08:00", "09:00")
        rec, _ = await propose(world, order(*times, delegation="medicine"), by=people.nurse)
        await world.at("08:00")
        await given(world, occ_of(rec, "08:00"), by=people.nurse)
        await world.at("09:00")
        await given(world, occ_of(rec, "09:00"))

        assert await _marks(world) == [None, None]


async def test_what_was_not_given_needs_none(database):
    async with a_world(database) as world:
        people = await _people(world)
        rec, _ = await propose(world, order("08:00", delegation="medicine"), by=people.nurse)
        await world.at("08:00")

        await given(world, occ_of(rec, "08:00"), by=people.caregiver, st="refused", note="Nej")

        assert await _marks(world) == [None]


async def test_who_may_not_sign_gives_all_the_same_and_it_is_told(database):
    async with a_world(database) as world:
        people = await _people(world)
        world.of_medication[people.caregiver] = OF_MEDICATION
        rec, _ = await propose(world, order("08:00"), by=people.nurse)
        await world.at("08:00")

        await given(world, occ_of(rec, "08:00"), by=people.caregiver)

        [mark] = await _marks(world)
        assert mark["why"] == "sign"
        assert len(await _alerts(world)) == 1


async def test_in_a_family_nobody_is_asked(database):
    async with a_world(database) as world:
        people = await _people(world, policy="family")
        world.of_medication[people.caregiver] = OF_MEDICATION
        rec, _ = await propose(world, order("08:00", delegation="insulin"), by=people.nurse)
        await world.at("08:00")

        await given(world, occ_of(rec, "08:00"), by=people.caregiver)

        assert await _marks(world) == [None]
        assert await _alerts(world) == []


async def test_a_dose_sent_twice_is_told_once(database):
    async with a_world(database) as world:
        people = await _people(world)
        rec, _ = await propose(world, order("08:00", delegation="insulin"), by=people.nurse)
        await world.at("08:00")
        op = world.event(
            "completion", world.home.resident.medication, occ=occ_of(rec, "08:00"), st="done"
        )
        await world.push(op, by=people.caregiver)
        await world.push(op, by=people.caregiver, verdict="dup")

        assert len(await _alerts(world)) == 1

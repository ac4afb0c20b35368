"""What an account reaches, from its relations, in one statement."""

from datetime import timedelta

from browsers import NOW
from builders import a_home, a_relation, a_unit, an_account

from mos.care import store
from mos.care.model import Actor, Permission, Role
from mos.db import Scope
from mos.kernel.ids import new_id

P = Permission


async def _access(database, home, account, role, now=NOW):
    actor = Actor(org=home.org, account=account, role=role, session=new_id(now), device=None)
    async with database.app.transaction(Scope(org=home.org)) as db:
        reached = await store.access(db, actor, now)
    return {access.space: access.permissions for access in reached}


async def test_residents_reach_their_own_space_and_no_other(database):
    home = await a_home(database, residents=2)

    reached = await _access(database, home, home.resident.account, Role.RESIDENT)

    assert reached == {
        home.space: {
            P.PLAN_VIEW, P.OUTCOME_RECORD, P.MEDICATION_VIEW, P.LOG_VIEW, P.SOUND_CHOOSE,
        },
        home.resident.medication: {P.MEDICATION_VIEW, P.OUTCOME_RECORD},
    }  # fmt: skip


async def test_a_relation_to_a_unit_reaches_everybody_there(database):
    home = await a_home(database, residents=3)

    reached = await _access(database, home, home.caregiver, Role.CAREGIVER)

    days = {resident.space for resident in home.residents}
    assert reached.keys() == days | {resident.medication for resident in home.residents}
    assert all(P.PLAN_EDIT in reached[space] for space in days)


async def test_a_plan_is_seen_without_the_medication_and_the_medication_without_the_plan(database):
    home = await a_home(database)
    neighbour = await an_account(database, home.org, "relative")
    pharmacist = await an_account(database, home.org, "nurse")
    seen = ("plan.view", "plan.edit", "alert.take")
    await a_relation(database, home.org, neighbour, space=home.space, permissions=seen)
    orders = ("medication.view", "medication.edit", "plan.edit")
    await a_relation(database, home.org, pharmacist, space=home.space, permissions=orders)

    days = await _access(database, home, neighbour, Role.RELATIVE)
    medication = await _access(database, home, pharmacist, Role.NURSE)

    assert days == {home.space: {P.PLAN_VIEW, P.PLAN_EDIT, P.ALERT_TAKE}}
    assert medication[home.resident.medication] == {P.MEDICATION_VIEW, P.MEDICATION_EDIT}


async def test_relations_add_up_and_are_cut_to_the_role(database):
    home = await a_home(database)
    relative = await an_account(database, home.org, "relative")
    await a_relation(
        database, home.org, relative, space=home.space,
        permissions=("plan.view", "medication.sign"),
    )  # fmt: skip
    await a_relation(
        database, home.org, relative, unit=home.unit, permissions=("alert.take", "plan.view")
    )

    reached = await _access(database, home, relative, Role.RELATIVE)

    assert reached == {home.space: {P.PLAN_VIEW, P.ALERT_TAKE}}


async def test_what_a_family_may_is_not_a_relatives_in_a_care_record(database):
    home = await a_home(database)
    relative = await an_account(database, home.org, "relative")
    words = ("plan.view", "medication.edit", "care.manage")
    await a_relation(database, home.org, relative, unit=home.unit, permissions=words)

    in_a_family = await _access(database, home, relative, Role.RELATIVE)
    await database.sql("UPDATE organisation SET policy = 'care_record'")
    in_a_care_record = await _access(database, home, relative, Role.RELATIVE)

    assert in_a_family == {home.space: {P.PLAN_VIEW, P.MEDICATION_EDIT, P.CARE_MANAGE}}
    assert in_a_care_record == {home.space: {P.PLAN_VIEW}}


async def test_a_relation_holds_from_its_beginning_until_just_before_its_end(database):
    home = await a_home(database)
    relative = await an_account(database, home.org, "relative")
    relation = await a_relation(
        database, home.org, relative, space=home.space, valid_to=NOW + timedelta(hours=1)
    )
    await database.sql("UPDATE relation SET valid_from = $1 WHERE relation_id = $2", NOW, relation)

    before = await _access(database, home, relative, Role.RELATIVE, NOW - timedelta(seconds=1))
    during = await _access(database, home, relative, Role.RELATIVE, NOW)
    after = await _access(database, home, relative, Role.RELATIVE, NOW + timedelta(hours=1))

    assert (before, after) == ({}, {})
    assert during.keys() == {home.space, home.resident.medication}


async def test_an_administrator_reaches_no_space_even_with_a_relation(database):
    home = await a_home(database)
    await a_relation(database, home.org, home.admin, unit=home.unit, permissions=("plan.view",))

    assert await _access(database, home, home.admin, Role.ADMIN) == {}


async def test_archived_residents_are_reached_by_nobody(database):
    home = await a_home(database)
    await database.sql("UPDATE resident SET archived_at = now()")

    assert await _access(database, home, home.caregiver, Role.CAREGIVER) == {}
    assert await _access(database, home, home.resident.account, Role.RESIDENT) == {}


async def test_a_manager_reaches_by_care_manage_only_to_manage(database):
    home = await a_home(database)
    manager = await an_account(database, home.org, "manager")
    await a_relation(database, home.org, manager, unit=home.unit, permissions=("care.manage",))

    reached = await _access(database, home, manager, Role.MANAGER)

    assert reached == {home.space: {P.CARE_MANAGE}}


async def test_units_without_residents_give_nothing(database):
    home = await a_home(database)
    empty = await a_unit(database, home.org, name="Tom")
    relative = await an_account(database, home.org, "relative")
    await a_relation(database, home.org, relative, unit=empty)

    assert await _access(database, home, relative, Role.RELATIVE) == {}


async def test_another_organisations_relations_give_nothing_here(database):
    home = await a_home(database)
    other = await a_home(database, name="Annat", email_domain="other.test")

    assert await _access(database, home, other.caregiver, Role.CAREGIVER) == {}

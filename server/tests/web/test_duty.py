"""Who is on call: rotas that managers keep, and the ladder's step that follows them."""

from datetime import timedelta

from builders import a_home, a_relation, an_account
from engine_world import a_world

from mos.care.actions import duty, ladders
from mos.care.model import Actor, Role
from mos.db import Scope
from mos.kernel.ids import named_id


def a_rota(*accounts, **more):
    return {
        "name": "Kväll och natt",
        "weekdays": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        "from": "16:00",
        "to": "07:00",
        "accounts": [str(account) for account in accounts],
        "valid_from": "2026-01-01",
    } | more


async def somebody(site, home, name="Sam"):
    account = await an_account(site.database, home.org, "caregiver", name=name)
    await a_relation(site.database, home.org, account, unit=home.unit)
    return account


async def test_a_rota_says_who_has_duty_two_weeks_ahead(site, clock):
    home = await a_home(site.database)
    sam = await somebody(site, home)
    admin = await site.signed_in("admin@example.test")

    made = (await admin.post(f"units/{home.unit}/rotas", a_rota(home.caregiver, sam))).json()
    duties = (await admin.get(f"units/{home.unit}/duty?days=14")).json()

    assert made["weekdays"][0] == "mon"
    assert (made["from"], made["to"], made["turn"], made["changes"]) == (
        "16:00",
        "07:00",
        "week",
        [],
    )
    assert len(duties) in (14, 15)
    assert {each["account"] for each in duties} == {str(home.caregiver), str(sam)}
    assert all(each["name"] == "Kväll och natt" for each in duties)
    # Its times are told by the unit's clock.
    assert {each["zone"] for each in duties} == {made["zone"]}
    browser = await site.as_account(home.org, sam)
    mine = (await browser.get("me/duty")).json()
    assert mine == [each for each in duties if each["account"] == str(sam)]
    (listed,) = (await admin.get(f"units/{home.unit}/rotas")).json()
    assert listed == made


async def test_somebody_else_takes_a_turn_and_gives_it_back(site, clock):
    home = await a_home(site.database)
    sam = await somebody(site, home)
    admin = await site.signed_in("admin@example.test")
    rota = (await admin.post(f"units/{home.unit}/rotas", a_rota(home.caregiver))).json()["id"]
    day = (clock() + timedelta(days=3)).date().isoformat()
    path = f"rotas/{rota}/changes/{day}"

    async def that_day():
        found = (await admin.get(f"units/{home.unit}/duty")).json()
        return [each["account"] for each in found if each["from"].startswith(day)]

    changed = await admin.put(path, {"account": str(sam)})
    assert changed.json()["changes"] == [{"day": day, "account": str(sam)}]
    assert await that_day() == [str(sam)]
    await admin.put(path, {"account": None})
    assert await that_day() == []
    await admin.delete(path)
    assert await that_day() == [str(home.caregiver)]
    assert (await admin.delete(path)).status_code == 404


async def test_a_changed_rule_replaces_the_turns_to_come(site, clock):
    home = await a_home(site.database)
    sam = await somebody(site, home)
    admin = await site.signed_in("admin@example.test")
    rota = (await admin.post(f"units/{home.unit}/rotas", a_rota(home.caregiver))).json()["id"]

    await admin.put(f"rotas/{rota}", a_rota(sam, weekdays=["mon"], name="Måndag"))
    duties = (await admin.get(f"units/{home.unit}/duty")).json()
    assert {each["account"] for each in duties} == {str(sam)}
    assert len(duties) == 2
    await admin.delete(f"rotas/{rota}")

    assert (await admin.get(f"units/{home.unit}/duty")).json() == []


async def test_whoever_may_not_take_the_units_alerts_is_not_put_on_call(site):
    home = await a_home(site.database)
    relative = await an_account(site.database, home.org, "relative")
    await a_relation(site.database, home.org, relative, space=home.space)
    admin = await site.signed_in("admin@example.test")

    refused = await admin.post(f"units/{home.unit}/rotas", a_rota(home.caregiver, relative))
    backwards = await admin.post(
        f"units/{home.unit}/rotas", a_rota(home.caregiver, valid_to="2025-12-31")
    )

    assert (refused.status_code, refused.json()["code"]) == (400, "not_called")
    assert refused.json()["field"] == "accounts"
    assert backwards.json()["code"] == "backwards"
    for far in ("0001-01-01", "9999-12-31"):
        rota = a_rota(home.caregiver, valid_from=far)
        refused = await admin.post(f"units/{home.unit}/rotas", rota)
        assert (refused.status_code, refused.json()["field"]) == (400, "valid_from")


async def test_a_unit_that_moves_to_another_zone_has_its_turns_by_the_new_clock(site, clock):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    await admin.post(f"units/{home.unit}/rotas", a_rota(home.caregiver))
    path = f"units/{home.unit}/duty"
    before = (await admin.get(path)).json()[-1]["to"]

    await admin.patch(f"units/{home.unit}", {"zone": "Europe/Helsinki"})

    after = (await admin.get(path)).json()[-1]["to"]
    assert int(before[11:13]) - int(after[11:13]) == 1


def _admin(world):
    return Actor(
        org=world.home.org, account=world.home.admin, role=Role.ADMIN, session=world.home.admin,
        device=None, strong_at=world.now,
    )  # fmt: skip


async def _on_call(world, account, **rule):
    rota = duty.NewRota(name="Jour", accounts=[account], valid_from=world.now.date(), **rule)
    async with world.database.app.transaction(Scope(org=world.home.org)) as db:
        await duty.add_rota(db, _admin(world), world.home.unit, rota, world.now)


async def _ladder(world, *steps):
    groups = {"for": {"category": None, "criticality": None}, "steps": list(steps)}
    await world.set("ladder", named_id(world.space, "ladder/*/*"), groups)


async def test_the_step_on_call_tells_whoever_has_duty_then_and_else_the_unit(database):
    async with a_world(database, "2026-11-27T15:00") as world:
        sam, phone = await world.supporter(unit=True)
        _, ward = await world.supporter(unit=True)
        await _on_call(world, sam, weekdays=["fri"], from_="16:00", to="23:00")
        await _ladder(world, {"tell": "on_call", "after": 0}, {"tell": "all", "after": 300})
        await world.plan("15:00", "18:00")

        await world.at("15:00")
        await world.at("15:30")
        assert (len(phone.told), len(ward.told)) == (1, 1)
        await world.at("18:00")
        await world.at("18:30")
        assert (len(phone.told), len(ward.told)) == (2, 1)


async def test_the_worker_knows_duty_two_weeks_ahead_from_whenever_it_runs(database):
    async with a_world(database) as world:
        caregiver = world.home.caregiver
        await _on_call(world, caregiver, weekdays=["mon"], from_="07:00", to="16:00")

        await world.later(days=40)

        rows = await database.sql("SELECT from_at FROM duty WHERE from_at > $1", world.now)
        assert len(rows) == 2


async def test_whoever_has_lost_the_permission_is_told_no_more_although_on_call(database):
    async with a_world(database, "2026-11-27T15:00") as world:
        sam, phone = await world.supporter(unit=True)
        _, ward = await world.supporter(unit=True)
        await _on_call(world, sam, weekdays=["fri"], from_="16:00", to="23:00")
        await _ladder(world, {"tell": "on_call", "after": 0}, {"tell": "all", "after": 300})
        await database.sql(
            "UPDATE relation SET permissions = '{plan.view}' WHERE account_id = $1", sam
        )
        await world.plan("18:00")

        await world.at("18:00")
        await world.at("18:30")

        assert (len(phone.told), len(ward.told)) == (0, 1)


async def test_a_template_that_is_changed_holds_at_once_for_what_is_open(database):
    async with a_world(database) as world:
        _, phone = await world.supporter()
        await world.supporter(unit=True)
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:31")
        assert phone.told == []

        wanted = ladders.NewTemplate(steps=[{"tell": "all", "after": 0}])
        async with database.app.transaction(Scope(org=world.home.org)) as db:
            await ladders.put_template(db, _admin(world), wanted, world.now)
        await world.tick()

        assert len(phone.told) == 1

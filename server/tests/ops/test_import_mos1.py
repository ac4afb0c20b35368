"""`mos import-mos1`: what an earlier MOS held comes over whole, or somebody is told."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime

import asyncpg
import pytest
from earlier_mos import HASH, SCHEMA, EarlierMos
from real_up import PATIENCE_S, Up

from mos.care.model import Policy
from mos.db import connect
from mos.ops.clusters import main_cluster
from mos.ops.data_directory import Refused
from mos.ops.home import take_home
from mos.ops.import_mos1 import planning, report
from mos.ops.import_mos1.planning import Home, Steward
from mos.ops.import_mos1.source import NotMos1, read
from mos.ops.import_mos1.writing import write
from mos.ops.settings import ROOT

NOW = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
HOME = Home("Solgården", "Plan 2", Policy.CARE_RECORD, "Europe/Stockholm", "sv",
            Steward("Karin Ek", "karin@solgarden.example"))  # fmt: skip


@pytest.fixture
async def earlier(empty_cluster):
    """An earlier MOS that is as it was delivered: empty but for its tables."""
    admin = await asyncpg.connect(empty_cluster.dsn(database="postgres"))
    name = f"earlier_{os.urandom(4).hex()}"
    await admin.execute(f"CREATE DATABASE {name}")
    connection = await asyncpg.connect(empty_cluster.dsn(database=name))
    await connection.execute(SCHEMA)
    there = EarlierMos(connection)
    there.dsn = empty_cluster.dsn(database=name)
    yield there
    await connection.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def planned(earlier, home=HOME, now=NOW):
    found = await read(earlier.dsn)
    return found, planning.plan(found, home, now)


def codes(plan, weight=None):
    return sorted(each.code for each in plan.findings if weight in (None, each.weight))


def said(found, plan, code):
    (finding,) = (each for each in plan.findings if each.code == code)
    return report.sentence(finding)


def groups(plan, coll="reminder"):
    return [each.groups for each in plan.records if each.coll == coll]


# ───────────────────────────────────────────────────────────── reminders
@pytest.mark.parametrize(
    "days", [["Mån", "Ons"], ["Måndag", "Onsdag"], ["Mon", "Wed"], ["monday", "ONSDAG"]]
)
async def test_weekdays_are_read_in_each_of_the_words_that_they_were_written_in(earlier, days):
    elsa = await earlier.user("Elsa Ek")
    await earlier.weekly(elsa, "MEDICATION", days, ["19:00", "7:00"], "Alvedon")

    _, plan = await planned(earlier)

    (reminder,) = groups(plan)
    assert reminder["rule"] == {
        "zone": "Europe/Stockholm", "kind": "weekly", "days": ["mon", "wed"],
        "times": ["07:00", "19:00"], "start": "2026-02-02",
    }  # fmt: skip
    assert (reminder["title"], reminder["category"]) == ("Alvedon", "medication")
    # A medicine without drug and dose: a nurse must know.
    assert "medicine" in codes(plan, "check")


async def test_a_label_that_was_hidden_in_a_note_is_the_title(earlier):
    elsa = await earlier.user("Elsa Ek")
    await earlier.weekly(elsa, "OTHER", ["Fre"], ["18:00"], "*Ring Anna*Hon svarar efter sex")
    await earlier.weekly(elsa, "MEAL", ["Fre"], ["12:00"], "*Lunch med Anna*")
    await earlier.weekly(elsa, "OTHER", ["Fre"], ["13:00"], "**\nVila")

    _, plan = await planned(earlier)

    other, meal, odd = groups(plan)
    assert (other["title"], other["label"], other["note"]) == (
        "Ring Anna", "Ring Anna", "Hon svarar efter sex",
    )  # fmt: skip
    assert (meal["title"], meal["label"], meal["note"]) == ("Lunch med Anna", "", "")
    assert (odd["title"], odd["note"]) == ("Påminnelse", "**\nVila")


async def test_once_is_a_wall_time_of_the_home_and_may_have_moved(earlier):
    elsa = await earlier.user("Elsa Ek")
    # The night in which summer time begins lies between.
    await earlier.once(elsa, "MEETING", datetime(2026, 4, 1, 8, 30, tzinfo=UTC), "Tandläkare")
    await earlier.once(elsa, "MEETING", datetime(2026, 2, 1, 8, 30, tzinfo=UTC), "I går")
    await earlier.once(elsa, "MEAL", None, "Tårta")

    found, plan = await planned(earlier)

    (reminder,) = groups(plan)
    assert reminder["rule"] == {
        "zone": "Europe/Stockholm",
        "kind": "once",
        "at": "2026-04-01T10:30",
    }
    assert "2026-04-01T10:30 “Tandläkare”" in said(found, plan, "once_may_have_moved")
    assert "I går" in said(found, plan, "past")
    assert "Tårta" in said(found, plan, "once_without_time")


async def test_what_nobody_can_read_is_told_and_never_guessed(earlier):
    elsa = await earlier.user("Elsa Ek")
    await earlier.weekly(elsa, "MEDICATION", [], ["08:00"], "Wiped by the editor")
    await earlier.weekly(elsa, "MEAL", ["Mån", "Vardagar"], ["12:00", "lunch"], "Lunch")
    await earlier.weekly(elsa, "MEAL", ["Mån"], ["25:00"], "At no time")
    await earlier.weekly(elsa, "Promenad", ["Mån"], ["12:00"], "Runt sjön", kind="daily")
    await earlier._add("reminder", id=os.urandom(16).hex(), user_id=elsa, category="MEAL",
                       type="recurring", recurrence="null", note="No recurrence")  # fmt: skip

    found, plan = await planned(earlier)

    assert [each["title"] for each in groups(plan)] == ["Lunch", "Runt sjön"]
    assert groups(plan)[0]["rule"]["days"] == ["mon"]
    assert (groups(plan)[1]["category"], groups(plan)[1]["label"]) == ("other", "Promenad")
    assert codes(plan, "dropped") == ["no_when"] * 3
    assert "Vardagar, lunch" in said(found, plan, "odd_when")
    assert "daily" in said(found, plan, "odd_kind")
    assert "Promenad" in said(found, plan, "category")


async def test_what_is_too_long_for_a_title_or_note_stands_whole_in_the_report(earlier):
    elsa = await earlier.user("Elsa Ek")
    text = "Ta med " + "en jacka och " * 60 + "nycklarna"
    await earlier.weekly(elsa, "EXERCISE", ["Lör"], ["10:00"], text)

    found, plan = await planned(earlier)

    assert groups(plan)[0]["title"] == "Rörelse"
    assert len(groups(plan)[0]["note"]) <= 400
    assert text in said(found, plan, "too_long")


# ───────────────────────────────────────────────────────────── food
async def test_a_diet_of_unknown_severity_counts_as_an_allergy(earlier):
    elsa = await earlier.user("Elsa Ek")
    for text in (
        "Glutenfri",
        "Laktosfri",
        "Nötfri",
        "Halal",
        "kiwi  och  sparris",
        "Annat",
        "kiwi och Sparris",
    ):
        await earlier.diet(elsa, text)

    found, plan = await planned(earlier)

    got = {
        v.get("key", v.get("word")): v["severity"]
        for v in (g["v"] for g in groups(plan, "allergy"))
    }
    assert got["WHEAT"] == got["OATS"] == got["PEANUTS"] == got["CASHEWS"] == "allergy"
    assert got["MILK"] == "intolerance"
    assert got["Halal"] == "preference"
    assert got["kiwi och sparris"] == "allergy"
    assert codes(plan, "dropped") == ["diet_says_nothing"]
    assert codes(plan, "check").count("diet_severity") == 3
    assert "kiwi och sparris" in said(found, plan, "diet_typed")


# ───────────────────────────────────────────────────────────── people
async def test_nobody_gets_more_than_they_had_and_what_they_had_comes_along(earlier):
    anna = await earlier.user("Anna Al", "CAREGIVER", phone="+46 70 123 45 67")
    bo = await earlier.user("Bo Bok", "caregiver", phone="070-123 45 67")
    elsa = await earlier.user("Elsa Ek")
    root = await earlier.user("Rut Rot", "ADMIN")
    await earlier.cares(anna, elsa)
    await earlier.cares(bo, elsa)
    await earlier.cares(root, elsa)
    await earlier.may(anna, "MEAL_REQUIREMENTS", "FLY")
    await earlier.may(bo, "MEAL_REQUIREMENTS", enabled=False)

    found, plan = await planned(earlier)

    cares = {"alert.take", "outcome.record", "plan.edit", "plan.view"}
    assert [(r.of, set(r.permissions), r.is_primary) for r in plan.relations] == [
        (anna, cares | {"meals.view", "meals.edit"}, True),
        (bo, cares, False),
    ]
    assert "Elsa Ek" in said(found, plan, "assigned_admin")
    assert "Anna Al" in said(found, plan, "primary")
    assert "FLY" in said(found, plan, "permission")
    assert "070-123 45 67" in said(found, plan, "phone_unclear")
    assert planning.number_of(plan.accounts[0]) == "+46701234567"


async def test_a_family_has_relatives_in_place_of_staff_and_administrators(earlier):
    anna = await earlier.user("Anna Al", "CAREGIVER")
    root = await earlier.user("Rut Rot", "ADMIN")
    elsa = await earlier.user("Elsa Ek")
    await earlier.cares(anna, elsa)
    home = Home("Ek", "Hemma", Policy.FAMILY, "Europe/Stockholm", "sv")

    _, plan = await planned(earlier, home)

    roles = {each.of: each.role.value for each in plan.accounts}
    assert roles == {anna: "relative", root: "relative", elsa: "resident"}
    (head,) = (each for each in plan.relations if each.space_of is None)
    assert (head.of, "care.manage" in head.permissions) == (root, True)
    assert planning.stewards(plan) == [root]


async def test_what_the_earlier_mos_was_delivered_with_is_left_out_unless_it_was_used(earlier):
    ids = await earlier.as_delivered()
    _, plan = await planned(earlier)
    assert [each.name for each in plan.accounts] == ["Karin Ek"]
    assert groups(plan) == []

    # A real resident whom a delivered caregiver looks after, and a delivered resident with a meal.
    elsa = await earlier.user("Elsa Ek")
    await earlier.cares(ids[2], elsa)
    await earlier.weekly(ids[3], "MEAL", ["Mån"], ["17:00"], "Middag")
    _, plan = await planned(earlier)
    kept = {each.name for each in plan.accounts}
    assert {"Erik Eriksson", "Maria Svensson", "Elsa Ek"} <= kept
    # Whoever cares for somebody real is real, and so on.
    assert kept >= {"Anna Andersson", "Ingrid Johansson"}
    assert "System Administrator" not in kept
    assert "Middag" in [each["title"] for each in groups(plan)]


async def test_addresses_that_differ_in_case_alone_and_people_without_a_name(earlier):
    await earlier.user("Anna Al", "CAREGIVER", email="anna@home.example")
    await earlier.user("Anna Två", "CAREGIVER", email="Anna@home.example")
    await earlier.user(" ", "CAREGIVER", email="no address")
    await earlier.user("Gäst", "GUEST")
    await earlier.user("Borta", active=False)

    found, plan = await planned(earlier)

    got = [(each.name, each.email, each.active) for each in plan.accounts]
    assert got == [
        ("Anna Al", "anna@home.example", True), ("Anna Två", None, True),
        ("no address", None, True), ("Borta", "borta@home.example", False),
        ("Karin Ek", "karin@solgarden.example", True),
    ]  # fmt: skip
    assert {"email", "email_twice", "inactive", "kind", "name"} <= set(codes(plan))
    assert "GUEST" in said(found, plan, "kind")


async def test_a_database_that_is_no_earlier_mos_is_told_apart(database):
    with pytest.raises(NotMos1):
        await read(database.owner_dsn)


async def test_every_finding_has_its_words(earlier):
    """A code without a sentence would end the report half-way."""
    for code, text in report._SENTENCES.items():
        assert text == text.strip(), code
    sources = (ROOT / "server/mos/ops/import_mos1").glob("*.py")
    written = "".join(file.read_text() for file in sources if file.name != "report.py")
    for code in report._SENTENCES:
        assert f'"{code}"' in written, code


# ───────────────────────────────────────────────────────────── written
async def test_what_is_written_is_sealed_and_planned_and_pulled_by_those_who_may(earlier, database):
    anna = await earlier.user("Anna Al", "CAREGIVER", phone="+46701234567")
    spread = [await earlier.user(f"Boende{n} Ek") for n in range(120)]
    for each in spread:
        await earlier.cares(anna, each)
        await earlier.weekly(each, "MEAL", ["Mån", "Tis"], ["12:00"], "Soppa och bröd")
        await earlier.diet(each, "Äggfri")
    found = await read(earlier.dsn)
    plan = planning.plan(found, HOME, NOW)
    pool = await connect(database.owner_dsn, size=1, keyring=database.keyring)
    seen = []
    async with pool.transaction() as db:
        done = await write(db, plan, HOME, NOW, address="https://mos.example", progress=seen.append)
    await pool.close()

    assert seen[-1] == 360
    assert list(done.links) == ["Karin Ek"]
    assert done.links["Karin Ek"].startswith("https://mos.example/#/inbjudan/")
    rows = await database.sql("SELECT coll, doc FROM rec WHERE org_id = $1", done.org)
    titles = [row["doc"]["title"] for row in rows if row["coll"] == "reminder"]
    assert titles == ["Soppa och bröd"] * 120
    raw = await database.owner.fetch("SELECT doc::text FROM rec")
    assert not any("Soppa" in row["doc"] or "EGGS" in row["doc"] for row in raw)
    short = await database.sql("SELECT count(*) AS n FROM horizon WHERE org_id = $1", done.org)
    spaces = await database.sql("SELECT count(*) AS n FROM space WHERE org_id = $1", done.org)
    assert spaces[0]["n"] == 240
    assert short[0]["n"] in (0, 240)
    phones = await database.sql("SELECT address, verified_at FROM contact")
    assert phones == [{"address": "+46701234567", "verified_at": None}]
    assert await database.sql("SELECT 1 FROM credential WHERE org_id = $1", done.org) == []


# ───────────────────────────────────────────────────────────── beside a running home
async def bring(data, dsn, *words):
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "mos.ops.cli", "import-mos1", dsn,
         "--organisation", "Solgården", "--data", str(data), *words],
        capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("MOS_")}
        | {"PYTHONPATH": str(ROOT / "server"), "COLUMNS": "200"},
    )  # fmt: skip


async def test_a_home_is_brought_over_and_its_administrator_chooses_a_password(earlier, tmp_path):
    await earlier.as_delivered()
    anna = await earlier.user("Anna Al", "CAREGIVER")
    await earlier.user("Rut Rot", "ADMIN")
    elsa = await earlier.user("Elsa Ek")
    await earlier.cares(anna, elsa)
    days = ["Mån", "Tis", "Ons", "Tor", "Fre", "Lör", "Sön"]
    await earlier.weekly(elsa, "MEAL", days, ["08:00", "12:00", "18:00"], "Mat")
    await earlier.diet(elsa, "Nötfri")
    before = await earlier.connection.fetch("SELECT * FROM reminder ORDER BY id")
    up = Up(tmp_path / "home", "--empty")
    up.ready()
    try:
        dry = await bring(up.data, earlier.dsn, "--json", tmp_path / "r.json")
        assert (dry.returncode, "Nothing was written" in dry.stdout) == (0, True), dry.stderr
        kept = json.loads((tmp_path / "r.json").read_text())
        assert kept["brings"]["reminders"] == 1
        assert (tmp_path / "r.json").stat().st_mode & 0o777 == 0o600

        done = await bring(up.data, earlier.dsn, "--apply", "--address", up.address)
        assert done.returncode == 0, done.stderr
        assert HASH not in done.stdout + dry.stdout
        again = await bring(up.data, earlier.dsn, "--apply")
        assert (again.returncode, "name another" in again.stderr) == (1, True)

        token = re.search(rf"Rut Rot: {re.escape(up.address)}/#/inbjudan/(\S+)", done.stdout)[1]
        device = "0193b3a0-0000-7000-8000-000000000001"
        body = {"token": token, "device_id": device, "password": "en lång promenad"}
        session = up.post("/api/v1/invitations/accept", body)
        assert session["account"]["role"] == "admin"
        assert await earlier.connection.fetch("SELECT * FROM reminder ORDER BY id") == before
        # It rings: the worker has planned what came.
        cluster = main_cluster(up.data, up.data / "secrets")
        cluster.find_socket()
        owner = await asyncpg.connect(cluster.dsn())
        begun = time.monotonic()
        while not await owner.fetchval("SELECT count(*) FROM due WHERE space_id IN "
                                       "(SELECT space_id FROM resident)"):  # fmt: skip
            assert time.monotonic() - begun < PATIENCE_S, "nothing was planned"
            await asyncio.sleep(0.2)
        await owner.close()
    finally:
        up.stop()


async def test_a_demo_home_takes_no_real_people(database):
    await database.sql("INSERT INTO installation (demo, created_at) VALUES (true, $1)", NOW)
    pool = await connect(database.owner_dsn, size=1)
    with pytest.raises(Refused, match="demo home"):
        async with pool.transaction() as db:
            await take_home(db, "Solgården", NOW)
    await pool.close()

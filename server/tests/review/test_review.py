"""Who reads the logs sees what is theirs, and what was drawn is looked at by somebody else."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from builders import a_home, a_relation, a_resident, a_unit, an_account

from mos.audit import access
from mos.audit.model import Touch, Who
from mos.db import Scope
from mos.review import rules
from mos.worker.logs import Logs

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
MANAGING = ("plan.view", "care.manage")


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@pytest.fixture
async def manager(database, home):
    account = await an_account(database, home.org, "manager", name="Eva")
    await a_relation(database, home.org, account, unit=home.unit, permissions=MANAGING)
    return account


async def did(database, home, account, at, *, space=None, kind="read", what="day", times=1):
    async with database.app.transaction(Scope(home.org)) as db:
        for n in range(times):
            touched = [Touch(space or home.space, what)]
            await access.log(db, Who(home.org, account), kind, touched, at + timedelta(seconds=n))


async def draw(database, now):
    await Logs(database.engine, None).look(now)


async def test_a_manager_reads_page_by_page_who_saw_the_residents_of_their_units(
    site, home, manager, database
):
    linden = await a_unit(database, home.org, name="Linden")
    other = await a_resident(database, home.org, linden, name="Olle")
    await did(database, home, home.caregiver, NOW - timedelta(days=2), times=60)
    await did(database, home, home.caregiver, NOW - timedelta(days=1), space=other.space)
    eva = await site.as_account(home.org, manager)

    first = (await eva.get("logs/accesses")).json()
    rest = (await eva.get(f"logs/accesses?after={first['next'].replace('+', '%2B')}")).json()

    assert [len(first["entries"]), len(rest["entries"]), rest["next"]] == [50, 10, None]
    ids = [entry["id"] for entry in first["entries"] + rest["entries"]]
    assert len(set(ids)) == 60
    moments = [entry["at"] for entry in first["entries"] + rest["entries"]]
    assert moments == sorted(moments, reverse=True)
    assert {entry["resident"] for entry in first["entries"]} == {"Elsa 1"}
    assert {(entry["person"], entry["role"], entry["purpose"]) for entry in first["entries"]} == {
        ("Noor", "caregiver", "care")
    }


async def test_each_filter_leaves_what_was_asked_for(site, home, manager, database):
    second = home.residents[1].space
    await did(database, home, home.caregiver, NOW - timedelta(days=1))
    await did(database, home, home.caregiver, NOW - timedelta(days=1), space=second, kind="changed")
    await did(database, home, manager, NOW - timedelta(days=3))
    await did(database, home, home.caregiver, NOW - timedelta(days=40))
    eva = await site.as_account(home.org, manager)

    async def asked(query):
        answer = (await eva.get(f"logs/accesses?{query}")).json()
        return [(each["space"], each["kind"], each["person"]) for each in answer["entries"]]

    assert len(await asked("")) == 3
    assert await asked(f"space={second}") == [(str(second), "changed", "Noor")]
    assert await asked("kind=changed") == [(str(second), "changed", "Noor")]
    assert await asked(f"account={manager}") == [(str(home.space), "read", "Eva")]
    assert len(await asked("since=2026-11-24T00:00:00Z")) == 2
    assert len(await asked("since=2026-10-01T00:00:00Z&until=2026-11-01T00:00:00Z")) == 1
    assert (await eva.get("logs/accesses?after=x")).status_code == 400
    assert (await eva.get("logs/accesses?since=2026-11-24T00:00:00")).status_code == 400


async def test_an_auditor_reads_all_and_an_administrator_no_resident(site, home, database):
    await did(database, home, home.caregiver, NOW - timedelta(days=1))
    auditor = await an_account(database, home.org, "auditor", name="Revisor")
    reads = await site.as_account(home.org, auditor)
    admin = await site.as_account(home.org, home.admin)

    assert len((await reads.get("logs/accesses")).json()["entries"]) == 1
    assert (await reads.get("logs")).json() | {"people": ..., "residents": ...} == {
        "accesses": True, "events": True, "people": ..., "residents": ...,
    }  # fmt: skip
    assert (await admin.get("logs/accesses")).status_code == 403
    assert (await admin.get("logs")).json()["accesses"] is False
    assert (await admin.get("logs")).json()["residents"] == []


async def test_the_chain_is_read_with_names_and_numbers(site, home, database):
    admin = await site.signed_in("admin@example.test")
    await admin.delete(f"accounts/{home.caregiver}/sessions")

    answer = (await admin.get("logs/events")).json()
    words = ("n", "event", "person", "whom")
    assert [tuple(line[word] for word in words) for line in answer["lines"]] == [
        (2, "signed_out_everywhere", "Alva", "Noor"), (1, "signed_in", "Alva", None),
    ]  # fmt: skip
    only = (await admin.get("logs/events?event=signed_in")).json()
    assert [line["n"] for line in only["lines"]] == [1]
    about = (await admin.get(f"logs/events?account={home.caregiver}")).json()
    assert [line["n"] for line in about["lines"]] == [2]
    assert [line["n"] for line in (await admin.get("logs/events?before=2")).json()["lines"]] == [1]


async def test_an_export_holds_everything_and_is_noted(site, home, manager, database):
    await database.sql("UPDATE account SET name = '=1+1' WHERE account_id = $1", home.caregiver)
    await did(database, home, home.caregiver, NOW - timedelta(days=1), times=2100)
    eva = await site.as_account(home.org, manager)

    table = await eva.get("logs/accesses/export?form=csv")
    whole = (await eva.get("logs/accesses/export?form=json&kind=read")).json()

    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert table.headers["content-disposition"] == 'attachment; filename="mos-2026-11-25.csv"'
    assert len(rows) == len(whole["entries"]) == 2100
    assert len({row["id"] for row in rows}) == 2100
    # A spreadsheet takes nobody's name for a formula.
    assert {row["person"] for row in rows} == {"'=1+1"}
    notes = await database.sql("SELECT content FROM audit WHERE event = 'exported' ORDER BY n")
    assert ['"form":"csv"' in notes[0]["content"], '"kind":"read"' in notes[1]["content"]] == [
        True
    ] * 2


async def test_a_resident_sees_who_has_seen_them_by_day_and_person(site, home, database):
    await did(database, home, home.caregiver, NOW - timedelta(hours=2), times=3)
    await did(
        database, home, home.caregiver, NOW - timedelta(hours=1), kind="changed", what="order"
    )
    await did(database, home, home.caregiver, NOW - timedelta(hours=1), what="medication")
    await did(database, home, home.resident.account, NOW - timedelta(hours=1))
    await did(database, home, home.caregiver, NOW - timedelta(days=30))
    elsa = await site.as_account(home.org, home.resident.account)

    page = (await elsa.get(f"residents/{home.space}/accesses")).json()
    [seen] = page["seen"]
    assert seen == {
        "day": "2026-11-25", "person": "Noor", "role": "caregiver",
        "first": "2026-11-25T07:00:00Z", "last": "2026-11-25T08:00:00Z", "read": True,
        "changed": True, "exported": False, "feed": False, "emergency": False, "medication": True,
    }  # fmt: skip
    assert page["before"] == "2026-10-26"
    earlier = (await elsa.get(f"residents/{home.space}/accesses?before=2026-10-26")).json()
    assert [(each["day"], earlier["before"]) for each in earlier["seen"]] == [("2026-10-26", None)]


async def test_a_relative_sees_it_with_the_right_alone(site, home, database):
    relative = await an_account(database, home.org, "relative", name="Karin")
    await a_relation(database, home.org, relative, space=home.space, permissions=("plan.view",))
    karin = await site.as_account(home.org, relative)
    assert (await karin.get(f"residents/{home.space}/accesses")).status_code == 404

    await database.sql(
        "UPDATE relation SET permissions = '{plan.view,log.view}' WHERE account_id = $1", relative
    )
    assert (await karin.get(f"residents/{home.space}/accesses")).status_code == 200
    other = home.residents[1].space
    assert (await karin.get(f"residents/{other}/accesses")).status_code == 404


async def test_each_month_some_of_each_unit_are_drawn_once_and_none_of_the_residents_own(
    home, database
):
    october = datetime(2026, 10, 10, 9, tzinfo=UTC)
    await did(database, home, home.caregiver, october, times=50)
    await did(database, home, home.resident.account, october, times=50)
    await did(database, home, home.caregiver, NOW, times=5)
    await draw(database, NOW)
    first = await database.sql("SELECT entry_id FROM access_sample ORDER BY entry_id")
    await draw(database, NOW)

    assert len(first) == rules.DRAWN_EACH
    assert await database.sql("SELECT entry_id FROM access_sample ORDER BY entry_id") == first
    [drawn] = await database.sql("SELECT * FROM access_draw")
    assert (drawn["month"], drawn["lines"], drawn["drawn"]) == (date(2026, 10, 1), 50, 20)
    # Whoever knows the seed can draw again.
    again = await database.sql(
        "SELECT entry_id FROM access_log WHERE purpose <> 'own' AND hour < '2026-11-01' "
        "ORDER BY sha256(convert_to($1 || entry_id, 'UTF8')) LIMIT 20",
        drawn["seed"],
    )
    assert sorted(row["entry_id"] for row in again) == [row["entry_id"] for row in first]
    [note] = await database.sql("SELECT content FROM audit WHERE event = 'sample_drawn'")
    assert drawn["seed"] in note["content"]


async def test_a_month_of_which_there_was_nothing_says_so(site, home, manager, database):
    await draw(database, NOW)
    eva = await site.as_account(home.org, manager)

    queue = (await eva.get("logs/samples")).json()
    assert queue["months"] == [{"month": "2026-10-01", "lines": 0, "drawn": 0, "left": 0}]


async def test_what_came_of_a_look_is_kept_sealed_and_noted(site, home, manager, database):
    await did(database, home, home.caregiver, datetime(2026, 10, 10, 9, tzinfo=UTC), times=2)
    await draw(database, NOW)
    eva = await site.as_account(home.org, manager)
    [one, two] = (await eva.get("logs/samples")).json()["samples"]
    place = f"logs/samples/2026-10-01/{one['entry']['id']}"

    assert (await eva.put(place, {"outcome": "forbidden"})).json()["field"] == "note"
    asks = await eva.put(place, {"outcome": "follow_up", "note": "Frågar Noor"})
    assert (asks.json()["outcome"], asks.json()["note"], asks.json()["reviewer"]) == (
        "follow_up", "Frågar Noor", "Eva",
    )  # fmt: skip
    assert asks.json()["reviewed_at"] == "2026-11-25T09:00:00Z"
    plain = await database.owner.fetch("SELECT note FROM access_sample")
    assert not any("Noor" in row["note"] for row in plain)
    assert (await eva.put(place, {"outcome": "reasonable"})).status_code == 200
    late = await eva.put(place, {"outcome": "forbidden", "note": "Nej"})
    assert (late.status_code, late.json()["code"]) == (409, "decided")

    queue = (await eva.get("logs/samples")).json()
    assert queue["months"][0]["left"] == 1
    assert queue["samples"][0]["entry"]["id"] == two["entry"]["id"]
    noted = await database.sql("SELECT content FROM audit WHERE event = 'sample_reviewed'")
    assert len(noted) == 2


async def test_nobody_looks_at_their_own(site, home, manager, database):
    await did(database, home, manager, datetime(2026, 10, 10, 9, tzinfo=UTC))
    await draw(database, NOW)
    eva = await site.as_account(home.org, manager)
    [sample] = (await eva.get("logs/samples")).json()["samples"]
    place = f"logs/samples/2026-10-01/{sample['entry']['id']}"

    assert sample["own"] is True
    refused = await eva.put(place, {"outcome": "reasonable"})
    assert (refused.status_code, refused.json()["code"]) == (403, "own_access")
    auditor = await site.as_account(home.org, await an_account(database, home.org, "auditor"))
    assert (await auditor.put(place, {"outcome": "reasonable"})).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        "logs/events?before=0",
        f"logs/events?before={2**63}",
        f"logs/events?before={-(10**30)}",
        "logs/events?until=0001-01-02T00:00:00Z",
        "logs/accesses?until=9999-12-31T23:59:59-12:00",
        "logs/accesses/export?since=0001-01-01T00:00:00%2B14:00",
        "logs/accesses?until=0001-01-02T00:00:00Z",
        "logs/samples?month=0001-01-01",
        "logs/samples?month=9999-12-31",
    ],
)
async def test_what_no_log_can_hold_is_asked_for_in_vain_and_crashes_nothing(site, asked):
    home = await a_home(site.database)
    auditor = await an_account(site.database, home.org, "auditor")
    browser = await site.as_account(home.org, auditor)

    answer = await browser.get(asked)

    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert answer.json()["field"] in asked


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-03", "9999-12-31"])
async def test_a_day_at_the_end_of_the_calendar_crashes_nothing(site, day):
    home = await a_home(site.database)
    browser = await site.as_account(home.org, home.resident.account)

    answer = await browser.get(f"residents/{home.space}/accesses?before={day}")

    assert answer.status_code in (200, 400), answer.text

"""The demo home is believable, and is only ever a demo."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from conftest import Database
from devices import replayed

from mos.db import UniqueViolation
from mos.dispatch import vapid, webpush
from mos.dispatch.channels.messengers import Messengers
from mos.kernel.ids import new_id
from mos.medication import rules
from mos.medication.model import as_needed_of, check_order
from mos.ops.demo import PASSWORD, PEOPLE
from mos.ops.demo.nurses import Nurse, Order
from mos.ops.demo.seed import seed
from mos.worker.loop import Worker

NOW = datetime(2026, 11, 25, 9, 55, tzinfo=UTC)
NOON = datetime(2026, 11, 27, 11, 14, tzinfo=UTC)


async def the_orders(database: Database) -> dict[UUID, dict]:
    """Return the active value of each order."""
    rows = await database.sql("SELECT rec_id, doc FROM rec WHERE coll = 'order'")
    return {row["rec_id"]: row["doc"]["active"] for row in rows}


async def the_conflict(database: Database) -> dict:
    """Return the one conflict that waits for a decision."""
    [row] = await database.sql(
        "SELECT * FROM rec WHERE coll = 'conflict' AND doc->>'state' = 'open'"
    )
    return row


async def who(database: Database, name: str) -> dict:
    """Return the account of somebody of the demo."""
    [row] = await database.sql("SELECT * FROM account WHERE name = $1", name)
    return row


async def alerts_at_the_start(database: Database) -> Counter[str]:
    """Return what alerts are open when the worker has looked at a new demo, by kind."""
    await seed(database.owner_dsn, NOON, database.keyring)
    key = vapid.load_or_make(database.settings.secrets / "vapid.pem")
    async with webpush.open_post(key, database.settings) as post:
        nobody = Messengers({}, services=None, guard=None, public_url="")
        worker = Worker(database.app, database.engine, post, nobody)
        for _ in range(2):
            await worker.tick(NOON)
            await worker.idle()
        assert not worker.ailing
    rows = await database.sql("SELECT kind FROM alert WHERE closed_at IS NULL")
    return Counter(row["kind"] for row in rows)


async def test_the_demo_home_has_the_people_that_the_guide_names(database: Database):
    await seed(database.owner_dsn, NOW, database.keyring)

    roles = await database.sql("SELECT role, count(*) AS n FROM account GROUP BY role")
    assert {row["role"]: row["n"] for row in roles} == {
        "resident": 6, "caregiver": 4, "nurse": 2, "relative": 3, "manager": 1, "admin": 1,
    }  # fmt: skip
    emails = await database.sql("SELECT email FROM account")
    assert {row["email"] for row in emails} == {person.email for person in PEOPLE}


async def test_thirty_days_have_happened_and_every_answer_belongs_to_an_occurrence(
    database: Database,
):
    await seed(database.owner_dsn, NOW, database.keyring)

    [span] = await database.sql("SELECT min(at) AS first, max(at) AS last FROM occurrence")
    assert NOW - span["first"] > timedelta(days=29)
    assert span["last"] <= NOW
    closed = await database.sql("SELECT space_id, occ FROM occurrence WHERE state = 'closed'")
    names = {(row["space_id"], row["occ"]) for row in closed}
    said = await database.sql("SELECT space_id, doc FROM rec WHERE coll = 'completion'")
    planned = [row for row in said if "prn" not in row["doc"]["v"]]
    assert len(planned) > 100
    assert {(row["space_id"], row["doc"]["v"]["occ"]) for row in planned} <= names
    [missed] = await database.sql("SELECT count(*) AS n FROM occurrence WHERE state = 'missed'")
    assert missed["n"] > 10


async def test_a_demo_space_is_as_gap_free_as_a_real_one(database: Database):
    await seed(database.owner_dsn, NOW, database.keyring)

    gaps = await database.sql(
        "SELECT s.space_id FROM space s WHERE s.head_seq <> (SELECT count(*) FROM op o "
        "WHERE o.space_id = s.space_id) OR s.head_seq <> (SELECT max(seq) FROM rec r "
        "WHERE r.space_id = s.space_id)"
    )
    assert gaps == []


async def test_the_demo_never_moves_into_a_home_that_is_somebodys(database: Database):
    await database.sql(
        "INSERT INTO installation (demo, claimed_at, created_at) VALUES (false, $1, $1)", NOW
    )

    with pytest.raises(UniqueViolation):
        await seed(database.owner_dsn, NOW, database.keyring)

    [accounts] = await database.sql("SELECT count(*) AS n FROM account")
    assert accounts["n"] == 0


async def test_a_device_finds_the_demo_space_whole(database: Database):
    await seed(database.owner_dsn, NOW, database.keyring)

    wrong = await database.sql(
        "SELECT s.space_id FROM space s JOIN (SELECT space_id, count(*) AS n, sum(seq) AS sum, "
        "mod(sum(seq::numeric ^ 2), 2::numeric ^ 53) AS sq FROM rec GROUP BY 1) r USING (space_id) "
        "WHERE (s.live_n, s.live_sum, s.live_sq) IS DISTINCT FROM (r.n, r.sum, r.sq)"
    )
    assert wrong == []


async def test_medicine_is_ordered_and_no_reminder_rings_for_it_as_well(database: Database):
    await seed(database.owner_dsn, NOW, database.keyring)

    orders = await the_orders(database)
    for active in orders.values():
        check_order({"v": active["v"]})
    kinds = Counter(active["v"]["kind"] for active in orders.values())
    assert kinds["as_needed"] == 1
    assert kinds["times"] > 4
    reminders = await database.sql("SELECT doc FROM rec WHERE coll = 'reminder'")
    assert "medication" not in {row["doc"]["category"] for row in reminders}
    [double] = [active for active in orders.values() if active["v"]["double"]]
    assert double["second"] != double["by"]


async def test_the_log_of_each_space_of_medication_plays_to_what_stands_in_it(database: Database):
    await seed(database.owner_dsn, NOW, database.keyring)

    spaces = await database.sql("SELECT space_id FROM space WHERE kind = 'medication'")
    for space in (row["space_id"] for row in spaces):
        log = await database.sql("SELECT * FROM op WHERE space_id = $1 ORDER BY seq", space)
        rows = await database.sql("SELECT * FROM rec WHERE space_id = $1", space)
        assert replayed(str(space), log) == {
            str(row["rec_id"]): (row["coll"], row["seq"], row["doc"], row["clk"]) for row in rows
        }


async def test_thirty_days_of_doses_are_signed_by_the_version_that_held(database: Database):
    await seed(database.owner_dsn, NOW, database.keyring)

    orders = await the_orders(database)
    doses = await database.sql(
        "SELECT r.doc->'v' AS v FROM rec r JOIN space s USING (space_id) "
        "WHERE s.kind = 'medication' AND r.coll = 'completion'"
    )
    held = {rec: active["ver"] for rec, active in orders.items()}
    conflict = (await the_conflict(database))["doc"]
    # What one of the nurses has changed only now, nobody has followed yet.
    held[UUID(conflict["of"]["rec"])] = next(iter(conflict["candidates"].values()))["base"]
    assert len(doses) > 200
    for row in doses:
        assert row["v"]["ver"] == held[UUID(row["v"]["occ"].partition("@")[0])]
    [(rec, limits)] = [
        (rec, limits)
        for rec, active in orders.items()
        if (limits := as_needed_of(active["v"])) is not None
    ]
    needed = [
        rules.Dose(datetime.fromisoformat(row["v"]["at"]), row["v"]["occ"])
        for row in doses
        if row["v"].get("prn")
    ]
    assert all(dose.occ.startswith(f"{rec}@") for dose in needed)
    assert len(needed) > 3
    assert rules.doubled(limits, needed) == []


async def test_two_nurses_are_at_odds_over_one_dose_and_either_can_decide(database: Database):
    await seed(database.owner_dsn, NOW, database.keyring)
    conflict = await the_conflict(database)
    active = (await the_orders(database))[UUID(conflict["doc"]["of"]["rec"])]
    [(candidate, proposed)] = conflict["doc"]["candidates"].items()
    assert proposed["why"] == "base"
    assert active["by"] != proposed["by"]
    assert active["v"] != proposed["v"]

    ingrid = await who(database, "Ingrid Sandberg")
    nurse = Nurse(ingrid["org_id"], ingrid["account_id"], NOW)
    about = Order(conflict["space_id"], UUID(conflict["doc"]["of"]["rec"]), {}, *[new_id(NOW)] * 2)
    decision = nurse.wrote(
        NOW, about.ver, about, k="resolve", base=active["ver"], seen=[candidate],
        choose=candidate, why="Kontrollerat",
    )  # fmt: skip
    async with database.app.transaction() as db:
        await nurse.send(db, [decision], NOW, verdicts=["applied"], quiet=False)

    assert (await the_orders(database))[about.rec]["v"] == proposed["v"]


async def test_the_demo_begins_with_little_unanswered_and_one_decision_to_take(database: Database):
    begins = await alerts_at_the_start(database)

    assert begins["conflict"] == 1
    assert 1 <= begins.total() - begins["conflict"] <= 4
    assert begins.keys() <= {"conflict", "missed", "late"}


async def test_no_other_installation_can_keep_a_demos_password(database: Database):
    with pytest.raises(asyncpg.CheckViolationError):
        await database.sql(
            "INSERT INTO installation (demo, demo_password, created_at) VALUES (false, $1, $2)",
            PASSWORD, NOW,
        )  # fmt: skip


def test_the_app_that_everybody_is_served_knows_nobody_of_the_demo():
    app = Path(__file__).parents[3] / "pwa" / "src"
    served = [
        path
        for path in app.rglob("*")
        if path.suffix in {".ts", ".svelte", ".json"} and "stage" not in path.parts
        if not path.name.endswith(".test.ts")
    ]
    told = [PASSWORD, *(person.email for person in PEOPLE)]

    assert [path for path in served if any(word in path.read_text("utf-8") for word in told)] == []


async def test_the_demo_home_has_somebody_on_call_whenever_it_is_shown(database: Database):
    await seed(database.owner_dsn, NOW, database.keyring)

    nurses = {
        (await who(database, name))["account_id"] for name in ("Ingrid Sandberg", "Henrik Dahl")
    }
    evening = NOW.replace(hour=18)
    rows = await database.sql(
        "SELECT account_id FROM duty WHERE from_at <= $1 AND $1 < to_at", evening
    )
    assert len(rows) == 1
    assert {row["account_id"] for row in rows} <= nurses
    [kept] = await database.sql("SELECT steps FROM ladder")
    [record] = await database.sql("SELECT doc FROM rec WHERE coll = 'ladder'")
    assert record["doc"]["steps"] == kept["steps"]

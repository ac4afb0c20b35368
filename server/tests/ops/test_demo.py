"""The demo home is believable, and is only ever a demo."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from conftest import Database

from mos.db import UniqueViolation
from mos.ops.demo import PASSWORD, PEOPLE, seed

NOW = datetime(2026, 11, 25, 9, 55, tzinfo=UTC)


async def test_the_demo_home_has_the_people_that_the_guide_names(database: Database):
    await seed(database.owner_dsn, NOW)

    roles = await database.sql("SELECT role, count(*) AS n FROM account GROUP BY role")
    assert {row["role"]: row["n"] for row in roles} == {
        "resident": 6, "caregiver": 4, "nurse": 1, "relative": 3, "manager": 1, "admin": 1,
    }  # fmt: skip
    emails = await database.sql("SELECT email FROM account")
    assert {row["email"] for row in emails} == {person.email for person in PEOPLE}


async def test_thirty_days_have_happened_and_every_answer_belongs_to_an_occurrence(
    database: Database,
):
    await seed(database.owner_dsn, NOW)

    [span] = await database.sql("SELECT min(at) AS first, max(at) AS last FROM occurrence")
    assert NOW - span["first"] > timedelta(days=29)
    assert span["last"] <= NOW
    [stray] = await database.sql(
        "SELECT count(*) AS n FROM rec r WHERE r.coll = 'completion' AND NOT EXISTS ("
        "SELECT 1 FROM occurrence o WHERE o.space_id = r.space_id AND o.occ = r.doc->'v'->>'occ'"
        " AND o.state = 'closed')"
    )
    assert stray["n"] == 0
    [missed] = await database.sql("SELECT count(*) AS n FROM occurrence WHERE state = 'missed'")
    assert missed["n"] > 10


async def test_a_demo_space_is_as_gap_free_as_a_real_one(database: Database):
    await seed(database.owner_dsn, NOW)

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
        await seed(database.owner_dsn, NOW)

    [accounts] = await database.sql("SELECT count(*) AS n FROM account")
    assert accounts["n"] == 0


async def test_a_device_finds_the_demo_space_whole(database: Database):
    await seed(database.owner_dsn, NOW)

    wrong = await database.sql(
        "SELECT s.space_id FROM space s JOIN (SELECT space_id, count(*) AS n, sum(seq) AS sum, "
        "mod(sum(seq::numeric ^ 2), 2::numeric ^ 53) AS sq FROM rec GROUP BY 1) r USING (space_id) "
        "WHERE (s.live_n, s.live_sum, s.live_sq) IS DISTINCT FROM (r.n, r.sum, r.sq)"
    )
    assert wrong == []


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

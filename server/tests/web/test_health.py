"""What monitors ask."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from builders import a_home

from mos.kernel.zones import zone_release


async def _beat(site, when):
    await site.database.sql("INSERT INTO worker_heartbeat VALUES ($1, $2)", uuid4(), when)


async def test_the_heartbeat_is_good_while_database_and_worker_live(site, clock):
    browser = await site.browser()
    await _beat(site, clock.now - timedelta(seconds=20))

    answer = await browser.http.get("/__heartbeat__")

    assert answer.status_code == 200
    assert answer.json() == {
        "database": "ok",
        "worker": "ok",
        "chain": "not yet",
        "push": "not yet",
        "expected": "not yet",
    }


async def test_the_heartbeat_names_the_part_that_fails(site, clock):
    browser = await site.browser()

    never = await browser.http.get("/__heartbeat__")
    await _beat(site, clock.now)
    clock.move(seconds=31)
    silent = await browser.http.get("/__heartbeat__")

    assert (never.status_code, never.json()["worker"]) == (503, "never seen")
    assert (silent.status_code, silent.json()["worker"]) == (503, "silent")


@pytest.mark.parametrize(
    ("column", "part", "many", "status"),
    [("push_missed", "push", 5, 200), ("missed", "chain", 2, 503)],
)
async def test_a_leg_that_does_not_come_through_is_named(  # noqa: PLR0917
    site, clock, column, part, many, status
):
    browser = await site.browser()
    await _beat(site, clock.now)
    await site.database.sql("UPDATE watch_round SET through_at = $1, push_at = $1", clock.now)
    await site.database.sql(f"UPDATE watch_round SET {column} = $1", many - 1)
    still = await browser.http.get("/__heartbeat__")
    await site.database.sql(f"UPDATE watch_round SET {column} = $1", many)
    broken = await browser.http.get("/__heartbeat__")

    assert (still.status_code, still.json()[part]) == (200, "ok")
    assert (broken.status_code, broken.json()[part]) == (status, "broken")


async def test_where_no_push_message_is_watched_the_heartbeat_says_so_and_is_good(site, clock):
    browser = await site.browser()
    await _beat(site, clock.now)
    await site.database.sql("UPDATE watch_round SET through_at = $1", clock.now)

    answer = await browser.http.get("/__heartbeat__")

    assert (answer.status_code, answer.json()["push"]) == (200, "not watched")


async def test_a_gap_is_said_for_an_hour_and_so_is_a_watch_that_stands_still(site, clock):
    home = await a_home(site.database)
    browser = await site.browser()
    await _beat(site, clock.now)
    await site.database.sql("UPDATE watch_round SET judged_until = $1", clock.now)
    await site.database.sql(
        "INSERT INTO watch_window VALUES ($1, $2, 3, 2, 0, 0, 0, 1, 0, $2)",
        home.org, clock.now - timedelta(minutes=20),
    )  # fmt: skip
    gap = await browser.http.get("/__heartbeat__")
    clock.move(minutes=45)
    await _beat(site, clock.now)
    stuck = await browser.http.get("/__heartbeat__")

    assert (gap.status_code, gap.json()["expected"]) == (200, "not told")
    assert (stuck.status_code, stuck.json()["expected"]) == (200, "not judged")


async def test_administrators_see_what_was_expected_and_told_in_their_own_organisation(site, clock):
    home = await a_home(site.database)
    now = clock.now
    for org, count in ((home.org, 100), (uuid4(), 7)):
        await site.database.sql(
            "INSERT INTO watch_window VALUES ($1, $2, $3, $3 - 3, 1, 2, 0, 1, 0, $2), "
            "($1, $4, 5, 5, 0, 0, 0, 0, 0, $2), ($1, $5, 50, 50, 0, 0, 0, 0, 0, $2)",
            org, now - timedelta(hours=2), count, now - timedelta(hours=3),
            now - timedelta(hours=25),
        )  # fmt: skip
    await site.database.sql(
        "UPDATE watch_round SET judged_until = $1, through_at = $1, took_ms = 1200", now
    )
    browser = await site.signed_in("admin@example.test")

    said = (await browser.get("self-watch")).json()

    assert [said[each] for each in ("expected", "told", "late", "excused", "missing")] == [
        105, 104, 1, 2, 1,
    ]  # fmt: skip
    assert [(gap["expected"], gap["missing"]) for gap in said["gaps"]] == [(100, 1)]
    assert (said["chain"]["state"], said["chain"]["took_ms"]) == ("ok", 1200)
    assert said["push"] == {"state": "not watched", "at": None, "took_ms": None}


async def test_without_a_database_the_heartbeat_fails_and_the_process_still_answers(site, cluster):
    browser = await site.browser()
    [row] = await site.database.sql("SELECT current_database()::text AS name")
    outside = await asyncpg.connect(cluster.dsn(database="postgres"))
    await outside.execute(f"ALTER DATABASE {row['name']} ALLOW_CONNECTIONS false")
    await outside.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = $1 AND usename <> current_user",
        row["name"],
    )
    try:
        beat = await browser.http.get("/__heartbeat__")
        here = await browser.http.get("/__lbheartbeat__")
    finally:
        await outside.execute(f"ALTER DATABASE {row['name']} ALLOW_CONNECTIONS true")
        await outside.close()

    assert (beat.status_code, beat.json()["database"]) == (503, "unreachable")
    assert here.status_code == 200


async def test_another_origin_can_see_that_the_server_is_there_and_nothing_else(site):
    browser = await site.browser()

    policies = {
        path: (await browser.http.get(path)).headers["cross-origin-resource-policy"]
        for path in ("/__lbheartbeat__", "/__heartbeat__", "/__version__", "/metrics", "/")
    }

    assert policies.pop("/__lbheartbeat__") == "cross-origin"
    assert set(policies.values()) == {"same-origin"}


async def test_the_version_is_told(site):
    browser = await site.browser()

    told = (await browser.http.get("/__version__")).json()

    assert (told["name"], told["version"]) == ("mos", "0.1.0")
    assert told["zones"] == f"{zone_release().name} {zone_release().source}"


async def test_metrics_count_by_route_and_never_by_id(site):
    home = await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    await browser.get(f"residents/{home.space}/devices")
    await browser.get(f"residents/{home.unit}/devices")
    local = await site.browser(client="127.0.0.1")

    text = (await local.http.get("/metrics")).text

    route = "/api/v1/residents/{space}/devices"
    line = f'mos_http_requests_total{{method="GET",route="{route}",status="200"}} 1.0'
    assert line in text
    assert str(home.space) not in text
    assert 'status="404"' in text
    assert "mos_http_seconds_bucket" in text


async def test_metrics_are_for_this_machine_or_the_bearer_of_the_token(site):
    (site.database.settings.secrets / "metrics.token").write_text("open sesame\n")
    far = await site.browser()
    local = await site.browser(client="127.0.0.1")

    async def status(browser, **headers):
        return (await browser.http.get("/metrics", headers=headers)).status_code

    assert await status(far) == 404
    assert await status(far, authorization="Bearer wrong") == 404
    assert await status(far, authorization="Bearer open sesame") == 200
    assert await status(local) == 200
    # Passed on by a proxy on this machine: from anywhere.
    assert await status(local, **{"x-forwarded-for": "203.0.113.1"}) == 404


async def test_an_odd_method_or_path_makes_no_new_series(site):
    browser = await site.browser(client="127.0.0.1")
    for number in range(5):
        await browser.http.request(f"BREW{number}", f"/api/v1/{number}", headers={"x-mos": "1"})
        await browser.http.get(f"/sync/v1/{number}")

    text = (await browser.http.get("/metrics")).text

    assert "BREW" not in text
    assert 'method="other",route="unmatched"' in text
    assert "/sync/v1/1" not in text

"""What monitors ask."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
from builders import a_home

from mos.kernel.zones import zone_release


async def _beat(site, when):
    await site.database.sql("INSERT INTO worker_heartbeat VALUES ($1, $2)", uuid4(), when)


async def test_the_heartbeat_is_good_while_database_and_worker_live(site, clock):
    browser = await site.browser()
    await _beat(site, clock.now - timedelta(seconds=20))

    answer = await browser.http.get("/__heartbeat__")

    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "worker": "ok"})


async def test_the_heartbeat_names_the_part_that_fails(site, clock):
    browser = await site.browser()

    never = await browser.http.get("/__heartbeat__")
    await _beat(site, clock.now)
    clock.move(seconds=31)
    silent = await browser.http.get("/__heartbeat__")

    assert (never.status_code, never.json()["worker"]) == (503, "never seen")
    assert (silent.status_code, silent.json()["worker"]) == (503, "silent")


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

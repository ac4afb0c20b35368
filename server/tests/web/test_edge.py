"""What every request passes: bounds, headers, one shape of error, logs without people."""

import asyncio
import json

import httpx
import pytest
import structlog
from browsers import Browser, started
from builders import a_home
from msgspec import structs

from mos.web import edge, errors


def _is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["title"]
    assert body["code"]
    assert body["detail"]
    assert body.keys() <= {
        "type", "title", "status", "code", "detail", "field", "retry_after_s",
    }  # fmt: skip
    return body


async def test_errors_have_one_shape(site):
    await a_home(site.database)
    browser = await site.signed_in("admin@example.test")

    _is_problem(await browser.get("nothing-here"), 404)
    _is_problem(await browser.patch("units/not-a-uuid", {}), 404)
    _is_problem(await browser.ask("PUT", "units"), 405)
    _is_problem(await browser.http.get("/api/v2"), 404)
    _is_problem(await browser.http.get("/nothing/here"), 404)
    _is_problem(await browser.http.post("/__version__", headers={"x-mos": "1"}), 405)
    _is_problem(await browser.http.post("/index.html", headers={"x-mos": "1"}), 404)


async def test_a_method_that_is_not_taken_is_answered_with_those_that_are(site):
    home = await a_home(site.database)
    browser = await site.as_account(home.org, home.admin)

    allowed = {
        path: (await browser.http.put(path, headers={"x-mos": "1"})).headers["allow"].split(", ")
        for path in ("/api/v1/units", "/__version__", "/sync/v1/pull", "/sync/v1/poke")
    }

    assert set(allowed.pop("/api/v1/units")) == {"GET", "POST", "OPTIONS"}
    assert allowed == {
        "/__version__": ["GET", "HEAD"],
        "/sync/v1/pull": ["POST"],
        "/sync/v1/poke": ["GET"],
    }


async def test_what_is_nearly_of_the_right_type_is_refused_by_name(site):
    home = await a_home(site.database)
    browser = await site.as_account(home.org, home.admin)
    device = await site.as_account(home.org, home.resident.account)

    for body in ({"kiosk": 0}, {"kiosk": "true"}, {"battery": "5"}, {"charging": "null"}):
        answer = _is_problem(await device.post("device/heartbeat", body), 400)
        assert [answer["field"]] == list(body)
    for moment in ("2026", "0", "1e5", "-5", "1764061200"):
        answer = _is_problem(await browser.get(f"logs/events?since={moment}"), 400)
        assert answer["field"] == "since"
    assert (await browser.get("logs/events?since=2026-11-25T09:00:00Z")).status_code == 200


async def test_a_validation_error_names_the_field(site):
    await a_home(site.database)
    browser = await site.signed_in("admin@example.test")
    good = {"name": "Ny", "zone": "Europe/Stockholm", "language": "sv"}

    wrong = _is_problem(await browser.post("units", {**good, "name": 7}), 400)
    missing = _is_problem(await browser.post("units", {"name": "Ny", "language": "sv"}), 400)
    unknown = _is_problem(await browser.post("units", {**good, "colour": "red"}), 400)
    chosen = _is_problem(await browser.post("units", {**good, "language": "xx"}), 400)

    assert wrong["field"] == "name"
    assert missing["field"] == "zone"
    assert unknown["field"] == "colour"
    assert chosen["field"] == "language"
    assert {error["code"] for error in (wrong, missing, unknown, chosen)} == {"invalid"}


async def test_what_is_no_json_is_refused(site):
    await a_home(site.database)
    browser = await site.signed_in("admin@example.test")
    for body in (b"", b"{", b"\xff\xfe", b"[NaN]", b"[" * 100_000, b"nul"):
        answer = await browser.ask(
            "POST", "units", content=body, headers={"content-type": "application/json"}
        )
        _is_problem(answer, 400)


async def test_other_media_types_are_refused(site):
    browser = await site.browser()

    answer = await browser.ask(
        "POST", "session", content=b"email=x", headers={"content-type": "text/plain"}
    )

    assert _is_problem(answer, 415)["code"] == "media_type"


async def test_a_body_over_a_mebibyte_is_refused_by_its_announcement(site):
    browser = await site.browser()

    answer = await browser.ask("POST", "session", content=b" " * (edge.MAX_BODY_BYTES + 1))

    assert _is_problem(answer, 413)["code"] == "too_large"


async def test_a_body_over_a_mebibyte_is_refused_while_it_arrives(site):
    browser = await site.browser()

    async def endless():
        for _ in range(40):
            yield b" " * 65_536

    answer = await browser.ask(
        "POST", "session", content=endless(), headers={"content-type": "application/json"}
    )

    _is_problem(answer, 413)


async def test_a_body_that_never_ends_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(edge, "BODY_SECONDS", 0.05)
    browser = await site.browser()

    async def stalled():
        yield b"{"
        await asyncio.Event().wait()

    answer = await browser.ask(
        "POST", "session", content=stalled(), headers={"content-type": "application/json"}
    )

    assert _is_problem(answer, 408)["code"] == "slow_body"


async def test_a_crash_tells_nothing_and_is_logged_without_what_people_wrote(site, monkeypatch):
    from mos.care.actions import whoami

    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    async def broken(*_):
        raise RuntimeError("Elsa Ek, born 1931")

    monkeypatch.setattr(whoami, "session_body", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await browser.get("session")

    body = _is_problem(answer, 500)
    assert "Elsa" not in answer.text
    assert body["code"] == "internal"
    [crash] = [line for line in logs if line["event"] == "crash"]
    assert crash["request_id"] == answer.headers["x-request-id"]
    assert crash["kind"] == "RuntimeError"
    assert any("broken" in place for place in crash["at"])
    assert "Elsa" not in json.dumps(logs, default=str)


async def test_the_log_says_which_route_and_never_who(site):
    home = await a_home(site.database)
    browser = await site.browser(client="198.51.100.77")
    with structlog.testing.capture_logs() as logs:
        await browser.sign_in("caregiver@example.test")
        await browser.get(f"residents/{home.space}/devices?secret=1")

    lines = [line for line in logs if line["event"] == "request"]
    assert [line["route"] for line in lines] == [
        "/api/v1/session", "/api/v1/residents/{space}/devices",
    ]  # fmt: skip
    assert [line["status"] for line in lines] == [201, 200]
    text = json.dumps(logs, default=str)
    for secret in ("198.51.100.77", "caregiver@", "Noor", "secret", str(home.space), "session="):
        assert secret not in text


async def test_every_answer_carries_the_security_headers(site):
    browser = await site.browser()
    for path in ("/", "/api/v1/installation", "/nothing", "/__lbheartbeat__", "/sync/v1/poke"):
        answer = await browser.http.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "cross-origin-resource-policy" in answer.headers  # see test_health.py
        assert "geolocation=()" in answer.headers["permissions-policy"]
        assert len(answer.headers["x-request-id"]) == 16
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers


async def test_answers_of_the_api_are_not_kept_by_caches(site):
    browser = await site.browser()

    assert (await browser.get("installation")).headers["cache-control"] == "no-store"
    assert (await browser.get("session")).headers["cache-control"] == "no-store"


async def test_under_https_the_cookie_is_secure_and_the_browser_told_to_stay(database, clock):
    await a_home(database)
    settings = structs.replace(database.settings, public_url="https://mos.example.org")
    async with started(settings, clock) as app:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        # A proxy ends TLS: what arrives here is plain HTTP.
        async with httpx.AsyncClient(transport=transport, base_url="http://mos.test") as http:
            browser = Browser(http)
            answer = await browser.sign_in("caregiver@example.test")

            assert answer.headers["set-cookie"].startswith("__Host-mos=")
            assert "; Secure" in answer.headers["set-cookie"]
            assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
            token = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
            http.cookies.clear()
            plain = await browser.ask("GET", "session", headers={"cookie": f"mos={token}"})
            host = await browser.ask("GET", "session", headers={"cookie": f"__Host-mos={token}"})
            assert (plain.status_code, host.status_code) == (401, 200)


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "same-origin"}, {"origin": "http://mos.test"}, {}],
)
async def test_our_own_page_and_programs_are_let_through(site, headers):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    answer = await browser.ask("PATCH", "account", {"language": "sv"}, headers=headers)

    assert answer.status_code == 200


async def test_a_forwarded_address_is_believed_from_a_trusted_proxy_only(database, clock):
    await a_home(database)
    settings = structs.replace(database.settings, trusted_proxies=("10.0.0.0/8",))
    async with started(settings, clock) as app:

        async def statuses(peer, forwarded, times):
            transport = httpx.ASGITransport(app, client=(peer, 1))
            async with httpx.AsyncClient(
                transport=transport,
                base_url="http://mos.test",
                headers={"x-forwarded-for": forwarded},
            ) as http:
                return [
                    (
                        await Browser(http).sign_in(f"x{number}@example.test", "wrong one")
                    ).status_code
                    for number in range(times)
                ]

        # A guesser behind the proxy is locked by their own address, whatever they claim in front.
        assert set(await statuses("10.0.0.1", "1.2.3.4, 203.0.113.5", 20)) == {401}
        assert await statuses("10.0.0.1", "5.6.7.8, 203.0.113.5, 10.0.0.2", 1) == [429]
        assert await statuses("10.0.0.1", "203.0.113.6", 1) == [401]
        # A proxy that adds a line of its own is believed, not the line that came with the request.
        lines = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"203.0.113.5")]
        transport = httpx.ASGITransport(app, client=("10.0.0.1", 1))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://mos.test", headers=lines
        ) as http:
            assert (await Browser(http).sign_in("x@example.test", "wrong")).status_code == 429
        # Somebody who is no proxy is who they are.
        assert await statuses("198.51.100.1", "203.0.113.5", 1) == [401]


def test_every_kind_of_refusal_has_a_status():
    from mos.kernel import errors as kernel

    kinds = {
        kernel.Invalid("x"): 400,
        kernel.Unauthenticated("x"): 401,
        kernel.Forbidden("x"): 403,
        kernel.NotFound("x"): 404,
        kernel.Conflict("x"): 409,
        kernel.TooMany("x", retry_after_s=3): 429,
        kernel.Refused("x"): 400,
        ValueError("secret"): 500,
    }
    for error, status in kinds.items():
        found, body = errors.problem(error)
        assert found == status
        assert b"secret" not in body

"""Whatever is thrown at the API, it answers: never a crash, and refusals in the one shape.

What no document can describe: bytes that are no JSON, values that are worse than their type is
wrong, headers, addresses, and synchronisation. The rest is asked in `test_as_described`.
"""

import json
from typing import Any
from uuid import uuid4

import pytest
from builders import a_home
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_edge import _is_problem
from test_matrix import MATRIX, Ask, _world, routes

from mos.web.api import PREFIX

WITH_BODY = [
    route for route in routes() if route.startswith(("POST", "PUT", "PATCH"))
    and not route.endswith(("ring-test", "/wipe", "{contact_id}/code", "account/passkeys/options"))
    and not route.endswith(("/account/totp", "/account/recovery-codes", "/account/identity"))
    and not route.endswith("/session/step-up/oidc")
    and not route.endswith(("{contact_id}/test", "{webhook_id}/test", "{webhook_id}/secret"))
] + ["PUT /devices/{device_id}/ring-test"]  # fmt: skip
SYNC = ["POST /sync/v1/hello", "POST /sync/v1/push", "POST /sync/v1/pull"]

DEEP = 200_000
NOT_JSON = [
    b"",
    b" ",
    b"{",
    b"nul",
    b"NaN",
    b'{"name": NaN}',
    b'{"name": Infinity}',
    b'{"name": "\xff"}',
    b'{"name": "\\ud800"}',
    b"\x00",
    b"\xef\xbb\xbf{}",
    b"{} {}",
    b'{"name": 1e}',
    b"[" * DEEP,
    b'{"name":' * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"name":' * DEEP + b"1" + b"}" * DEEP,
]
NOT_AN_OBJECT = [b"[]", b"null", b"true", b"0", b"1e308", b'"text"', b"9" * 5000]

# Fields that bodies have, with what they are not.
_WRONG = [
    None, True, -1, 1e308, 10**400, "", "\x00", "x" * 100_000, "\u202e", [], {}, [[]],
    "0" * 36, "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
]  # fmt: skip
_NAMES = [
    "name", "email", "password", "token", "device_id", "device_name", "organisation", "zone",
    "language", "role", "units", "unit", "space", "account", "permissions", "is_primary",
    "consent", "valid_to", "kind", "endpoint", "p256dh", "auth", "sound", "permission", "push",
    "nonce", "app", "zone_release", "flat", "archived", "disabled", "current", "new",
    "proto", "schema", "ops", "spaces", "client_now", "sent", "__proto__", "",
]  # fmt: skip

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
_BODY = st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=8), _JSON, max_size=12)


def _url(route):
    path = route.partition(" ")[2]
    for name in (
        "{unit_id}",
        "{account_id}",
        "{space}",
        "{relation_id}",
        "{device_id}",
        "{contact_id}",
    ):
        path = path.replace(name, str(uuid4()))
    path = path.replace("{channel}", "email")
    return path if path.startswith("/sync/") else PREFIX + path


async def _throw(browser, route, body: bytes, **headers: str) -> Any:
    return await browser.http.request(
        route.partition(" ")[0],
        _url(route),
        content=body,
        headers={"x-mos": "1", "content-type": "application/json", **headers},
    )


@pytest.mark.parametrize("who", ["nobody", "caregiver", "admin"])
async def test_what_is_no_body_is_refused_by_every_route(site, who):
    home = await a_home(site.database)
    browser = await site.browser()
    if who != "nobody":
        browser = await site.as_account(home.org, getattr(home, who))

    for route in [*WITH_BODY, *SYNC]:
        for body in [*NOT_JSON, *NOT_AN_OBJECT]:
            answer = await _throw(browser, route, body)
            assert 400 <= answer.status_code < 500, (route, body[:40])
            _is_problem(answer, answer.status_code)


@pytest.mark.parametrize("route", SYNC)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=_BODY)
async def test_no_body_that_anybody_can_make_crashes_a_route(site, route, body):
    browser = await _an_admin(site)

    answer = await _throw(browser, route, json.dumps(body).encode())

    assert answer.status_code < 500, answer.text
    if not answer.is_success:
        _is_problem(answer, answer.status_code)


async def _an_admin(site):
    if not hasattr(site, "fuzzer"):
        home = await a_home(site.database)
        site.fuzzer = await site.as_account(home.org, home.admin)
    return site.fuzzer


@pytest.mark.parametrize("route", WITH_BODY)
async def test_one_wrong_value_in_a_good_body_crashes_nothing(site, route):
    world = await _world(site)
    browser = await world.browser("admin")
    ask = await MATRIX[route][1](world, browser)
    url = ask.path.partition("/")
    if url[0] == "devices":
        ask = Ask(f"devices/{browser.device}{url[2][36:]}", ask.body)

    for path in _paths(ask.body):
        for value in _WRONG:
            body = json.dumps(_with(ask.body, path, value)).encode()
            answer = await browser.ask(
                route.partition(" ")[0],
                ask.path,
                content=body,
                headers={"content-type": "application/json"},
            )
            assert answer.status_code < 500, (path, str(value)[:40], answer.text)
            if not answer.is_success:
                _is_problem(answer, answer.status_code)


def _paths(body):
    for name, value in body.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *rest) for rest in _paths(value))


def _with(body, path, value):
    changed = dict(body)
    changed[path[0]] = _with(body[path[0]], path[1:], value) if path[1:] else value
    return changed


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "mos=" + "x" * 5000},
        {"cookie": 'mos="unclosed'},
        {"cookie": "mos=\x01\x02; =; ;;;"},
        {"cookie": "mos=å"},
        {"x-forwarded-for": "not an address, , ,"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-length": "abc"},
        {"accept": "text/html"},
        {"if-none-match": "," * 1000},
    ],
)
async def test_odd_headers_crash_nothing(site, headers):
    browser = await site.browser()
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    for method, path in (("GET", "/api/v1/session"), ("POST", "/api/v1/session"), ("GET", "/")):
        answer = await browser.http.request(
            method,
            path,
            headers=[(b"x-mos", b"1"), *raw],
            content=b"{}" if method == "POST" else None,
        )
        assert answer.status_code < 500 or path == "/", answer.text


@pytest.mark.parametrize(
    "path",
    ["/api/v1/units/%00", "/api/v1/%F0%28%8C%28", "/api/v1/" + "a/" * 2000, "/api/v1//units",
     "/api/v1/units/", "/api", "/api/", "/sync/", "/sync/v1/", "/sync/v1/nothing"],
)  # fmt: skip
async def test_odd_paths_crash_nothing(site, path):
    home = await a_home(site.database)
    browser = await site.as_account(home.org, home.admin)

    for method in ("GET", "PATCH", "POST"):
        answer = await browser.http.request(
            method, path, headers={"x-mos": "1"}, json={} if method != "GET" else None
        )
        assert answer.status_code < 500, answer.text
        if not answer.is_success:
            _is_problem(answer, answer.status_code)

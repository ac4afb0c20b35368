"""ID tokens that no honest provider makes, and providers that do not answer as they should."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from browsers import Site
from builders import a_home
from joserfc import jwt
from lying_provider import LyingProvider, a_key, by_public_key, lying_provider, unsigned
from test_oidc import away, back


@pytest.fixture
async def liar(clock) -> AsyncIterator[LyingProvider]:
    async with lying_provider(clock) as provider:
        yield provider


async def tried(site: Site, liar: LyingProvider, **settings: Any) -> Any:
    """The answer to whoever comes from the liar."""
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    set_up = await admin.put("organisation/identity-provider", liar.settings(**settings))
    assert set_up.status_code == 200, set_up.text
    browser = await site.browser()
    return await back(browser, liar.sign_in(await away(browser)))


async def test_a_right_token_opens(site, liar):
    """The others below differ from it in one thing each."""
    assert (await tried(site, liar)).status_code == 201


WRONG = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "for another client": {"aud": "another"},
    "for others, too, without saying for whom": {"aud": ["mos", "another"]},
    "for others, too": {"aud": ["mos", "another"], "azp": "another"},
    "by another party": {"azp": "another"},
    "of another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1_700_000_000},
    "without an end": {"exp": None},
    "ending with a word": {"exp": "tomorrow"},
    "made long ago": {"iat": 1_700_000_000},
    "made in the future": {"iat": 1_900_000_000, "exp": 1_900_000_300},
    "not valid yet": {"nbf": 1_900_000_000},
    "of nobody": {"sub": None},
    "of an empty name": {"sub": ""},
    "of a number": {"sub": 1},
    "of a long name": {"sub": "x" * 256},
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_token_opens_nothing(site, liar, what):
    liar.bend = lambda claims: claims.update(WRONG[what])

    answer = await tried(site, liar)

    assert (answer.status_code, answer.json()["code"]) == (401, "oidc_refused")
    assert await site.database.sql("SELECT * FROM identity") == []


def _by_another_key(_liar: LyingProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "first"}, claims, a_key())


def _by_a_stranger(_liar: LyingProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "stranger"}, claims, a_key("stranger"))


def _with_its_own_key(_liar: LyingProvider, claims: dict[str, Any]) -> str:
    key = a_key()
    header = {"alg": "RS256", "kid": "first", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key)


def _with_a_demand(liar: LyingProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(
        {"alg": "RS256", "kid": "first", "crit": ["b64"], "b64": True}, claims, liar.key
    )


SIGNED = {
    "without a signature": unsigned,
    "by an HMAC of the public key": by_public_key,
    "by another key of that name": _by_another_key,
    "by a key that is not known": _by_a_stranger,
    "by a key that it brings along": _with_its_own_key,
    "with a header that must be understood": _with_a_demand,
    "of no form at all": lambda _liar, _claims: "no token",
    "of a form that is none": lambda _liar, _claims: "....",
    "too long": lambda _liar, _claims: "a" * 40_000 + ".b.c",
}


@pytest.mark.parametrize("what", SIGNED)
async def test_a_token_that_the_provider_did_not_sign_opens_nothing(site, liar, what):
    liar.sign = SIGNED[what]

    answer = await tried(site, liar)

    assert (answer.status_code, answer.json()["code"]) == (401, "oidc_refused")


async def test_names_of_keys_that_strangers_make_up_are_looked_for_once_a_minute(site, liar, clock):
    liar.sign = _by_a_stranger
    await tried(site, liar)
    asked = liar.asked.count("/keys")

    for _ in range(3):
        browser = await site.browser()
        await back(browser, liar.sign_in(await away(browser)))
    clock.move(minutes=1)
    browser = await site.browser()
    await back(browser, liar.sign_in(await away(browser)))

    assert (asked, liar.asked.count("/keys")) == (1, 2)


async def test_an_address_is_verified_by_the_word_true_alone(site, liar):
    liar.bend = lambda claims: claims.update(email_verified="true")

    assert (await tried(site, liar)).json()["code"] == "identity_unknown"


async def _slow(_request: web.Request) -> web.Response:
    await asyncio.sleep(2)
    return web.Response()


async def _huge(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b'{"issuer": "')
    for _ in range(100):
        await answer.write(b"x" * 65_536)
    return answer


AMISS = {
    "an error": {"status": 500},
    "a redirect": {"status": 302, "headers": {"location": "http://127.0.0.1:1/"}},
    "no JSON": {"text": "<h1>Hej</h1>"},
    "JSON of another kind": {"text": "[]"},
    "too much": _huge,
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize("what", AMISS)
async def test_a_provider_that_answers_amiss_is_said_to(site, liar, what, path):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    await admin.put("organisation/identity-provider", liar.settings())
    liar.instead[path] = AMISS[what]
    browser = await site.browser()

    answer = await browser.post("session/oidc", {"device_id": str(browser.device)})
    if answer.status_code == 200:
        answer = await back(browser, liar.sign_in(answer.json()["url"]))

    assert (answer.status_code, answer.json()["code"]) == (409, "oidc_unavailable")
    assert "Hej" not in answer.text


async def test_a_provider_that_is_down_or_slow_keeps_nobody_waiting(site, liar, clock):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    await admin.put("organisation/identity-provider", liar.settings())
    liar.instead["/.well-known/openid-configuration"] = _slow
    object.__setattr__(site.app._given.directory._outward, "limit_s", 0.3)

    async def knock() -> Any:
        browser = await site.browser()
        return await browser.post("session/oidc", {"device_id": str(browser.device)})

    answers = await asyncio.wait_for(asyncio.gather(*(knock() for _ in range(5))), 5)

    assert {answer.json()["code"] for answer in answers} == {"oidc_unavailable"}
    # Asked once for all who stand there; and anew some seconds later.
    assert liar.asked == ["/.well-known/openid-configuration"]
    liar.instead.clear()
    clock.move(seconds=5)
    assert (await knock()).status_code == 200


async def test_the_secret_goes_into_the_header_or_the_body_as_the_provider_takes_it(site, liar):
    liar.said = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    assert (await tried(site, liar)).status_code == 201

    [form] = liar.forms
    assert (form["client_id"], form["client_secret"]) == ("mos", "secret")
    assert form["redirect_uri"] == "http://127.0.0.1:8080/oidc/callback"


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://10.0.0.1/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
    ids=str,
)
async def test_a_provider_that_says_what_cannot_be_is_not_asked(site, liar, said):
    liar.said = said
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    await admin.put("organisation/identity-provider", liar.settings())
    browser = await site.browser()

    answer = await browser.post("session/oidc", {"device_id": str(browser.device)})

    assert (answer.status_code, answer.json()["code"]) == (409, "oidc_unavailable")

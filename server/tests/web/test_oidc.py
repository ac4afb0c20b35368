"""Sign-in by an organisation's identity provider, against a real one."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browsers import Browser, MovedClock, Site, started
from builders import a_home
from identity_provider import RealProvider, real_provider
from msgspec import structs

URL = "https://mos.test"


@pytest.fixture(scope="module")
def running() -> Iterator[RealProvider]:
    with real_provider(f"{URL}/oidc/callback") as provider:
        yield provider


@pytest.fixture
def provider(running: RealProvider) -> RealProvider:
    """The provider as it was when it started."""
    running.told("people", running.people)
    running.told("login", {})
    return running


@pytest.fixture
async def house(database) -> AsyncIterator[Site]:
    """The application at a public address, at the hour that it is: the provider's clock is real."""
    clock = MovedClock(datetime.now(UTC))
    settings = structs.replace(database.settings, public_url=URL)
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(started(settings, clock))
        yield Site(app, clock, database, stack, base_url=URL)


async def set_up(house: Site, provider: RealProvider, **but: Any) -> None:
    admin = await house.signed_in("admin@example.test")
    answer = await admin.put("organisation/identity-provider", provider.settings(**but))
    assert answer.status_code == 200, answer.text


async def away(browser: Browser, **more: Any) -> str:
    """Where the provider's page is."""
    body = {"device_id": str(browser.device), **more}
    answer = await browser.post("session/oidc", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


async def back(browser: Browser, answer: dict[str, str]) -> Any:
    """The answer to coming back with what the provider said."""
    told = {name: value for name, value in answer.items() if name in {"code", "state", "iss"}}
    body = {"answer": told, "device_id": str(browser.device)}
    return await browser.post("session/oidc/return", body)


async def entered(browser: Browser, provider: RealProvider, who: str) -> Any:
    return await back(browser, provider.sign_in(await away(browser), who))


async def linked(house: Site, provider: RealProvider, who: str = "noor") -> Browser:
    """A browser in which somebody came in by an address that was verified."""
    browser = await house.browser()
    answer = await entered(browser, provider, who)
    assert answer.status_code == 201, answer.text
    return browser


async def test_a_verified_address_opens_its_account_the_first_time_and_the_person_ever_after(
    house, provider
):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    first = await linked(house, provider)
    # Another address from now on: the provider's word for the person is what counts.
    provider.told("people", {"noor": {"email": "noor@other.test", "email_verified": True}})

    again = await house.browser()
    answer = await entered(again, provider, "noor")

    assert answer.status_code == 201, answer.text
    assert answer.json()["account"]["name"] == "Noor"
    assert (await first.get("account/identity")).json() == {
        "label": "Kommunens inloggning", "linked": True, "way": "email",
        "linked_at": iso(house), "used_at": iso(house),
    }  # fmt: skip


def iso(house: Site) -> str:
    return house.clock.now.isoformat().replace("+00:00", "Z")


async def test_no_account_is_made_and_an_unverified_or_unknown_address_opens_none(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    before = await house.database.sql("SELECT count(*) FROM account")

    for who in ("stranger", "unsure"):
        answer = await entered(await house.browser(), provider, who)
        assert (answer.status_code, answer.json()["code"]) == (401, "identity_unknown")

    assert await house.database.sql("SELECT count(*) FROM account") == before
    assert await house.database.sql("SELECT * FROM identity") == []


async def test_an_address_links_nobody_where_the_administrator_has_not_said_so(house, provider):
    await a_home(house.database)
    await set_up(house, provider)

    answer = await entered(await house.browser(), provider, "noor")

    assert answer.json()["code"] == "identity_unknown"


async def test_an_address_that_was_given_to_somebody_else_opens_nothing(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    await linked(house, provider)
    heir = {"email": "caregiver@example.test", "email_verified": True}
    provider.told("people", {"heir": heir})

    answer = await entered(await house.browser(), provider, "heir")

    assert answer.json()["code"] == "identity_unknown"


async def test_a_disabled_account_stays_shut(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider, by_email=True)
    await linked(house, provider)
    admin = await house.signed_in("admin@example.test")
    await admin.patch(f"accounts/{home.caregiver}", {"disabled": True})

    answer = await entered(await house.browser(), provider, "noor")

    assert (answer.status_code, answer.json()["code"]) == (401, "identity_unknown")


async def test_what_opens_an_account_here_opens_none_of_another_organisation(house, provider):
    home = await a_home(house.database)
    others = await a_home(house.database, name="Andra", email_domain="others.test")
    for domain, org in (("example.test", home.org), ("others.test", others.org)):
        admin = await house.signed_in(f"admin@{domain}", organisation=org)
        answer = await admin.put("organisation/identity-provider", provider.settings(by_email=True))
        assert answer.status_code == 200, answer.text
    here = await house.browser()
    url = await away(here, organisation=str(home.org))
    assert (await back(here, provider.sign_in(url, "noor"))).status_code == 201

    there = await house.browser()
    url = await away(there, organisation=str(others.org))
    answer = await back(there, provider.sign_in(url, "noor"))

    assert answer.json()["code"] == "identity_unknown"


async def test_the_sign_in_page_names_providers_and_no_more_of_them(house, provider):
    home = await a_home(house.database)
    before = (await (await house.browser()).get("installation")).json()
    await set_up(house, provider)

    body = (await (await house.browser()).get("installation")).json()

    assert "providers" not in before
    assert body["providers"] == [{"organisation": str(home.org), "label": "Kommunens inloggning"}]


async def test_an_answer_opens_once_in_the_browser_and_on_the_device_that_asked(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    mine, other = await house.browser(), await house.browser()
    await away(other)
    answer = provider.sign_in(await away(mine), "noor")
    cookie = dict(mine.http.cookies)

    # Somebody else's browser is sent into this account.
    stolen = await back(other, answer)
    right = await back(mine, answer)
    mine.http.cookies.update(cookie)
    again = await back(mine, answer)

    assert (stolen.status_code, stolen.json()["code"]) == (401, "oidc_ended")
    assert right.status_code == 201
    assert (again.status_code, again.json()["code"]) == (401, "oidc_ended")


async def test_a_trip_ends_after_ten_minutes_and_with_another_state(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    browser = await house.browser()
    answer = provider.sign_in(await away(browser), "noor")

    changed = await back(browser, answer | {"state": answer["state"][:-1] + "-"})
    house.clock.move(minutes=10)
    late = await back(browser, answer)

    assert changed.json()["code"] == "oidc_ended"
    assert late.json()["code"] == "oidc_ended"


async def test_a_provider_that_names_itself_has_to_and_rightly(house, provider):
    """RFC 9207: an answer of one provider is not taken to another."""
    await a_home(house.database)
    await set_up(house, provider, by_email=True)

    for wrong in ({"iss": "https://evil.example"}, {"iss": None}):
        browser = await house.browser()
        answer = provider.sign_in(await away(browser), "noor")
        assert answer["iss"] == provider.issuer
        refused = await back(browser, {k: v for k, v in (answer | wrong).items() if v})
        assert (refused.status_code, refused.json()["code"]) == (401, "oidc_refused")


async def test_an_answer_is_not_taken_to_a_provider_that_was_set_up_meanwhile(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    browser = await house.browser()
    answer = provider.sign_in(await away(browser), "noor")
    await set_up(house, provider, by_email=True, client_id="another")

    assert (await back(browser, answer)).json()["code"] == "oidc_ended"


async def test_a_code_that_another_verifier_asked_for_is_worth_nothing(house, provider):
    """PKCE (RFC 7636): whoever takes a code out of an address has not what it takes to use it."""
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    victim, thief = await house.browser(), await house.browser()
    taken = provider.sign_in(await away(victim), "alva")
    own = provider.sign_in(await away(thief), "noor")

    answer = await back(thief, own | {"code": taken["code"]})

    assert (answer.status_code, answer.json()["code"]) == (401, "oidc_refused")


async def test_keys_may_change_at_any_time(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    await linked(house, provider)
    provider.told("rotate", {})
    # Looked for anew at most once a minute.
    house.clock.move(seconds=59)
    early = await entered(await house.browser(), provider, "noor")
    house.clock.move(seconds=1)

    answer = await entered(await house.browser(), provider, "noor")

    assert early.json()["code"] == "oidc_refused"
    assert answer.status_code == 201, answer.text


async def test_the_cookie_of_a_trip_is_bound_to_this_host_and_no_script_reads_it(house, provider):
    await a_home(house.database)
    await set_up(house, provider)
    browser = await house.browser()

    answer = await browser.post("session/oidc", {"device_id": str(browser.device)})

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-mos-oidc=")
    for attribute in ("HttpOnly", "Secure", "Path=/", "Max-Age=600", "SameSite=strict"):
        assert attribute.lower() in cookie.lower()


async def test_what_leads_to_the_provider_asks_for_exactly_this(house, provider):
    await a_home(house.database)
    await set_up(house, provider, strong_acr=["two-steps"])

    asked = parse_qs(urlsplit(await away(await house.browser())).query)

    assert asked["redirect_uri"] == ["https://mos.test/oidc/callback"]
    assert (asked["response_type"], asked["scope"]) == (["code"], ["openid email"])
    assert (asked["code_challenge_method"], asked["prompt"]) == (["S256"], ["login"])
    assert asked["acr_values"] == ["two-steps"]
    assert {len(asked[name][0]) for name in ("nonce", "code_challenge")} == {43}


@pytest.mark.parametrize(
    ("query", "leads"),
    [
        ("code=a&state=b&iss=https%3A%2F%2Fidp", "code=a&state=b&iss=https%3A%2F%2Fidp"),
        ("error=access_denied&error_description=%3Cb%3E&state=b", "state=b&error=access_denied"),
        ("code=a&code=b&state=c", "state=c"),
        ("next=https%3A%2F%2Fevil.example&redirect_uri=%2F%2Fevil", ""),
        ("code=a%0d%0aset-cookie%3A%20mos%3D1&state=b",
         "code=a%0D%0Aset-cookie%3A+mos%3D1&state=b"),
        ("state=" + "x" * 5000, ""),
    ],
)  # fmt: skip
async def test_coming_back_leads_into_the_app_and_nowhere_else(house, query, leads):
    browser = await house.browser()

    answer = await browser.http.get(f"/oidc/callback?{query}")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/#/logga-in/leverantor?{leads}"
    assert "set-cookie" not in answer.headers

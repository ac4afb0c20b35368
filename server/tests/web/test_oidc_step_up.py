"""Proving once more by the provider who one is; how much its word counts; linking by oneself."""

from base64 import b32decode
from typing import Any

import pytest
from browsers import Browser
from builders import a_home
from identity_provider import RealProvider
from lying_provider import LyingProvider
from test_oidc import away, back, entered, house, linked, provider, running, set_up
from test_oidc_tokens import liar

from mos.care.rules import code_of, step_at

__all__ = ["house", "liar", "provider", "running"]

STRONG = {"by_email": True, "strong_amr": ["mfa"], "strong_acr": ["two-steps"]}


async def stepped(browser: Browser, provider: RealProvider, who: str = "noor") -> Any:
    answer = await browser.post("session/step-up/oidc")
    assert answer.status_code == 200, answer.text
    told = provider.sign_in(answer.json()["url"], who)
    return await browser.post("session/step-up/oidc/return", told)


async def ways(browser: Browser) -> list[str]:
    found: list[str] = (await browser.get("session/step-up")).json()["methods"]
    return found


async def without_password(house: Any, account: Any) -> None:
    await house.database.sql("DELETE FROM credential WHERE account_id = $1", account)


async def later(house: Any) -> None:
    """Let every proof be old; the provider's clock cannot be moved."""
    await house.database.sql("UPDATE session SET strong_at = strong_at - interval '6 minutes'")


async def rename(browser: Browser) -> Any:
    """Something that asks for a proof of the last five minutes."""
    return await browser.post("account/totp")


async def test_who_has_no_password_steps_up_at_the_provider(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider, by_email=True)
    noor = await linked(house, provider)
    await without_password(house, home.caregiver)
    await later(house)
    asked = await rename(noor)
    cookie = noor.http.cookies["__Host-mos"]

    answer = await stepped(noor, provider)

    assert asked.json()["methods"] == ["oidc"]
    assert answer.status_code == 204, answer.text
    assert noor.http.cookies["__Host-mos"] != cookie
    assert (await rename(noor)).status_code == 201


async def test_another_person_at_the_provider_steps_nobody_up(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    noor = await linked(house, provider)
    await linked(house, provider, "alva")
    await later(house)

    answer = await stepped(noor, provider, "alva")

    assert (answer.status_code, answer.json()["code"]) == (403, "identity_other")
    assert (await rename(noor)).json()["code"] == "step_up_needed"


async def test_an_answer_to_signing_in_steps_nobody_up_and_none_of_another_session(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    noor = await linked(house, provider)
    told = provider.sign_in(await away(noor), "noor")

    entering = await noor.post("session/step-up/oidc/return", _answer(told))
    other = await linked(house, provider)
    url = (await other.post("session/step-up/oidc")).json()["url"]
    noor.http.cookies.set("__Host-mos-oidc", other.http.cookies["__Host-mos-oidc"])
    elsewhere = await noor.post(
        "session/step-up/oidc/return", _answer(provider.sign_in(url, "noor"))
    )

    assert (entering.status_code, entering.json()["code"]) == (401, "oidc_ended")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (401, "oidc_ended")


async def test_a_provider_that_did_not_ask_anew_steps_nobody_up(site, liar: LyingProvider, clock):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    await admin.put("organisation/identity-provider", liar.settings())
    noor = await site.browser()
    await back(noor, liar.sign_in(await away(noor)))
    clock.move(minutes=6)
    long_ago = int(clock.now.timestamp()) - 120

    for auth_time in (long_ago, None, "now"):
        liar.bend = lambda claims, at=auth_time: claims.update(auth_time=at)
        url = (await noor.post("session/step-up/oidc")).json()["url"]
        answer = await noor.post("session/step-up/oidc/return", liar.sign_in(url))
        assert (answer.status_code, answer.json()["code"]) == (403, "identity_stale")


async def test_what_a_step_up_asks_the_provider(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    noor = await linked(house, provider)

    url = (await noor.post("session/step-up/oidc")).json()["url"]

    assert "prompt=login" in url
    assert "max_age=0" in url


async def test_two_steps_at_the_provider_count_where_the_organisation_believes_them(
    house, provider
):
    home = await a_home(house.database)
    await set_up(house, provider, **STRONG)
    await with_codes(house, home.caregiver)
    provider.told("login", {"amr": ["pwd", "mfa"]})

    noor = await linked(house, provider)

    assert (await rename(noor)).status_code == 201
    assert ["oidc_strong"] in await methods(house, home.caregiver)
    assert await ways(noor) == ["totp", "recovery", "oidc"]
    await later(house)
    assert (await stepped(noor, provider)).status_code == 204


async def test_by_acr_as_well(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider, **STRONG)
    provider.told("login", {"acr": "two-steps"})

    await linked(house, provider)

    assert ["oidc_strong"] in await methods(house, home.caregiver)


@pytest.mark.parametrize("login", [{}, {"amr": ["pwd"]}, {"acr": "another", "amr": []}])
async def test_one_step_at_the_provider_leaves_the_code_to_be_asked_for(house, provider, login):
    home = await a_home(house.database)
    await set_up(house, provider, **STRONG)
    secret = await with_codes(house, home.caregiver)
    provider.told("login", login)
    noor = await house.browser()

    half = await entered(noor, provider, "noor")
    ticket = half.json()["ticket"]
    wrong = await with_code(noor, ticket, "000000")
    inside = await noor.get("session")
    thief = await with_code(await house.browser(), ticket, code_of(secret, step_at(house.clock())))
    right = await with_code(noor, ticket, code_of(secret, step_at(house.clock())))
    house.clock.move(seconds=30)
    again = await with_code(noor, ticket, code_of(secret, step_at(house.clock())))

    assert half.status_code == 200
    assert (wrong.status_code, wrong.json()["code"]) == (401, "code_wrong")
    assert inside.status_code == 401
    assert (thief.status_code, thief.json()["code"]) == (401, "oidc_ended")
    assert right.status_code == 201, right.text
    assert again.json()["code"] == "oidc_ended"
    assert ["oidc", "totp"] in await methods(house, home.caregiver)
    await later(house)
    step = await stepped(noor, provider)
    assert (step.status_code, step.json()["code"]) == (403, "code_needed")


async def test_the_rule_that_all_need_two_steps_holds_at_this_door_too(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider, **STRONG)
    await linked(house, provider)
    await house.database.sql("UPDATE organisation SET second_factor_from = $1", house.clock.now)

    one = await entered(await house.browser(), provider, "noor")
    provider.told("login", {"amr": ["mfa"]})
    two = await entered(await house.browser(), provider, "noor")

    assert home.org
    assert (one.status_code, one.json()["code"]) == (401, "second_factor_needed")
    assert two.status_code == 201


async def test_whoever_is_signed_in_links_their_own_account_and_ends_that(house, provider):
    await a_home(house.database)
    await set_up(house, provider)
    noor = await house.signed_in("caregiver@example.test")

    answer = await link(noor, provider, "unsure")
    opened = await entered(await house.browser(), provider, "unsure")
    ended = await noor.delete("account/identity")
    after = await entered(await house.browser(), provider, "unsure")

    assert (answer.status_code, answer.json()["way"]) == (200, "self")
    assert opened.json()["account"]["name"] == "Noor"
    assert ended.status_code == 204
    assert after.json()["code"] == "identity_unknown"


async def test_what_opens_somebody_elses_account_is_not_linked_to_another(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    await linked(house, provider, "alva")
    noor = await house.signed_in("caregiver@example.test")

    answer = await link(noor, provider, "alva")

    assert (answer.status_code, answer.json()["code"]) == (409, "identity_taken")


async def test_the_last_way_in_stays(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider, by_email=True)
    noor = await linked(house, provider)
    await without_password(house, home.caregiver)

    answer = await noor.delete("account/identity")

    assert (answer.status_code, answer.json()["code"]) == (409, "last_way_in")


async def test_whoever_was_invited_may_come_by_the_provider_and_needs_no_password(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider)
    await without_password(house, home.caregiver)
    admin = await house.signed_in("admin@example.test")
    made = await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})
    token = made.json()["token"]
    noor = await house.browser()

    answer = await back(noor, provider.sign_in(await away(noor, invitation=token), "unsure"))
    opened = await admin.post("invitations/open", {"token": token})
    later = await entered(await house.browser(), provider, "unsure")

    assert answer.json()["account"]["name"] == "Noor", answer.text
    assert opened.json()["code"] == "link_gone"
    assert later.status_code == 201
    [account] = [a for a in (await admin.get("accounts")).json() if a["name"] == "Noor"]
    assert account["has_password"] is False


async def test_a_link_is_not_used_by_who_opens_another_account(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider, by_email=True)
    await linked(house, provider, "alva")
    admin = await house.signed_in("admin@example.test")
    made = await admin.post(f"accounts/{home.caregiver}/invitations", {"kind": "password"})
    token = made.json()["token"]
    browser = await house.browser()

    answer = await back(browser, provider.sign_in(await away(browser, invitation=token), "alva"))

    assert answer.json()["code"] == "identity_unknown"
    assert (await admin.post("invitations/open", {"token": token})).is_success


async def link(browser: Browser, provider: RealProvider, who: str) -> Any:
    answer = await browser.post("account/identity")
    assert answer.status_code == 200, answer.text
    told = provider.sign_in(answer.json()["url"], who)
    return await browser.post("account/identity/return", told)


async def with_code(browser: Browser, ticket: str, code: str) -> Any:
    body = {"ticket": ticket, "code": code, "device_id": str(browser.device)}
    return await browser.post("session/oidc/code", body)


async def with_codes(house: Any, account: Any) -> bytes:
    """Let an account have codes from a phone; return their secret."""
    noor = await house.signed_in("caregiver@example.test")
    begun = (await noor.post("account/totp")).json()
    key = begun["key"].replace(" ", "")
    secret = b32decode(key + "=" * (-len(key) % 8))
    code = code_of(secret, step_at(house.clock()) - 1)
    assert (await noor.post("account/totp/confirm", {"code": code})).status_code == 200
    return secret


async def methods(house: Any, account: Any) -> list[list[str]]:
    """How each of an account's sessions was proved."""
    rows = await house.database.sql("SELECT methods FROM session WHERE account_id = $1", account)
    return [row["methods"] for row in rows]


def _answer(told: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in told.items() if name in {"code", "state", "iss"}}

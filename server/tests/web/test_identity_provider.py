"""How an administrator sets an identity provider up."""

import msgspec
import pytest
from builders import a_home
from test_oidc import entered, house, linked, provider, running, set_up

__all__ = ["house", "provider", "running"]

AT = "organisation/identity-provider"


async def test_the_secret_is_sealed_comes_back_nowhere_and_stays_unless_it_is_written_anew(
    house, provider
):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    admin = await house.signed_in("admin@example.test")
    without = {k: v for k, v in provider.settings(by_email=True).items() if k != "secret"}

    saved = await admin.put(AT, without | {"label": "Kommunen"})
    shown = await admin.get(AT)

    [row] = await house.database.sql("SELECT secret FROM identity_provider")
    assert provider.client_secret.encode() not in row["secret"]
    for answer in (saved, shown):
        assert provider.client_secret not in answer.text
        assert (answer.json()["has_secret"], answer.json()["label"]) == (True, "Kommunen")
    assert shown.json()["redirect_uri"] == "https://mos.test/oidc/callback"
    # It is the one that was written before.
    assert (await entered(await house.browser(), provider, "noor")).status_code == 201


async def test_a_secret_does_not_go_to_another_provider_than_it_was_given_for(house, provider):
    await a_home(house.database)
    await set_up(house, provider)
    admin = await house.signed_in("admin@example.test")
    other = {k: v for k, v in provider.settings().items() if k != "secret"}

    answer = await admin.put(AT, other | {"issuer": "https://evil.example.org"})

    assert (answer.status_code, answer.json()["field"]) == (400, "secret")


@pytest.mark.parametrize(
    "issuer",
    [
        "http://idp.example.org",
        "https://10.0.0.1",
        "https://user:word@idp.example.org",
        "https://idp.example.org/#a",
        "https://idp.example.org/?a=b",
        "javascript:alert(1)//",
    ],
)
async def test_an_issuer_is_an_https_address_outside(site, issuer):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    wanted = {"issuer": issuer, "client_id": "mos", "label": "Kommunen"}

    saved, tried = await admin.put(AT, wanted), await admin.post(f"{AT}/test", {"issuer": issuer})

    assert (saved.status_code, saved.json()["field"]) == (400, "issuer")
    assert (tried.status_code, tried.json()["field"]) == (400, "issuer")


async def test_trying_shows_what_the_provider_says_and_changes_nothing(house, provider):
    await a_home(house.database)
    admin = await house.signed_in("admin@example.test")

    answer = (await admin.post(f"{AT}/test", {"issuer": provider.issuer})).json()
    # A word too much, as people copy it.
    wrong = (await admin.post(f"{AT}/test", {"issuer": f"{provider.issuer}/"})).json()

    assert answer["outcome"] == "ready"
    assert answer["issuer"] == provider.issuer
    assert answer["authorization"] == f"{provider.issuer}/auth"
    assert "RS256" in answer["algorithms"]
    assert answer["keys"] == 1
    assert answer["has_pkce"] is True
    assert wrong["outcome"] == "issuer"
    assert (await admin.get(AT)).json()["state"] == "off"


async def test_removing_it_ends_every_link(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    noor = await linked(house, provider)
    admin = await house.signed_in("admin@example.test")

    assert (await admin.get(AT)).json()["linked"] == 1
    assert (await admin.delete(AT)).status_code == 204
    await set_up(house, provider)

    assert (await noor.get("account/identity")).json()["linked"] is False
    assert (await entered(await house.browser(), provider, "noor")).json()["code"] == (
        "identity_unknown"
    )


async def test_a_colleagues_link_is_ended_and_they_are_signed_out(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider, by_email=True)
    noor = await linked(house, provider)
    admin = await house.signed_in("admin@example.test")

    assert (await admin.delete(f"accounts/{home.caregiver}/identity")).status_code == 204

    assert (await noor.get("session")).status_code == 401
    # It is linked anew by the address, which is the same person's.
    assert (await entered(await house.browser(), provider, "noor")).status_code == 201


async def test_changes_stand_in_the_audit_log_without_secret_or_address(house, provider):
    await a_home(house.database)
    await set_up(house, provider, by_email=True)
    await linked(house, provider)
    await entered(await house.browser(), provider, "stranger")
    admin = await house.signed_in("admin@example.test")
    await admin.delete(AT)

    lines = [line for _, line in await events(house.database)]
    said = [(line["event"], line.get("says", {})) for line in lines]

    assert ("identity_provider_set", {"secret": True, "by_email": True, "strong": False}) in said
    assert ("identity_linked", {"way": "email"}) in said
    assert ("sign_in_failed", {"way": "oidc"}) in said
    assert ("signed_in", {"ways": ["oidc"]}) in said
    assert said[-1] == ("identity_provider_removed", {})
    assert "example.test" not in str(lines)


async def test_a_resident_links_nothing(house, provider):
    home = await a_home(house.database)
    await set_up(house, provider)
    elsa = await house.as_account(home.org, home.resident.account)
    elsa.http.cookies.set("__Host-mos", elsa.http.cookies["mos"])

    assert (await elsa.post("account/identity")).status_code == 403
    assert (await elsa.get("account/identity")).json()["label"] is None


async def events(database):
    rows = await database.sql("SELECT org_id, content FROM audit ORDER BY org_id, n")
    return [(row["org_id"], msgspec.json.decode(row["content"])) for row in rows]

"""Signing in and out over HTTP."""

from builders import a_home


async def test_whoever_signs_in_learns_whom_they_help_and_what_they_may_do(site):
    home = await a_home(site.database, residents=2)
    browser = await site.browser()

    answer = await browser.sign_in("caregiver@example.test")

    assert answer.status_code == 201
    body = answer.json()
    assert body["account"]["name"] == "Noor"
    assert body["account"]["role"] == "caregiver"
    assert [resident["space"] for resident in body["residents"]] == [
        str(resident.space) for resident in home.residents
    ]
    assert "plan.edit" in body["residents"][0]["permissions"]
    assert (await browser.get("session")).json() == body

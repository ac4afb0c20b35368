"""What a stopwatch at the door tells: nothing about which addresses there are."""

import time
from statistics import median

from browsers import Browser
from builders import a_home, an_account

from mos.care.actions import passwords

_TRIES = 12


async def _milliseconds(browser: Browser, email: str) -> float:
    begun = time.perf_counter()
    answer = await browser.sign_in(email, "not the right one")
    assert answer.json()["code"] == "sign_in_failed", answer.text
    return (time.perf_counter() - begun) * 1000


async def test_an_unknown_address_takes_as_long_as_a_wrong_password(site):
    home = await a_home(site.database)
    hasher = passwords.Passwords()
    known, unknown = [], []
    for number in range(_TRIES):
        email = f"person{number}@example.test"
        account = await an_account(site.database, home.org, "caregiver", email=email)
        # At the cost of real ones, not at that of the other tests.
        await site.database.sql(
            "INSERT INTO credential (org_id, credential_id, account_id, kind, secret, created_at) "
            "VALUES ($1, $2, $2, 'password', $3, now())",
            home.org, account, await hasher.hash("the right one, for once"),
        )  # fmt: skip
        # A network of its own each: nobody waits. Turn about, so that both see one machine.
        browser = await site.browser(client=f"198.51.100.{number}")
        known.append(await _milliseconds(browser, email))
        unknown.append(await _milliseconds(browser, f"nobody{number}@example.test"))

    # Argon2 is nearly all of it; without it an answer takes a tenth.
    assert 0.5 < median(unknown) / median(known) < 2, (known, unknown)

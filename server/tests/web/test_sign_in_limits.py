"""Guessing is slow: per account and per network address, and without a word to the guesser."""

from builders import PASSWORD, a_home, an_account

from mos.care.rules import FREE_TRIES_PER_ACCOUNT, FREE_TRIES_PER_ADDRESS


async def _fail(browser, email, times):
    for _ in range(times):
        answer = await browser.sign_in(email, "a wrong password")
        assert answer.status_code == 401


async def test_five_failures_lock_the_account_for_a_minute_for_the_right_password_too(site, clock):
    await a_home(site.database)
    browser = await site.browser()
    await _fail(browser, "caregiver@example.test", FREE_TRIES_PER_ACCOUNT)

    answer = await browser.sign_in("caregiver@example.test")

    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many"
    assert answer.json()["retry_after_s"] == 60
    assert answer.headers["retry-after"] == "60"
    clock.move(seconds=60)
    assert (await browser.sign_in("caregiver@example.test")).status_code == 201


async def test_the_lock_doubles_with_each_failure_up_to_an_hour(site, clock):
    await a_home(site.database)
    browser = await site.browser()
    await _fail(browser, "caregiver@example.test", FREE_TRIES_PER_ACCOUNT)

    waits = []
    for _ in range(8):
        locked = await browser.sign_in("caregiver@example.test")
        waits.append(locked.json()["retry_after_s"])
        clock.move(seconds=waits[-1])
        await _fail(browser, "caregiver@example.test", 1)

    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]


async def test_success_clears_the_count(site):
    await a_home(site.database)
    browser = await site.browser()

    for _ in range(4):
        await _fail(browser, "caregiver@example.test", FREE_TRIES_PER_ACCOUNT - 1)
        assert (await browser.sign_in("caregiver@example.test")).status_code == 201


async def test_no_account_elsewhere_clears_the_count_or_is_locked_with_it(site):
    here = await a_home(site.database)
    there = await a_home(site.database, name="Annat")
    browser = await site.browser()

    for _ in range(FREE_TRIES_PER_ACCOUNT):
        wrong = await browser.sign_in("caregiver@example.test", "wrong", organisation=here.org)
        assert wrong.status_code == 401
        # The same address with a password of its own: made by whoever wants to guess on.
        await site.signed_in("caregiver@example.test", organisation=there.org)

    locked = await browser.sign_in("caregiver@example.test", organisation=here.org)
    assert locked.status_code == 429


async def test_failures_are_forgotten_after_a_day(site, clock):
    await a_home(site.database)
    browser = await site.browser()
    await _fail(browser, "caregiver@example.test", FREE_TRIES_PER_ACCOUNT - 1)

    clock.move(hours=24, seconds=1)

    await _fail(browser, "caregiver@example.test", FREE_TRIES_PER_ACCOUNT - 1)
    assert (await browser.sign_in("caregiver@example.test")).status_code == 201


async def test_an_unknown_address_is_locked_like_a_known_one(site):
    await a_home(site.database)
    browser = await site.browser()
    await _fail(browser, "nobody@example.test", FREE_TRIES_PER_ACCOUNT)

    assert (await browser.sign_in("nobody@example.test")).status_code == 429


async def test_no_other_spelling_of_an_address_is_a_way_around_the_lock(site):
    home = await a_home(site.database)
    await site.database.sql(
        "UPDATE account SET email = 'simi@example.test' WHERE account_id = $1", home.caregiver
    )
    browser = await site.browser()
    # PostgreSQL may fold a dotted capital I to i, where Python makes two letters of it.
    for spelling in ("S\u0130mi@example.test", "sim\u0130@example.test"):
        assert (await browser.sign_in(spelling)).status_code == 401
    assert (await browser.sign_in("  SIMI@example.test ")).status_code == 201


async def test_one_network_address_cannot_try_many_accounts(site):
    await a_home(site.database)
    browser = await site.browser(client="203.0.113.9")
    for number in range(FREE_TRIES_PER_ADDRESS):
        await _fail(browser, f"somebody{number}@example.test", 1)

    assert (await browser.sign_in("caregiver@example.test")).status_code == 429
    elsewhere = await site.browser(client="203.0.113.10")
    assert (await elsewhere.sign_in("caregiver@example.test")).status_code == 201


async def test_an_ipv6_guesser_is_known_by_the_network_that_they_hold(site):
    await a_home(site.database)
    for number in range(FREE_TRIES_PER_ADDRESS):
        browser = await site.browser(client=f"2001:db8:1:1::{number:x}")
        await _fail(browser, f"somebody{number}@example.test", 1)

    same = await site.browser(client="2001:db8:1:1:ffff::1")
    other = await site.browser(client="2001:db8:1:2::1")

    assert (await same.sign_in("caregiver@example.test")).status_code == 429
    assert (await other.sign_in("caregiver@example.test")).status_code == 201


async def test_one_own_sign_in_does_not_pay_for_guesses_at_others(site):
    await a_home(site.database)
    browser = await site.browser()

    for number in range(FREE_TRIES_PER_ADDRESS - 1):
        await _fail(browser, f"somebody{number}@example.test", 1)
        browser.http.cookies.clear()  # a device that is known is counted by itself
        assert (await browser.sign_in("caregiver@example.test")).status_code == 201
    browser.http.cookies.clear()
    await _fail(browser, "one-more@example.test", 1)

    assert (await browser.sign_in("caregiver@example.test")).status_code == 429


async def test_many_guesses_at_once_are_counted_one_by_one(site):
    import asyncio

    await a_home(site.database)
    browsers = [await site.browser(client=f"198.51.100.{number}") for number in range(20)]

    answers = await asyncio.gather(
        *(browser.sign_in("caregiver@example.test", "a wrong password") for browser in browsers)
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == FREE_TRIES_PER_ACCOUNT
    assert statuses.count(429) == 20 - FREE_TRIES_PER_ACCOUNT


async def test_changing_a_password_is_no_way_to_guess_it(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    body = {"current": "a wrong password", "new": "quite another long one"}
    for _ in range(FREE_TRIES_PER_ACCOUNT):
        assert (await browser.post("account/password", body)).status_code == 400

    answer = await browser.post("account/password", {**body, "current": PASSWORD})

    assert answer.status_code == 429


async def test_the_table_of_limits_holds_no_address(site):
    await a_home(site.database)
    browser = await site.browser()
    await _fail(browser, "caregiver@example.test", 1)

    rows = await site.database.sql("SELECT key_hash FROM sign_in_limit")

    assert len(rows) == 2
    assert all(len(row["key_hash"]) == 32 for row in rows)
    assert not any(b"caregiver" in row["key_hash"] for row in rows)


async def test_old_tries_are_swept_away_by_failures_too_quicker_than_new_ones_come(site, clock):
    for number in range(10):
        browser = await site.browser(client=f"198.51.100.{number}")
        await _fail(browser, f"nobody{number}@example.test", 1)
    old = {bytes(row["key_hash"]) for row in await _tries(site)}
    assert len(old) == 20

    clock.move(days=2)
    browser = await site.browser(client="203.0.113.1")
    await _fail(browser, "somebody@example.test", 1)

    left = {bytes(row["key_hash"]) for row in await _tries(site)}
    assert len(left) == 2
    assert not left & old


async def _tries(site):
    return await site.database.sql("SELECT key_hash FROM sign_in_limit")


async def test_a_crowd_at_the_door_is_asked_to_wait_and_leaves_no_trace(site, monkeypatch):
    import asyncio

    monkeypatch.setattr("mos.care.actions.passwords._ROOM", 4)
    await a_home(site.database)
    browsers = [await site.browser(client=f"198.51.100.{number}") for number in range(12)]

    answers = await asyncio.gather(
        *(
            browser.sign_in(f"nobody{number}@example.test")
            for number, browser in enumerate(browsers)
        )
    )

    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [401] * 4 + [429] * 8
    assert all(a.json()["retry_after_s"] == 5 for a in answers if a.status_code == 429)
    assert len(await _tries(site)) == 8
    assert (await browsers[11].sign_in("caregiver@example.test")).status_code == 201


async def test_a_weak_old_hash_is_replaced_at_sign_in(site):
    home = await a_home(site.database)
    statement = "SELECT secret FROM credential WHERE account_id = $1"
    [before] = await site.database.sql(statement, home.caregiver)
    assert "m=8," in before["secret"]

    await site.signed_in("caregiver@example.test")

    [after] = await site.database.sql(statement, home.caregiver)
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in after["secret"]
    await site.signed_in("caregiver@example.test")


async def test_an_unknown_address_takes_the_same_work(site, monkeypatch):
    await a_home(site.database)
    worked = []
    from mos.care.actions.passwords import Passwords

    verify = Passwords._is_right

    def counted(self, secret, password):
        worked.append(secret)
        return verify(self, secret, password)

    monkeypatch.setattr(Passwords, "_is_right", counted)
    browser = await site.browser()

    await browser.sign_in("nobody@example.test", "a wrong password")
    await browser.sign_in("caregiver@example.test", "a wrong password")

    assert len(worked) == 2
    assert worked[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_known_device_passes_a_lock_that_strangers_caused(site):
    await a_home(site.database)
    tablet = await site.signed_in("caregiver@example.test")
    await tablet.delete("session")
    stranger = await site.browser(client="203.0.113.9")
    await _fail(stranger, "caregiver@example.test", FREE_TRIES_PER_ACCOUNT)
    unknown = await site.browser()

    assert (await unknown.sign_in("caregiver@example.test")).status_code == 429
    assert (await tablet.sign_in("caregiver@example.test")).status_code == 201
    # It says nothing for the stranger, who is locked out as before.
    assert (await stranger.sign_in("caregiver@example.test")).status_code == 429


async def test_a_known_device_passes_the_lock_of_its_own_network(site):
    await a_home(site.database)
    tablet = await site.signed_in("caregiver@example.test")
    neighbour = await site.browser()
    for number in range(FREE_TRIES_PER_ADDRESS):
        await neighbour.sign_in(f"nobody{number}@example.test", "a guess")

    assert (await neighbour.sign_in("caregiver@example.test")).status_code == 429
    assert (await tablet.sign_in("caregiver@example.test")).status_code == 201


async def test_a_known_device_is_no_way_to_guess(site, clock):
    await a_home(site.database)
    tablet = await site.signed_in("caregiver@example.test")
    await _fail(tablet, "caregiver@example.test", FREE_TRIES_PER_ACCOUNT)

    assert (await tablet.sign_in("caregiver@example.test")).status_code == 429
    clock.move(minutes=1)
    assert (await tablet.sign_in("caregiver@example.test")).status_code == 201


async def test_a_device_is_known_for_who_signed_in_there_and_nobody_else(site):
    here = await a_home(site.database)
    there = await a_home(site.database, name="Annat")
    tablet = await site.signed_in("caregiver@example.test", organisation=here.org)
    stranger = await site.browser(client="203.0.113.9")
    for org, email in ((here.org, "admin@example.test"), (there.org, "caregiver@example.test")):
        for _ in range(FREE_TRIES_PER_ACCOUNT):
            await stranger.sign_in(email, "a guess", organisation=org)
        assert (await tablet.sign_in(email, organisation=org)).status_code == 429


async def test_what_a_device_is_known_by_names_nobody_and_cannot_be_made_up(site):
    home = await a_home(site.database)
    tablet = await site.signed_in("caregiver@example.test")
    kept = tablet.http.cookies["mos-known"]
    stranger = await site.browser(client="203.0.113.9")
    await _fail(stranger, "caregiver@example.test", FREE_TRIES_PER_ACCOUNT)

    assert str(home.caregiver) not in kept
    assert "caregiver" not in kept
    for forged in ("A" * 32, kept[:-1] + ("A" if kept[-1] != "A" else "B"), "", "....", "%"):
        stranger.http.cookies.set("mos-known", forged)
        assert (await stranger.sign_in("caregiver@example.test")).status_code == 429


async def test_a_tablet_that_many_use_is_known_for_the_last_five(site):
    home = await a_home(site.database)
    tablet = await site.browser()
    for number in range(6):
        await an_account(
            site.database, home.org, "nurse", email=f"n{number}@example.test", password=PASSWORD
        )
        assert (await tablet.sign_in(f"n{number}@example.test")).status_code == 201

    stranger = await site.browser(client="203.0.113.9")
    answers = []
    for number in range(6):
        await _fail(stranger, f"n{number}@example.test", FREE_TRIES_PER_ACCOUNT)
        # The stranger's network is not what this is about.
        await site.database.sql("DELETE FROM sign_in_limit WHERE locked_until IS NULL")
        answers.append((await tablet.sign_in(f"n{number}@example.test")).status_code)

    assert answers == [429, 201, 201, 201, 201, 201]

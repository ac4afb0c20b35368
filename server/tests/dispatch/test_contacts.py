"""People are told by e-mail where push does not reach them, and hear when it is over."""

from builders import a_channel, a_contact
from engine_world import a_world
from mail_service import PASSWORD

from mos.kernel.errors import Unavailable
from mos.privacy.sealing import is_sealed
from mos.worker.loop import open_worker


async def a_world_with_mail(world, mail):
    await a_channel(world.database, world.home.org, "email", mail.settings, secret=PASSWORD)


async def a_phoneless_supporter(world, address="sam@example.test", **more):
    account, browser = await world.supporter(primary=True)
    world.service.gone.add(browser.name)
    await world.database.sql("DELETE FROM device WHERE account_id = $1", account)
    contact = await a_contact(world.database, world.home.org, account, address, **more)
    return account, contact


async def messages(world):
    return await world.database.sql(
        "SELECT kind, channel, step, state, error, attempts FROM delivery "
        "WHERE contact_id IS NOT NULL ORDER BY delivery_id"
    )


async def test_whoever_has_no_push_is_told_by_e_mail_and_hears_when_it_is_over(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        await a_phoneless_supporter(world, when="last")
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"

        await world.at("08:00")
        assert mail.mails == []
        await world.at("08:15")

        (told,) = mail.mails
        assert mail.envelopes == [("mos@example.test", ["sam@example.test"])]
        assert mail.were_encrypted == [True]
        assert told["subject"] == "Ett larm väntar i MOS"
        assert told["auto-submitted"] == "auto-generated"
        text = told.get_content()
        assert "kl. 08.15" in text
        assert f"{world.database.settings.public_url}/#/larm" in text

        await world.say("completion", occ=occ, st="done")
        await world.tick()

        assert [one["subject"] for one in mail.mails] == [
            "Ett larm väntar i MOS", "Löst: ett larm i MOS",
        ]  # fmt: skip
        assert {row["state"] for row in await messages(world)} == {"sent"}


async def test_no_word_of_the_plan_or_of_a_person_leaves_by_e_mail(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        await a_phoneless_supporter(world)
        await world.plan("08:00", title="Insulin före frukost", category="medication")
        await world.say("help", why="help")
        await world.at("08:00")
        await world.at("09:30")

        assert mail.mails
        for one in mail.mails:
            for word in ("Insulin", "frukost", "Elsa", "Sam", "Noor", "medic"):
                assert word not in one.as_string()


async def test_who_lives_with_push_is_told_by_mail_when_they_asked_for_it(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        for when in ("always", "important", "critical", "last"):
            account, _ = await world.supporter(unit=True)
            await a_contact(database, world.home.org, account, f"{when}@example.test", when=when)
        await world.plan("08:00")
        await world.plan("08:00", criticality="important")
        await world.plan("08:00", criticality="critical", grace=30)

        await world.at("08:00")
        await world.at("09:30")
        # One service takes few at once.
        await world.tick()

        told = sorted(to for _, (to,) in mail.envelopes)
        # All three have gone up their ladders at once: the last step of each.
        assert told.count("always@example.test") == 3
        assert told.count("important@example.test") == 2
        assert told.count("critical@example.test") == 1
        assert told.count("last@example.test") == 3


async def test_an_address_that_nobody_has_proved_is_told_nothing(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        await a_phoneless_supporter(world, verified=False)
        await world.plan("08:00")
        await world.at("08:00")

        await world.at("09:30")

        assert mail.mails == []


async def test_a_busy_mail_server_is_tried_again(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        await a_phoneless_supporter(world)
        mail.answers = ["451 4.7.1 Greylisted, come back"]
        await world.plan("08:00")
        await world.at("08:00")

        await world.at("08:15")
        assert mail.mails == []
        await world.later(seconds=5)

        assert len(mail.mails) == 1
        (row,) = await messages(world)
        assert (row["state"], row["attempts"]) == ("sent", 2)


async def test_an_address_that_is_gone_is_told_nothing_more_and_the_next_one_is(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        account, first = await a_phoneless_supporter(world, when="last")
        await a_contact(
            database, world.home.org, account, "other@example.test", when="last",
            created_at=world.now,
        )  # fmt: skip
        mail.answers = ["550 5.1.1 No such user"]
        await world.plan("08:00")
        await world.at("08:00")

        await world.at("08:15")
        await world.tick()
        (gone,) = await database.sql("SELECT gone_at FROM contact WHERE contact_id = $1", first)
        assert gone["gone_at"] == world.now
        # At once, and at the next step without asking the first one again.
        assert [to for _, (to,) in mail.envelopes] == ["other@example.test"]
        await world.at("08:30")
        assert [to for _, (to,) in mail.envelopes] == ["other@example.test"] * 2


async def test_whose_telephone_is_gone_is_told_by_mail_at_once(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        account, phone = await world.supporter(primary=True)
        await a_contact(database, world.home.org, account, "sam@example.test", when="last")
        world.service.gone.add(phone.name)
        await world.plan("08:00")
        await world.at("08:00")

        await world.at("08:15")
        await world.tick()

        assert [to for _, (to,) in mail.envelopes] == ["sam@example.test"]


async def test_who_is_told_on_one_telephone_is_not_told_by_mail_for_another(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        account, phone = await world.supporter(primary=True)
        _, other = await world.phone(account)
        await a_contact(database, world.home.org, account, "sam@example.test", when="last")
        world.service.gone.add(phone.name)
        await world.plan("08:00")
        await world.at("08:00")

        await world.at("08:15")
        await world.tick()

        assert len(other.told) == 1
        assert mail.envelopes == []


async def test_what_was_closed_meanwhile_is_told_no_other_way(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        account, phone = await world.supporter(primary=True)
        await a_contact(database, world.home.org, account, "sam@example.test", when="last")
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        await world.at("08:00")
        world.now = world.local("08:15")
        await world.worker.tick(world.now)
        await world.worker.idle()
        await database.sql("UPDATE delivery SET state = 'attempted', next_at = now()")
        world.service.gone.add(phone.name)
        await world.say("completion", occ=occ, st="done")
        await world.later(minutes=1)

        assert mail.envelopes == []


async def test_every_way_of_somebody_is_tried_once_and_then_it_is_a_dead_letter(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        account, _ = await a_phoneless_supporter(world)
        await a_contact(
            database, world.home.org, account, "+46701234567", channel="sms", when="last",
            created_at=world.now,
        )  # fmt: skip
        mail.answers = ["554 5.7.1 No"] * 9
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")
        for _ in range(4):
            await world.tick()

        # Once for each step, whose next one comes at once where nobody was reached.
        assert [(row["step"], row["channel"], row["error"]) for row in await messages(world)] == [
            (step, channel, error)
            for step in (1, 2, 3)
            for channel, error in (("email", "smtp_554"), ("sms", "channel_off"))
        ]


async def test_a_server_that_refuses_everybody_ends_nobodys_contact(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        await a_phoneless_supporter(world)
        mail.answers = ["550 5.7.1 Relaying denied"]
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")

        (row,) = await messages(world)
        assert (row["state"], row["error"]) == ("failed", "smtp_550")
        assert await database.sql("SELECT FROM contact WHERE gone_at IS NOT NULL") == []


async def test_without_a_mail_server_it_is_said_that_nobody_was_told(database):
    async with a_world(database) as world:
        await a_phoneless_supporter(world)
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")

        (row,) = await messages(world)
        assert (row["state"], row["error"]) == ("failed", "channel_off")


async def test_a_secret_that_no_longer_opens_stops_nobody_elses_messages(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        await database.sql("UPDATE channel_settings SET secret = '\\x01aa'")
        await a_phoneless_supporter(world)
        _, contact = await world.supporter(unit=True)
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:30")

        assert {row["error"] for row in await messages(world)} == {"channel_off"}
        assert contact.told


async def test_who_is_told_that_it_was_taken_hears_no_all_clear_until_it_is_over(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        account, _ = await a_phoneless_supporter(world)
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        await world.at("08:00")
        await world.at("08:15")
        (alert,) = await database.sql("SELECT alert_id FROM alert")

        until = world.moment(world.local("08:40"))
        taken = {"by": str(account), "at": world.moment(world.now), "again_at": until}
        await world.set("alert", alert["alert_id"], {"taken": taken}, by=account)
        await world.tick()
        assert len(mail.mails) == 1

        await world.say("completion", occ=occ, st="done")
        await world.tick()
        assert [one["subject"] for one in mail.mails][1:] == ["Löst: ett larm i MOS"]


async def test_no_address_and_no_secret_stands_in_a_log(database, mail, capsys, caplog):
    caplog.set_level("DEBUG")
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        await a_phoneless_supporter(world)
        await world.plan("08:00")
        await world.at("08:00")
        mail.answers = ["250", "451 Later sam@example.test", "550 5.1.1 sam@example.test is nobody"]
        await world.at("08:15")
        await world.at("08:30")
        await world.later(minutes=2)
        await database.sql("UPDATE channel_settings SET secret = '\\x01aa'")
        await world.at("09:00")

    out, err = capsys.readouterr()
    # The test's own mail server writes a log of its own.
    ours = [one.getMessage() for one in caplog.records if one.name != "mail.log"]
    for said in (out, err, *ours):
        assert "sam@example.test" not in said
        assert PASSWORD not in said
    rows = await database.sql("SELECT error FROM delivery")
    assert not any("@" in row["error"] for row in rows)


async def test_while_the_keys_are_away_a_message_waits_and_then_arrives(
    database, mail, monkeypatch
):
    async def away(*_args, **_more):
        raise Unavailable("The keys do not answer.")

    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        await a_phoneless_supporter(world)
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        await world.at("07:59")
        with monkeypatch.context() as patch:
            patch.setattr("mos.privacy.texts.open_with", away)
            await world.at("08:00")
            await world.at("08:15")
            # What rings on devices needs no key.
            assert set(world.rings()) == {occ}
        assert mail.mails == []
        [waits] = await messages(world)
        assert (waits["state"], waits["error"]) == ("queued", "keys_away")

        await world.later(minutes=2)

        assert mail.envelopes == [("mos@example.test", ["sam@example.test"])]


async def test_nothing_goes_to_the_address_of_somebody_erased(database, mail):
    async with a_world(database) as world:
        await a_world_with_mail(world, mail)
        account, _ = await a_phoneless_supporter(world)
        await database.keyring.erase(world.home.org, account, world.now)
        await world.plan("08:00")

        await world.at("08:15")

        assert mail.mails == []
        assert {row["error"] for row in await messages(world)} == {"no_contact"}


async def test_a_worker_as_it_is_started_reaches_a_sealed_address(database, mail):
    async with a_world(database) as world, open_worker(database.settings) as worker:
        await a_world_with_mail(world, mail)
        await a_phoneless_supporter(world)
        world.worker = worker
        await world.plan("08:00")

        await world.at("08:15")

        assert mail.envelopes == [("mos@example.test", ["sam@example.test"])]
        [lies] = await database.owner.fetch("SELECT address FROM contact")
        assert is_sealed(lies["address"])

"""SMS: one message each, believed only in the gateway's own words, and paid for within the cap."""

import asyncio
import json
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from builders import a_channel, a_contact, an_account
from engine_world import a_world
from http_service import http_service
from mail_service import PASSWORD

from mos.dispatch.channels.message import Message, Service
from mos.dispatch.channels.result import Result
from mos.dispatch.channels.sms import Sms
from mos.dispatch.channels.sms.alphabet import length, one_message
from mos.dispatch.channels.words import LANGUAGES, words
from mos.dispatch.outward import open_outward
from mos.worker.loop import Worker

ELKS = {"provider": "46elks", "sender": "MOS", "login": "u1"}
TWILIO = {"provider": "twilio", "sender": "+46700000000", "login": "AC1"}
GATEWAY = {"provider": "gateway", "sender": "MOS"}


@pytest.fixture
async def service():
    async with http_service() as service:
        yield service


async def answer_to(service, settings, status, body, text="Ett larm väntar i MOS.", **headers):
    """Return what the channel makes of an answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    service.answer = (status, headers, raw)
    url = f"{service.url}/sms" if settings["provider"] == "gateway" else service.url
    async with open_outward(("127.0.0.0/8",)) as outward:
        message = Message(id=UUID(int=7), to="+46701234567", subject="", text=text, data={})
        settings = settings | {"url": url}
        return await Sms(outward).send(Service(settings=settings, secret="word"), message)


# ── every status of their documentation
@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (200, {"id": "s1", "status": "created", "cost": 3500, "parts": 1}, "sent", ""),
        (200, {"id": "s1", "status": "sent"}, "sent", ""),
        (200, {"id": "s1", "status": "delivered"}, "sent", ""),
        (200, {"id": "s1", "status": "failed"}, "refused", "not_sent"),
        (200, {"status": "created"}, "refused", "unclear"),
        (200, b"<html>Welcome to the hotel's network</html>", "refused", "unclear"),
        (200, b"", "refused", "unclear"),
        (200, b'"created"', "refused", "unclear"),
        (204, b"", "refused", "http_204"),
        (302, b"", "refused", "http_302"),
        (400, b"Missing key to", "refused", "http_400"),
        (401, b"Invalid username or password", "refused", "sign_in"),
        (403, b"Not enough credits", "refused", "sign_in"),
        (404, b"", "refused", "http_404"),
        (405, b"", "refused", "http_405"),
        (429, b"", "later", "http_429"),
        (500, b"", "later", "http_500"),
        (502, b"", "later", "http_502"),
        (503, b"", "later", "http_503"),
        (504, b"", "later", "http_504"),
    ],
)
async def test_each_answer_of_46elks_means_one_thing(service, status, body, outcome, code):
    result = await answer_to(service, ELKS, status, body)

    assert (result.outcome, result.code) == (outcome, code)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        *(
            (201, {"sid": "SM1", "status": status, "error_code": None}, "sent", "")
            for status in ("accepted", "scheduled", "queued", "sending", "sent", "delivered")
        ),
        (201, {"sid": "SM1", "status": "failed"}, "refused", "not_sent"),
        (201, {"sid": "SM1", "status": "undelivered"}, "refused", "not_sent"),
        (201, {"sid": "SM1", "status": "canceled"}, "refused", "not_sent"),
        (201, {"sid": "SM1", "status": "queued", "error_code": 30007}, "refused", "twilio_30007"),
        (201, {"status": "queued"}, "refused", "unclear"),
        (200, b"<html></html>", "refused", "unclear"),
        (400, {"code": 21211, "message": "Invalid 'To'"}, "gone", "twilio_21211"),
        (400, {"code": 21610, "message": "opted out"}, "gone", "twilio_21610"),
        (400, {"code": 21614, "message": "not a mobile"}, "gone", "twilio_21614"),
        (400, {"code": 21606, "message": "From is not yours"}, "refused", "twilio_21606"),
        (400, b"what?", "refused", "http_400"),
        (401, {"code": 20003, "message": "Authenticate"}, "refused", "sign_in"),
        (403, {"code": 20403}, "refused", "sign_in"),
        (404, {"code": 20404}, "refused", "http_404"),
        (405, {"code": 20004}, "refused", "http_405"),
        (409, {"code": 20409}, "refused", "http_409"),
        (429, {"code": 20429}, "later", "http_429"),
        (500, {"code": 20500}, "later", "http_500"),
        (503, {"code": 20503}, "later", "http_503"),
    ],
)
async def test_each_answer_of_twilio_means_one_thing(service, status, body, outcome, code):
    result = await answer_to(service, TWILIO, status, body)

    assert (result.outcome, result.code) == (outcome, code)


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (200, {"id": "1"}, "sent", ""),
        (201, {"id": "1", "more": True}, "sent", ""),
        (202, {"id": 1}, "sent", ""),
        (200, {"id": ""}, "refused", "unclear"),
        (200, {"ok": True}, "refused", "unclear"),
        (204, b"", "refused", "http_204"),
        (400, b"no", "refused", "http_400"),
        (401, b"", "refused", "sign_in"),
        (410, b"", "gone", "http_410"),
        (429, b"", "later", "http_429"),
        (503, b"", "later", "http_503"),
    ],
)
async def test_each_answer_of_ones_own_gateway_means_one_thing(
    service, status, body, outcome, code
):
    result = await answer_to(service, GATEWAY, status, body)

    assert (result.outcome, result.code) == (outcome, code)


async def test_a_busy_gateway_is_asked_no_sooner_than_it_says(service):
    for said, seconds in (("30", 30.0), ("soon", None), ("-1", None)):
        result = await answer_to(service, ELKS, 429, b"", **{"retry-after": said})
        assert result == Result("later", "http_429", seconds)


# ── what is sent
async def test_46elks_gets_a_form_that_it_does_not_keep(service):
    await answer_to(service, ELKS, 200, {"id": "s1", "status": "created"})

    (heard,) = service.heard
    assert heard.path == "/a1/sms"
    assert heard.headers["authorization"] == "Basic dTE6d29yZA=="
    assert parse_qs(heard.body.decode()) == {
        "from": ["MOS"], "to": ["+46701234567"], "message": ["Ett larm väntar i MOS."],
        "dontlog": ["message"],
    }  # fmt: skip


async def test_what_it_cost_is_read_from_46elks(service):
    result = await answer_to(service, ELKS, 200, {"id": "s1", "status": "sent", "cost": 3501})

    assert result.cost == 36


async def test_twilio_gets_a_form_at_its_account(service):
    await answer_to(service, TWILIO | {"sender": "MG1"}, 201, {"sid": "S", "status": "queued"})

    (heard,) = service.heard
    assert heard.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert parse_qs(heard.body.decode())["MessagingServiceSid"] == ["MG1"]


async def test_ones_own_gateway_gets_json_with_the_same_id_each_time(service):
    for _ in range(2):
        await answer_to(service, GATEWAY, 202, {"id": "1"})

    first, second = (json.loads(heard.body) for heard in service.heard)
    assert first == second
    assert first["id"] == str(UUID(int=7))
    assert service.heard[0].headers["authorization"] == "Bearer word"


# ── the alphabet
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["alert", "urgent", "again", "close", "code", "test"])
def test_every_text_is_one_sms_beside_a_usual_address(language, kind):
    said = words(language, kind, time="23.59", code="123456").text

    assert length(f"{said}\nhttps://mos.solglantan.example.org/#/larm") in range(1, 161)


def test_what_does_not_fit_is_left_out_and_never_makes_a_second_message():
    assert one_message("Ett larm.\n" + "x" * 160) == "Ett larm."
    assert one_message("€" * 100) == "€" * 80
    assert one_message("Łarm — nu") == "?arm ? nu"
    assert length("[]") == 4


# ── the cap
async def a_world_with_sms(world, service, *, cap, price=100):
    service.answer = (202, {}, b'{"id": "1"}')
    settings = GATEWAY | {"url": f"{service.url}/sms", "price": price}
    await a_channel(world.database, world.home.org, "sms", settings, secret="word", cap=cap)


async def a_supporter_with_a_telephone(world, number="+46701234567"):
    account, _ = await world.supporter(primary=True)
    await world.database.sql("DELETE FROM device WHERE account_id = $1", account)
    await a_contact(world.database, world.home.org, account, number, channel="sms")
    return account


async def spent(database):
    [row] = await database.sql("SELECT parts, cost, capped_at FROM spend")
    return row


async def test_at_the_cap_what_is_not_critical_stops_and_what_is_critical_goes_on(
    database, service, mail
):
    async with a_world(database) as world:
        await a_world_with_sms(world, service, cap=150)
        await a_channel(database, world.home.org, "email", mail.settings, secret=PASSWORD)
        await a_contact(database, world.home.org, world.home.admin, "alva@example.test")
        await a_supporter_with_a_telephone(world)
        await world.plan("08:00")
        await world.plan("10:00", criticality="critical", grace=30)

        await world.at("08:00")
        await world.at("08:15")
        assert len(service.heard) == 1
        assert await spent(database) == {"parts": 1, "cost": 100, "capped_at": None}

        await world.at("08:30")
        assert len(service.heard) == 1
        held = await spent(database)
        assert (held["parts"], held["capped_at"]) == (1, world.now)
        (row,) = await database.sql(
            "SELECT state FROM delivery WHERE channel = 'sms' AND error = 'cap' LIMIT 1"
        )
        assert row["state"] == "failed"
        await world.tick()
        assert [
            (one["subject"], to) for one, (_, to) in zip(mail.mails, mail.envelopes, strict=True)
        ] == [("Taket för SMS är nått", ["alva@example.test"])]

        await world.at("10:00")
        await world.at("10:25")
        assert "Viktigt larm" in json.loads(service.heard[-1].body)["text"]
        assert (await spent(database))["cost"] == 200
        # Once a month is enough.
        assert len(mail.mails) == 1


async def test_whoever_manages_hears_on_their_phone_near_the_cap_and_at_it(database, service):
    async with a_world(database) as world:
        await a_world_with_sms(world, service, cap=120)
        await a_supporter_with_a_telephone(world)
        _, phone = await world.phone(world.home.admin)
        await world.plan("08:00")

        await world.at("08:00")
        await world.at("08:15")
        await world.tick()
        near = list(phone.told)
        await world.at("08:30")
        await world.tick()
        await world.at("09:00")
        await world.tick()

        assert near == [{"kind": "notice", "what": "near"}]
        assert phone.told[1:] == [{"kind": "notice", "what": "cap"}]


async def test_what_was_not_sent_is_given_back_and_what_perhaps_was_is_not(database, service):
    async with a_world(database) as world:
        await a_world_with_sms(world, service, cap=None)
        await a_supporter_with_a_telephone(world)
        await world.plan("08:00")
        await world.at("08:00")

        service.answer = (400, {}, b"no")
        await world.at("08:15")
        assert await spent(database) == {"parts": 0, "cost": 0, "capped_at": None}

        service.answer = (200, {}, b"<html>")
        await world.at("08:30")
        assert await spent(database) == {"parts": 1, "cost": 100, "capped_at": None}


async def test_two_workers_keep_one_cap(database, service):
    async with a_world(database, residents=1) as world:
        await a_world_with_sms(world, service, cap=500)
        for number in range(12):
            account, _ = await world.supporter(unit=True)
            await database.sql("DELETE FROM device WHERE account_id = $1", account)
            await a_contact(
                database, world.home.org, account, f"+4670123450{number:02}", channel="sms"
            )
        await world.plan("08:00")
        await world.at("08:00")
        other = Worker(database.app, database.engine, world.post, world.messengers)
        world.now = world.local("08:30")
        for _ in range(4):
            await asyncio.gather(world.worker.tick(world.now), other.tick(world.now))
            await world.worker.idle()
            await other.idle()
        await other.close()

        assert len(service.heard) == 5
        assert (await spent(database))["cost"] == 500


async def test_in_another_month_there_is_room_again(database, service):
    async with a_world(database, "2026-11-30T07:00") as world:
        await a_world_with_sms(world, service, cap=100)
        await a_supporter_with_a_telephone(world)
        await world.plan("08:00")
        for day in ("2026-11-30", "2026-12-01"):
            await world.at(f"{day}T08:00")
            await world.at(f"{day}T08:15")
            await world.at(f"{day}T08:30")

        months = await database.sql("SELECT month, cost FROM spend ORDER BY month")
        assert months == [{"month": 202611, "cost": 100}, {"month": 202612, "cost": 100}]


async def test_nobody_hears_of_a_cap_who_does_not_manage(database, service, mail):
    async with a_world(database) as world:
        await a_world_with_sms(world, service, cap=0)
        await a_channel(database, world.home.org, "email", mail.settings, secret=PASSWORD)
        auditor = await an_account(database, world.home.org, "auditor")
        await a_contact(database, world.home.org, auditor, "revisor@example.test")
        await a_supporter_with_a_telephone(world)
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")
        await world.tick()

        assert mail.mails == []


async def test_what_comes_too_late_to_be_sent_costs_nothing(database, service):
    async with a_world(database) as world:
        await a_world_with_sms(world, service, cap=None)
        await a_supporter_with_a_telephone(world)
        service.answer = (503, {"retry-after": "300"}, b"")
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")
        tried = len(service.heard)
        await database.sql("UPDATE delivery SET expires_at = $1 WHERE channel = 'sms'", world.now)

        await world.later(minutes=10)

        assert len(service.heard) == tried
        assert (await spent(database))["cost"] == 0

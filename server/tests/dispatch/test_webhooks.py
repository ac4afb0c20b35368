"""An organisation's program hears of every alert, and can tell ours from others, new from old."""

import hmac
import json
from base64 import b64decode, b64encode
from hashlib import sha256
from uuid import uuid4

import pytest
from builders import a_contact, a_home
from engine_world import a_world
from http_service import http_service

from mos.care.actions import webhooks
from mos.care.model import Actor, Role
from mos.db import Scope
from mos.dispatch.channels.services import contact_context
from mos.dispatch.channels.webhook import signature
from mos.kernel.ids import named_id
from mos.privacy import seals

KEY = b"k" * 32


@pytest.fixture
async def service():
    async with http_service() as service:
        service.answer = (204, {}, b"")
        yield service


async def a_webhook(world, service, *, account=None, path="hook"):
    contact, org = uuid4(), world.home.org
    seal = seals.load(world.database.settings.secrets / "seal.key")
    sealed = seal.seal(contact_context(org, contact), KEY)
    await a_contact(
        world.database, org, account, f"{service.url}/{path}", channel="webhook", secret=sealed,
        id=contact,
    )  # fmt: skip
    return contact


def events(service):
    return [json.loads(heard.body)["type"] for heard in service.heard]


async def test_a_webhook_hears_that_an_alert_was_opened_stepped_taken_and_closed(database, service):
    async with a_world(database) as world:
        await a_webhook(world, service)
        account, _ = await world.supporter(primary=True)
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        await world.at("08:00")
        await world.at("08:15")
        await world.at("08:30")
        alert = named_id(world.space, f"alert/{occ}")
        taken = {
            "by": str(account),
            "at": world.moment(world.now),
            "again_at": world.moment(world.local("08:50")),
        }
        await world.set("alert", alert, {"taken": taken}, by=account)
        await world.tick()
        await world.say("completion", occ=occ, st="done")
        await world.tick()

        assert events(service) == [
            "alert.opened", "alert.stepped", "alert.taken", "alert.closed",
        ]  # fmt: skip
        opened, _, took, closed = (json.loads(heard.body)["data"] for heard in service.heard)
        assert (opened["alert"], opened["space"]) == (str(alert), str(world.space))
        assert (opened["kind"], opened["step"]) == ("late", 1)
        assert took["taken_by"] == str(account)
        assert closed["closed_why"] == "outcome"


async def test_a_webhook_hears_of_an_alert_that_reaches_nobody(database, service):
    async with a_world(database) as world:
        await a_webhook(world, service)
        await database.sql("UPDATE relation SET valid_to = now() - interval '300 days'")
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")

        assert events(service) == ["alert.opened"]


async def test_no_name_and_no_plan_is_posted(database, service):
    async with a_world(database) as world:
        await a_webhook(world, service)
        await world.plan("08:00", title="Insulin före frukost")
        await world.at("08:00")
        await world.at("08:15")

        (heard,) = service.heard
        for word in (b"Insulin", b"Elsa", b"frukost", b"@"):
            assert word not in heard.body


async def test_a_second_attempt_has_the_same_id_and_a_signature_of_its_own(database, service):
    async with a_world(database) as world:
        await a_webhook(world, service)
        service.answer = (503, {}, b"")
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")
        service.answer = (204, {}, b"")
        await world.later(seconds=5)

        first, second = (heard.headers for heard in service.heard)
        assert first["webhook-id"] == second["webhook-id"]
        for heard in service.heard:
            signed = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}."
            digest = hmac.digest(KEY, signed.encode() + heard.body, sha256)
            assert heard.headers["webhook-signature"] == "v1," + b64encode(digest).decode()


def test_the_example_of_the_specification_comes_out_letter_for_letter():
    # The test vector of the Standard Webhooks libraries.
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    name, seconds, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'

    assert (
        signature(secret, name, seconds, body) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


async def test_a_webhook_that_is_gone_hears_nothing_more(database, service):
    async with a_world(database) as world:
        contact = await a_webhook(world, service)
        service.answer = (410, {}, b"")
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")
        await world.at("08:30")

        assert len(service.heard) == 1
        [row] = await database.sql("SELECT gone_at FROM contact WHERE contact_id = $1", contact)
        assert row["gone_at"] is not None


async def test_a_paused_webhook_hears_nothing_then_or_afterwards(database, service):
    async with a_world(database) as world:
        contact = await a_webhook(world, service)
        service.answer = (503, {}, b"")
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        await world.at("08:00")
        await world.at("08:15")

        await _let_rest(world, contact, paused=True)
        service.answer = (204, {}, b"")
        tried = len(service.heard)
        await world.at("08:30")
        await world.say("completion", occ=occ, st="done")
        await world.tick()
        await _let_rest(world, contact, paused=False)
        await world.later(minutes=5)

        assert len(service.heard) == tried
        async with world.database.app.transaction(Scope(org=world.home.org)) as db:
            answers = await webhooks.answers(db, _admin(world), contact, world.now)
        assert [(each.kind, each.state, each.code) for each in answers] == [
            ("alert", "expired", "withdrawn")
        ]


async def test_what_a_webhook_answered_is_listed_without_whom_it_was_about(database, service):
    async with a_world(database) as world:
        contact = await a_webhook(world, service)
        service.answer = (503, {}, b"")
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        await world.at("08:00")
        await world.at("08:15")
        service.answer = (204, {}, b"")
        await world.later(seconds=5)
        service.answer = (400, {}, b"")
        await world.say("completion", occ=occ, st="done")
        await world.tick()

        async with world.database.app.transaction(Scope(org=world.home.org)) as db:
            answers = await webhooks.answers(db, _admin(world), contact, world.now)

        assert [(each.kind, each.state, each.code, each.tries) for each in answers] == [
            ("close", "failed", "http_400", 1),
            ("alert", "sent", "", 2),
        ]
        assert answers[0].at == world.now


async def _let_rest(world, contact, *, paused):
    async with world.database.app.transaction(Scope(org=world.home.org)) as db:
        change = webhooks.WebhookChange(paused=paused)
        await webhooks.change(db, _admin(world), contact, change, world.now)


def _admin(world):
    return Actor(
        org=world.home.org, account=world.home.admin, role=Role.ADMIN, device=None,
        session=world.home.admin, strong_at=world.now,
    )  # fmt: skip


async def test_a_webhook_that_is_ill_rests_and_keeps_nobody_elses_waiting(database, service):
    async with a_world(database) as world, http_service() as sick:
        await a_webhook(world, sick)
        await a_webhook(world, service)
        sick.answer = (500, {}, b"")
        for _ in range(6):
            await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")
        await world.tick()

        assert len(service.heard) == 6
        tried = len(sick.heard)
        await world.later(seconds=20)
        assert len(sick.heard) == tried
        sick.answer = (204, {}, b"")
        await world.later(seconds=60)
        await world.tick()
        assert len(sick.heard) == tried + 6


async def test_another_organisations_alerts_are_not_posted(database, service):
    async with a_world(database) as world:
        others = await a_home(database, name="Andra", email_domain="other.test")
        contact = uuid4()
        seal = seals.load(database.settings.secrets / "seal.key")
        await a_contact(
            database, others.org, None, f"{service.url}/hook", channel="webhook", id=contact,
            secret=seal.seal(contact_context(others.org, contact), KEY),
        )  # fmt: skip
        await world.plan("08:00")
        await world.at("08:00")
        await world.at("08:15")

        assert service.heard == []


async def test_a_webhook_of_ones_own_hears_what_tells_its_owner_and_that_it_is_over(
    database, service
):
    async with a_world(database) as world:
        account, _ = await world.supporter(primary=True)
        await world.supporter(unit=True)
        await a_webhook(world, service, account=account)
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        await world.at("08:00")
        await world.at("08:15")
        await world.say("completion", occ=occ, st="done")
        await world.tick()

        assert events(service) == ["alert.opened", "alert.closed"]

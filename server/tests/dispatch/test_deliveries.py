"""Deliveries when push services are ill: pruned, tried again, given up loudly, never in the way."""

import asyncio
from datetime import timedelta

import pytest
from engine_world import a_world, occ_of
from push_service import push_service

from mos.dispatch import courier, engine, store
from mos.dispatch.channels.webpush import WebPush
from mos.dispatch.metrics import REGISTRY
from mos.kernel.ids import named_id


async def deliveries(database, channel="webpush"):
    return await database.sql(
        "SELECT state, attempts, error, next_at, settled_at FROM delivery WHERE channel = $1 "
        "ORDER BY delivery_id",
        channel,
    )


async def test_a_subscription_that_is_gone_is_pruned_and_a_person_hears_of_it(database):
    async with a_world(database) as world:
        _, contact = await world.supporter(primary=True)
        world.service.gone.add(world.tablet_browser.name)
        await world.plan("08:00")

        await world.at("08:00")
        (delivery,) = await deliveries(database)
        assert (delivery["state"], delivery["error"]) == ("failed", "http_410")
        (device,) = await database.sql(
            "SELECT push_gone_at FROM device WHERE device_id = $1", world.tablet
        )
        assert device["push_gone_at"] == world.now

        await world.at("08:02")
        assert [alert["what"]["kind"] for alert in await world.alerts()] == ["silent"]
        assert len(contact.told) == 1
        await world.at("08:05")
        assert len(await deliveries(database)) == 2  # the contact's; none more to the tablet


async def test_a_browser_that_subscribed_anew_meanwhile_is_not_pruned(database):
    async with a_world(database) as world:
        await world.plan("08:00")
        world.now = world.local("08:00")
        async with database.engine.transaction() as db:
            await engine.claim(db, world.now, 10)
            taken = await store.take_deliveries(db, "webpush", world.now, limit=10)
        fresh = world.service.subscribe()
        await database.sql(
            "UPDATE device SET push_endpoint = $2 WHERE device_id = $1",
            world.tablet, fresh.endpoint,
        )  # fmt: skip

        async with database.engine.transaction() as db:
            old = [(taken[0].org, taken[0].device, taken[0].endpoint)]
            await store.prune_devices(db, old, world.now)

        (device,) = await database.sql(
            "SELECT push_gone_at FROM device WHERE device_id = $1", world.tablet
        )
        assert device["push_gone_at"] is None


async def test_what_was_told_while_the_database_could_not_be_written_is_written_down_later(
    database, monkeypatch
):
    """Else the lease runs out and the tablet rings once more for nothing."""

    async def refused(*_):
        raise OSError("the database is gone")

    async with a_world(database) as world:
        await world.plan("08:00")
        world.now = world.local("08:00")
        async with database.engine.transaction() as db:
            await engine.claim(db, world.now, 10)
        push = WebPush(world.post, lambda: None)
        await courier.carry(database.engine, push, world.now)
        await push.idle()
        with monkeypatch.context() as broken, pytest.raises(OSError, match="gone"):
            broken.setattr(store, "settle_deliveries", refused)
            await courier.settle(database.engine, push, world.now)

        assert await courier.settle(database.engine, push, world.now) == 1
        (delivery,) = await deliveries(database)
        assert (delivery["state"], delivery["attempts"]) == ("sent", 1)
        assert await courier.settle(database.engine, push, world.now) == 0


async def test_a_busy_service_is_tried_again_no_sooner_than_it_asks(database):
    async with a_world(database) as world:
        world.service.answers, world.service.retry_after = [503], "20"
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"

        await world.at("08:00")
        assert await world.state(occ) == "due"
        await world.later(seconds=19)
        assert world.rings() == []
        await world.later(seconds=12)

        assert world.rings() == [occ]
        assert await world.state(occ) == "told"
        (delivery,) = await deliveries(database)
        assert (delivery["state"], delivery["attempts"]) == ("sent", 2)


async def test_a_service_that_never_recovers_is_given_up_loudly(database):
    async with a_world(database) as world:
        await world.plan("08:00", grace=1440)
        world.service.answers = [503] * 100
        labels = {"channel": "webpush", "kind": "ring", "outcome": "later"}
        before = REGISTRY.get_sample_value("mos_deliveries_total", labels) or 0

        await world.at("08:00")
        for _ in range(40):
            await world.later(seconds=95)

        rows = await deliveries(database)
        assert {row["state"] for row in rows} == {"failed"}
        assert {row["attempts"] for row in rows} == {8}
        assert {row["error"] for row in rows} == {"http_503"}
        assert REGISTRY.get_sample_value("mos_deliveries_total", labels) - before == 24


async def test_a_message_that_would_come_too_late_is_not_sent(database):
    async with a_world(database) as world:
        await world.plan("08:00", ring={"start": True, "again": False, "before": None})
        world.service.answers = [503]
        world.service.retry_after = "300"
        await world.at("08:00")
        sent = len(world.service.posts)
        # The worker was away: half an hour later the grace is over.
        await world.at("08:31")

        (delivery,) = await deliveries(database)
        assert (delivery["state"], delivery["next_at"]) == ("expired", None)
        assert len(world.service.posts) == sent


async def test_what_came_too_late_was_not_attempted_and_holds_up_nothing(database):
    async with a_world(database) as world:
        await world.plan("08:00", ring={"start": True, "again": False, "before": None})
        await world.plan("08:20", ring={"start": True, "again": False, "before": None})
        world.now = world.local("08:00")
        async with database.engine.transaction() as db:
            await engine.claim(db, world.now, 10)
        # The worker was away until the first has lost its use and the second rings.
        await world.at("08:31")

        late, told = await deliveries(database)
        assert (late["state"], late["attempts"], late["next_at"]) == ("expired", 0, None)
        assert (told["state"], told["attempts"]) == ("sent", 1)


async def test_a_tick_for_a_message_that_has_ended_makes_what_is_due_ring(database):
    async with a_world(database) as world:
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        world.now = world.local("08:00")

        await world.worker.tick(world.now, whole=False)
        await world.worker.idle()

        assert world.rings() == [occ]


async def test_klar_drops_what_still_waits_to_be_sent(database):
    async with a_world(database) as world:
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        world.service.answers = [503]
        await world.at("08:00")

        await world.say("completion", occ=occ, st="done")
        await world.later(seconds=30)

        assert world.rings() == []
        rings = await database.sql("SELECT state, error FROM delivery WHERE kind = 'ring'")
        assert {"state": "expired", "error": "withdrawn"} in rings


async def test_a_service_that_hangs_stops_nobody_else(database):
    async with a_world(database) as world, push_service() as sick:
        sick.hangs = asyncio.Event()
        hung = [sick.subscribe() for _ in range(3)]
        for browser in hung:
            device, _ = await world.phone(world.home.resident.account)
            await database.sql(
                "UPDATE device SET push_endpoint = $2, push_p256dh = $3, push_auth = $4 "
                "WHERE device_id = $1",
                device, browser.endpoint, browser.p256dh, browser.auth,
            )  # fmt: skip
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        world.now = world.local("08:00")

        await world.worker.tick(world.now)
        await asyncio.wait_for(sick.heard.wait(), 5)
        async with asyncio.timeout(5):
            while await world.state(occ) != "told":
                await world.worker.tick(world.now)

        assert world.rings() == [occ]
        states = sorted(row["state"] for row in await deliveries(database))
        assert states == ["attempted"] * 3 + ["sent"]


async def test_a_service_in_trouble_rests_while_the_others_are_served(database):
    async with a_world(database) as world, push_service() as sick:
        channel = WebPush(world.post, lambda: None)
        sick.answers = [500] * 5
        await world.plan("08:00")
        for _ in range(5):
            device, _ = await world.phone(world.home.resident.account)
            browser = sick.subscribe()
            await database.sql(
                "UPDATE device SET push_endpoint = $2, push_p256dh = $3, push_auth = $4 "
                "WHERE device_id = $1",
                device, browser.endpoint, browser.p256dh, browser.auth,
            )  # fmt: skip
        now = world.local("08:00")
        async with database.engine.transaction() as db:
            await engine.claim(db, now, 10)

        await courier.carry(database.engine, channel, now)
        await channel.idle()
        await courier.settle(database.engine, channel, now)
        assert channel.resting(now) == [sick.url]

        soon = now + timedelta(seconds=10)
        assert await courier.carry(database.engine, channel, soon) == 0
        later = now + timedelta(seconds=31)
        assert await courier.carry(database.engine, channel, later) == 5
        await channel.idle()
        assert channel.resting(later) == []


async def test_an_open_app_is_poked_once_per_device(database):
    async with a_world(database) as world:
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        async with database.app.listen("mos_poke") as pokes:
            await world.at("08:00")
            poke = await asyncio.wait_for(anext(pokes), 5)

        assert f'"occ":"{occ}"' in poke
        assert f'"device":"{world.tablet}"' in poke
        (delivery,) = await deliveries(database, "openapp")
        assert delivery["state"] == "sent"


async def test_a_revoked_device_is_told_nothing(database):
    async with a_world(database) as world:
        await world.plan("08:00")
        await world.at("07:30")
        await database.sql(
            "UPDATE device SET revoked_at = $2 WHERE device_id = $1", world.tablet, world.now
        )

        await world.at("08:00")

        assert world.rings() == []
        assert await deliveries(database) == []


async def test_an_alert_comes_to_phones_when_a_push_service_is_well_again_after_hours(database):
    async with a_world(database) as world:
        _, phone = await world.supporter(primary=True)
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        world.service.answers = [503] * 10_000
        # Long past the last step of the ladder, and the last attempt of each step.
        for _ in range(70):
            await world.later(minutes=2)
        assert phone.told == []

        world.service.answers = []
        await world.later(minutes=8)

        alert = str(named_id(world.space, f"alert/{occ}"))
        assert {told["alert"] for told in phone.told} == {alert}
        before = len(phone.told)
        await world.later(minutes=30)
        assert len(phone.told) == before

"""The reminder of nobody's, by which the chain is watched."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web
from browsers import MovedClock, started
from cryptography.hazmat.primitives.asymmetric import ec
from engine_world import a_world, occ_of
from msgspec import structs
from structlog.testing import capture_logs

from mos.dispatch import vapid, watch
from mos.dispatch.channels.webpush.mirror import open_mirror
from mos.dispatch.metrics import REGISTRY
from mos.dispatch.webpush import Message, open_post, send
from mos.worker.heartbeat import Heartbeat
from mos.worker.loop import Worker

TABLES = ("due", "occurrence", "delivery", "answer", "alert")


async def rest(world):
    """Return how much the watch has left in each of the engine's tables."""
    counts = {}
    for table in TABLES:
        rows = await world.database.sql(f"SELECT 1 FROM {table} WHERE org_id = $1", watch.ORG)
        counts[table] = len(rows)
    return counts


async def stands(world):
    """Return where the watch stands."""
    (row,) = await world.database.sql("SELECT * FROM watch_round")
    return row


async def ticks(world, heard, seconds=20):
    """Let time pass until a round has come through; the web process may be deaf to the first."""
    async with asyncio.timeout(seconds):
        while (await stands(world))["through_at"] == heard:
            await world.later(seconds=5)
            await asyncio.sleep(0.02)


async def test_a_reminder_of_nobodys_goes_through_the_whole_chain_and_leaves_nothing(database):
    async with a_world(database) as world, started(database.settings, MovedClock(world.now)):
        claimed = REGISTRY.get_sample_value("mos_engine_claimed_total")
        world.worker.watch(None)
        await ticks(world, None)

        row = await stands(world)
        assert (row["through_at"], row["missed"], row["occ"]) == (world.now, 0, None)
        assert set((await rest(world)).values()) == {0}
        assert REGISTRY.get_sample_value("mos_engine_claimed_total") == claimed

        # The next one a minute later, and no sooner.
        world.now = row["asked_at"] + timedelta(seconds=59)
        await world.tick()
        assert (await stands(world))["occ"] is None
        await world.later(seconds=1)
        assert (await stands(world))["occ"] is not None


async def test_without_a_web_process_it_does_not_come_through_and_calls_nobody(database):
    async with a_world(database) as world:
        world.worker.watch(None)
        await world.tick()
        for _ in range(12):
            await world.later(seconds=20)

        row = await stands(world)
        assert row["through_at"] is None
        assert row["missed"] >= watch.LATE_AFTER
        assert (await rest(world))["alert"] == 0


async def test_after_a_stop_of_hours_the_round_that_waited_is_gone_and_people_are_rung(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("12:00"), "12:00")
        world.worker.watch(None)
        await world.tick()
        await world.at("12:00")

        assert world.rings() == [occ]
        assert (await rest(world))["alert"] == 0
        assert (await stands(world))["missed"] == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_the_outside_watcher_hears_only_of_a_whole_chain(database, status):
    heard, was_heard = [], asyncio.Event()

    async def ping(request):
        heard.append(request.path)
        was_heard.set()
        return web.Response(status=status)

    app = web.Application()
    app.add_routes([web.get("/{secret}", ping)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    clock = MovedClock()
    try:
        async with a_world(database) as world:
            clock.now = world.now
            heartbeat = Heartbeat(f"http://{host}:{port}/secret")
            world.worker.watch(heartbeat)
            await world.tick()
            await world.later(seconds=120)
            assert heard == []

            async with started(database.settings, clock):
                await ticks(world, None)
                await asyncio.wait_for(was_heard.wait(), 10)
            assert heard == ["/secret"]
            assert not world.worker.ailing
    finally:
        await runner.cleanup()


@asynccontextmanager
async def a_watching_world(database):
    """Yield a world whose worker has a receiving end for push messages, and the web process."""
    async with (
        a_world(database) as world,
        open_mirror(world.post.vapid, database.settings) as mirror,
        started(database.settings, MovedClock(world.now)),
    ):
        await world.worker.close()
        world.worker = Worker(
            world.database.app, world.database.engine, world.post, world.messengers, mirror=mirror
        )
        world.worker.watch(None)
        try:
            yield world, mirror
        finally:
            await world.worker.close()


async def test_the_round_is_pushed_to_ourselves_and_opened_there(database):
    async with a_watching_world(database) as (world, _):
        through = REGISTRY.get_sample_value("mos_watch_push_seconds_count")
        await ticks(world, None)

        row = await stands(world)
        assert (row["missed"], row["push_missed"]) == (0, 0)
        assert row["push_at"] is not None
        assert 0 <= row["push_ms"] <= 10_000
        assert REGISTRY.get_sample_value("mos_watch_push_seconds_count") == through + 1
        # No browser of the house heard of it, and nothing is left.
        assert world.tablet_browser.told == []
        await world.tick()
        assert set((await rest(world)).values()) == {0}


async def test_push_messages_that_do_not_come_through_are_told_and_hold_no_poke_up(database):
    async with a_watching_world(database) as (world, mirror):
        # As if what opens them had another key than what seals them.
        mirror.subscription = structs.replace(mirror.subscription, auth=bytes(16))
        heard = None
        with capture_logs() as logs:
            for _ in range(watch.PUSH_LATE_AFTER):
                await ticks(world, heard)
                heard = (await stands(world))["through_at"]
                await world.later(seconds=60)

        row = await stands(world)
        assert (row["missed"], row["push_missed"]) == (0, watch.PUSH_LATE_AFTER)
        assert row["push_at"] is None
        assert [each["event"] for each in logs if each["log_level"] == "error"] == [
            "push_does_not_come_through"
        ]


async def test_the_receiving_end_takes_what_is_awaited_signed_and_sealed_and_nothing_else(database):
    settings = structs.replace(database.settings, push_private_hosts=False)
    key = vapid.load_or_make(settings.secrets / "vapid.pem")
    said = Message(payload=b'{"kind":"ring","occ":"x"}', ttl_s=60, tag="x")
    async with open_mirror(key, settings) as mirror:
        assert (await mirror.send(said)).outcome == "sent"
        other = structs.replace(said, payload=b'{"kind":"ring","occ":"y"}')
        assert (await mirror.send(other)).code == "http_409"
        elsewhere = structs.replace(mirror.subscription, endpoint="https://watch.mos.invalid/")
        own, mirror.subscription = mirror.subscription, elsewhere
        assert (await mirror.send(said)).outcome == "gone"
        mirror.subscription = own
        # The way that subscriptions are served by leads nowhere near, whatever they name.
        async with open_post(key, settings) as post:
            assert (await send(post, own, said)).outcome == "later"
        stranger = vapid.Vapid(ec.generate_private_key(ec.SECP256R1()))
        mirror._post._keys[stranger.point] = stranger
        mirror.subscription = structs.replace(own, key=stranger.point)
        assert (await mirror.send(said)).code == "http_403"

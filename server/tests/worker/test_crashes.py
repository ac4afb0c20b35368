"""Workers that die, restart and meet: nothing is lost, nothing is claimed twice."""

import asyncio
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from engine_world import a_world, occ_of

from mos.dispatch import engine
from mos.kernel.clock import file_clock, system_clock
from mos.worker import loop

SERVER = Path(__file__).parents[2]


@contextmanager
def a_process(settings):
    """`mos work`, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from mos.ops.work import command; command()"],
        env={
            "PYTHONPATH": str(SERVER),
            "MOS_APP_URL": settings.app_url,
            "MOS_ENGINE_URL": settings.engine_url,
            "MOS_KEYS_APP_URL": settings.keys_url,
            "MOS_SECRETS": str(settings.secrets),
            "MOS_PUSH_PRIVATE_HOSTS": "1",
            "MOS_CLOCK_FILE": str(settings.clock_file),
        },
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def until(condition, seconds=20):
    """Wait for something that another process, or a task that tells nobody, does."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  nothing to await there
            await asyncio.sleep(0.02)


async def test_a_worker_killed_between_claim_and_send_leaves_it_to_the_next(database, tmp_path):
    async with a_world(database) as world:
        reminder = await world.plan("08:00", grace=1440)
        occ = f"{reminder}@2026-11-27T08:00"
        clock = tmp_path / "clock"
        settings = msgspec.structs.replace(database.settings, clock_file=clock)

        def move_to(moment):
            clock.write_text(str((moment - datetime.now(UTC)).total_seconds()))

        move_to(world.local("08:00"))
        world.service.hangs = asyncio.Event()
        with a_process(settings) as first:
            await asyncio.wait_for(world.service.heard.wait(), 20)
            # The message is on its way, its attempt is recorded, its end is not.
            first.send_signal(signal.SIGKILL)
            first.wait()
        assert world.rings() == []
        assert await world.state(occ) == "due"

        world.service.hangs.set()
        world.service.hangs = None
        move_to(world.local("08:01"))
        with a_process(settings):

            async def told():
                return await world.state(occ) == "told"

            await until(told)
        assert set(world.rings()) == {occ}


async def test_two_workers_never_claim_the_same(database):
    async with a_world(database, residents=8) as world:
        for resident in world.home.residents:
            for hour in range(8, 20):
                await world.plan(
                    *(f"{hour:02}:{m:02}" for m in range(0, 60, 5)), space=resident.space
                )
        await database.sql("UPDATE due SET at = $1, first_at = $1, ends_at = $1", world.now)
        (before,) = await database.sql("SELECT count(*) FROM due")

        async def drain():
            taken = 0
            while True:
                async with database.engine.transaction() as db:
                    done = await engine.claim(db, world.now, 37)
                if not done:
                    return taken
                taken += done

        taken = await asyncio.gather(*(drain() for _ in range(4)))

        assert sum(taken) == before["count"] > 1000
        assert sorted(taken)[-2] > 0
        (after,) = await database.sql(
            "SELECT count(*) FROM occurrence WHERE step = 1 AND state = 'due'"
        )
        assert after["count"] == before["count"]
        doubled = await database.sql(
            "SELECT subject FROM delivery WHERE channel = 'webpush' GROUP BY subject "
            "HAVING count(*) > 1"
        )
        assert doubled == []


async def test_one_that_is_planned_again_after_it_was_claimed_does_not_ring_twice(database):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        occ = f"{reminder}@2026-11-27T08:00"
        rows = await database.sql("SELECT * FROM due WHERE occ = $1", occ)
        await world.at("08:00")

        # As a plan that was read before the claim and written after it would.
        await database.sql(
            "INSERT INTO due SELECT * FROM json_populate_record(NULL::due, $1::json)",
            msgspec.json.encode(rows[0]).decode(),
        )
        await world.at("08:01")

        assert world.rings() == [occ]
        assert occ.partition("@")[2] not in await world.due()


async def test_a_worker_beats_works_by_the_clock_file_and_stops_when_asked(database, tmp_path):
    async with a_world(database) as world:
        reminder = await world.plan("08:00")
        clock_file = tmp_path / "clock"

        def move_to(moment):
            clock_file.write_text(str((moment - system_clock()).total_seconds()))

        # The world's day, whatever day it is here.
        move_to(world.now)
        settings = msgspec.structs.replace(database.settings, clock_file=clock_file)
        clock = file_clock(clock_file)
        stop = asyncio.Event()
        running = asyncio.create_task(loop.run(settings, clock, stop))
        try:

            async def beats():
                return await database.sql("SELECT 1 FROM worker_heartbeat")

            await until(beats)
            move_to(world.local("08:00"))

            async def rung():
                return world.rings() == [f"{reminder}@2026-11-27T08:00"]

            await until(rung)
            rows = await database.sql("SELECT max(seen_at) AS seen FROM worker_heartbeat")
            assert abs((clock() - rows[0]["seen"]).total_seconds()) < 10
        finally:
            stop.set()
            await asyncio.wait_for(running, 10)


async def test_a_pass_that_fails_is_logged_backs_off_and_stops_no_other(database, monkeypatch):
    async with a_world(database) as world:
        occ = f"{await world.plan('08:00')}@2026-11-27T08:00"
        world.now = world.local("08:00")

        async def broken(*_):
            raise RuntimeError("no")

        monkeypatch.setattr(loop.engine, "walk", broken)
        await world.worker.tick(world.now)
        await world.worker.idle()

        assert world.worker.ailing == ["walk"]
        assert world.rings() == [occ]


async def test_one_occurrence_that_cannot_be_followed_keeps_no_other_from_being_missed(database):
    async with a_world(database, residents=5) as world:
        _, ward = await world.supporter(unit=True)
        occs = [
            occ_of(await world.plan("08:00", space=resident.space), "08:00")
            for resident in world.home.residents
        ]
        await world.at("08:00")
        # As a fault of ours might leave it.
        await database.sql("UPDATE occurrence SET criticality = 'odd' WHERE occ = $1", occs[2])

        await world.at("08:30")

        states = {row["occ"]: row["state"] for row in await database.sql("TABLE occurrence")}
        assert [states[occ] for occ in occs] == ["missed", "missed", "due", "missed", "missed"]
        assert len(ward.told) == 4
        row = await world.occurrence(occs[2])
        assert row["next_at"] == world.now + timedelta(minutes=5)


async def test_one_alert_that_cannot_be_followed_keeps_no_other_from_its_next_step(database):
    async with a_world(database, residents=3) as world:
        _, ward = await world.supporter(unit=True)
        for resident in world.home.residents:
            await world.plan("08:00", space=resident.space)
        await world.at("08:15")
        await world.at("08:30")
        assert len(ward.told) == 3 + 3
        await database.sql(
            "UPDATE alert SET ladder = 'odd' WHERE space_id = $1", world.home.residents[1].space
        )

        await world.at("09:00")

        assert len(ward.told) == 3 + 3 + 2

"""Processes are killed while devices write: nothing acknowledged is lost, nothing counts twice."""

import asyncio
from random import Random

from history import replayed
from real_home import RealHome, record

from mos.ops.sim.device import Offline

WRITERS = 4
# How much is acknowledged between two kills, and what is killed.
PROGRESS = 40
_WAITING = 100
KILLS = ("kill_server", "kill_backends", "kill_database", "kill_server", "kill_database")


async def test_kill_9_loses_nothing_and_doubles_nothing():  # noqa: C901  one story
    """P1, P3, P4, P14: of the web process, of one backend and of the whole of PostgreSQL."""
    dice = Random(9)  # noqa: S311  a repeatable game
    async with RealHome() as real:
        devices = [await real.device(f"d{n}", dice=dice) for n in range(WRITERS)]
        space = str(real.home.space)
        written, acknowledged = {}, {}
        for device in devices:
            device.asked = lambda kind, _body, answer: (
                acknowledged.update({one["op"]: one["seq"] for one in answer["results"]})
                if kind == "push" and answer
                else None
            )
            await device.meet_until_done()
        over = asyncio.Event()

        async def work(device):
            while not over.is_set():
                drafts = [
                    {"k": "set", "coll": "reminder", "rec": record(dice.randrange(3)),
                     "f": {dice.choice(["title", "note"]): str(dice.random())}},
                    {"k": "event", "coll": "help", "v": {
                        "at": "2026-11-27T07:00:00Z", "why": "help"}},
                ]  # fmt: skip
                # A person taps slower than a dead server is asked again: what waits stays bounded.
                many = dice.randint(1, 8) if len(device.device.unsent()) < _WAITING else 0
                for _ in range(many):
                    for op in device.write(space, *drafts):
                        written[op["op"]] = op
                try:
                    await device.meet()
                except Offline:
                    await asyncio.sleep(0.02)

        working = [asyncio.create_task(work(device)) for device in devices]

        async def progress():
            """Wait until the server has taken some more."""
            before = len(acknowledged)
            async with asyncio.timeout(90):
                while len(acknowledged) < before + PROGRESS:  # noqa: ASYNC110  nothing to await there
                    await asyncio.sleep(0.02)

        for kill in KILLS:
            await progress()
            await getattr(real, kill)()
        await progress()
        over.set()
        await asyncio.gather(*working)
        for device in devices:
            await device.meet_until_done()
        for device in devices:
            await device.meet_until_done()
        log = await real.sql(
            "SELECT * FROM op WHERE space_id = $1 AND device_id IS NOT NULL ORDER BY seq",
            real.home.space,
        )
        places = await real.sql(
            "SELECT array_agg(seq ORDER BY seq) AS all FROM op WHERE space_id = $1",
            real.home.space,
        )

    assert len(written) > 200
    kept = [str(row["op_id"]) for row in log]
    assert sorted(kept) == sorted(written)
    assert places[0]["all"] == list(range(1, len(places[0]["all"]) + 1))
    assert acknowledged == {str(row["op_id"]): row["seq"] for row in log}
    rows = [device.rows[space] for device in devices]
    assert all(each == rows[0] for each in rows)
    own = replayed(log)
    assert {rec: rows[0][rec] for rec in own} == own

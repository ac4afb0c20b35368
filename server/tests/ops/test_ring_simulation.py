"""A day in which everything that makes it ring is killed; and the ledger that would notice."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from mos.ops.sim.ring import day, ledger, people
from mos.ops.sim.ring.command import one, postgres
from mos.ops.sim.ring.day import Seed, Told
from mos.ops.sim.ring.faults import CALM_AFTER, Faults
from mos.ops.sim.ring.home import Device, Home

# A morning with half a dozen faults, among them PostgreSQL's.
SEED, RESIDENTS = 12, 10


def test_a_morning_of_killed_workers_server_and_database_leaves_no_line_without_an_end():
    with postgres() as cluster:
        told = asyncio.run(one(cluster, Seed(SEED, RESIDENTS, 0.3, until=12)))

    assert told.found == [], f"mos sim ring --from {SEED} --seeds 1 --residents {RESIDENTS}"
    assert len(told.happened) > 3
    assert any("postgres" in what for what in told.happened)
    assert told.messages > told.occurrences > 0
    assert told.calm > 3


@pytest.mark.parametrize(
    ("moves", "promise"),
    [
        ([(None, "due"), ("due", "told"), ("told", "closed")], None),
        ([(None, "due"), ("due", "missed"), ("missed", "told")], "illegal move"),
        ([(None, "due"), ("told", "closed")], "illegal move"),
        ([(None, "due"), (None, "due")], "begun twice"),
        ([(None, "due"), ("due", None)], "forgotten"),
    ],
)
def test_the_ledger_notices_a_history_that_cannot_be(moves, promise):
    space = uuid4()
    rows = [
        {"space_id": space, "occ": "x", "before": before, "after": after} for before, after in moves
    ]

    found = ledger.histories(rows)

    assert [each.promise for each in found] == ([promise] if promise else [])


NOON = datetime(2026, 11, 27, 11, tzinfo=UTC)
DICE = Random(1)  # noqa: S311  a repeatable game


def a_device():
    return Device(uuid4(), uuid4(), "token", [uuid4()], None, outbox=[{"op": uuid4(), "n": 1}])


async def test_a_server_that_stands_still_takes_one_patience_of_all_who_wait(monkeypatch):
    """Hundreds of devices wait at the same time, not one after the other."""
    monkeypatch.setattr(people, "_PATIENCE", aiohttp.ClientTimeout(total=0.3))
    asked = []

    async def never(request):
        asked.append(request)
        await asyncio.sleep(30)

    app = web.Application()
    app.add_routes([web.post("/sync/v1/push", never)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    tablets = [a_device() for _ in range(100)]
    everybody = people.People(Home(uuid4(), tablets, []), None, DICE, NOON)
    async with aiohttp.ClientSession() as session:
        await everybody.send(session, f"http://{host}:{port}", NOON)
    await runner.cleanup()

    assert 0 < len(asked) <= 8
    assert all(tablet.outbox for tablet in tablets)


class Worker:
    """A worker that has said how many of its messages came to nothing."""

    def __init__(self, unanswered):
        self._unanswered = unanswered

    async def tick(self, _now):
        return True

    def unanswered(self):
        count, self._unanswered = self._unanswered, 0
        return count


def a_day(monkeypatch, *, unanswered):
    """A day in which everything is whole, and a message waits however often one looks."""

    async def waits(_db, _now):
        return [ledger.Fault("late although whole", "delivery webpush")]

    async def send(*_):
        return None

    monkeypatch.setattr(day, "overdue", waits)
    monkeypatch.setattr(day, "_connection", lambda _dsn: contextlib.nullcontext())
    world = SimpleNamespace(
        cluster=None, database="", workers=[], server=None, service=None, subscriptions=[]
    )
    return day._Day(
        Told(1), DICE, None, SimpleNamespace(send=send), [Worker(unanswered)],
        Faults(DICE, world), None, "", "", now=NOON,
    )  # fmt: skip


async def test_what_waits_although_all_is_whole_is_late(monkeypatch):
    living = a_day(monkeypatch, unanswered=0)
    await living._be_whole()

    assert [each.promise for each in living.told.found] == ["late although whole"]
    assert living.calms == []


async def test_a_message_that_this_machine_was_too_slow_for_is_a_fault_and_not_lateness(
    monkeypatch,
):
    """To MOS it is the same whoever did not answer; for twelve minutes nothing is promised."""
    living = a_day(monkeypatch, unanswered=3)
    await living._be_whole()

    assert living.told.found == []
    assert living.calms == []
    assert [what for _, what in living.faults.happened] == [
        "slow machine: 3 messages without an answer"
    ]
    assert living._stretches() == [(NOON, NOON + CALM_AFTER)]
    assert not living.faults.calm(NOON + CALM_AFTER - timedelta(seconds=1))
    assert living.faults.calm(NOON + CALM_AFTER)

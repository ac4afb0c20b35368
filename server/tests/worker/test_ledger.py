"""A day of sixty residents in compressed time, with workers that die; every line has an end."""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta

from builders import Resident
from engine_world import DAY, World, a_world, occ_of

from mos.kernel.ids import named_id
from mos.worker.loop import Worker

HOURS = (7, 8, 12, 17, 21)
END_STATES = {"closed", "missed", "cancelled", "paused"}


@dataclass
class Home:
    """Sixty plans, and people who do this and that."""

    world: World
    dice: random.Random
    planned: list[tuple[Resident, str]]
    paused: set

    async def plan(self):
        """Give everybody a tablet and five reminders a day."""
        for resident in self.world.home.residents:
            await self.world.phone(resident.account)
            times = [f"{hour:02}:{self.dice.choice((0, 15, 30)):02}" for hour in HOURS]
            reminder = await self.world.plan(
                *times,
                space=resident.space,
                criticality=self.dice.choice(("normal", "important", "critical")),
                checkable=self.dice.random() < 0.8,
            )
            self.planned += [(resident, occ_of(reminder, time)) for time in times]

    async def act(self):
        """Let somebody do something."""
        resident, occ = self.dice.choice(self.planned)
        what = self.dice.random()
        if what < 0.6:
            await self.answer(resident, occ)
        elif what < 0.75:
            until = self.world.moment(self.world.now + timedelta(minutes=10))
            await self.say(resident, "snooze", occ=occ, until=until)
        elif what < 0.9:
            await self.say(resident, "rang", occ=occ, how="sound")
        else:
            self.paused.add(resident.space)
            pause = {"pause": self.dice.choice(([], [{"from": DAY}]))}
            profile = named_id(resident.space, "profile")
            await self.world.set("profile", profile, pause, space=resident.space)

    async def answer(self, resident, occ):
        """Klar, and sometimes not after all."""
        done = await self.say(resident, "completion", occ=occ, st="done")
        if self.dice.random() < 0.2:
            await self.say(resident, "retract", of=str(done))

    async def say(self, resident, coll, **v):
        """Let a resident say something."""
        event = self.world.event(coll, space=resident.space, **v)
        await self.world.push(event, by=resident.account)
        return event["op"]

    async def tick(self, worker):
        """Let a worker tick, and sometimes die on any line: what it had not committed is gone."""
        task = asyncio.create_task(worker.tick(self.world.now))
        if self.dice.random() < 0.3:
            await asyncio.wait({task}, timeout=self.dice.random() * 0.03)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_ledger_of_a_day_with_dying_workers_has_no_line_without_an_end(database):
    dice = random.Random(20261127)  # noqa: S311  the same day each time
    async with a_world(database, f"{DAY}T06:00", residents=60) as world:
        await world.supporter(unit=True)
        home = Home(world, dice, [], set())
        await home.plan()
        world.service.answers = [dice.choice((201, 503, 410)) for _ in range(60)]
        night = world.local("2026-11-28T00:00")

        while world.now < night:
            other = Worker(database.app, database.engine, world.post, world.messengers)
            await home.act()
            await asyncio.gather(home.tick(world.worker), home.tick(other))
            await other.close()
            world.now += timedelta(minutes=dice.choice((5, 10, 30, 60)))
        # Nothing of it waits longer than the dying does.
        for _ in range(3):
            await world.later(minutes=90)

        await assert_whole(database, home, night)


async def assert_whole(database, home, night):
    """Look at every line."""
    ledger = await database.sql("SELECT * FROM occurrence WHERE at < $1", night)
    expected = {occ for _, occ in home.planned}
    sure = {occ for resident, occ in home.planned if resident.space not in home.paused}
    assert sure <= {row["occ"] for row in ledger} <= expected
    assert {row["state"] for row in ledger} <= END_STATES
    assert {row["state"] for row in ledger} >= {"closed", "missed"}
    assert all(row["next_at"] is None for row in ledger)
    # What was missed is known to a person, and in the space's records.
    unheard = await database.sql(
        "SELECT o.occ FROM occurrence o WHERE o.state = 'missed' AND NOT EXISTS ("
        "SELECT FROM alert a JOIN rec r ON r.rec_id = a.alert_id WHERE a.occ = o.occ "
        "AND a.kind = 'missed' AND r.doc -> 'what' ->> 'kind' = 'missed')"
    )
    assert unheard == []
    # Nobody is called about what was answered.
    called = await database.sql(
        "SELECT a.occ FROM alert a JOIN occurrence o USING (org_id, space_id, occ) "
        "WHERE o.state = 'closed' AND a.closed_at IS NULL AND a.kind IN ('late', 'missed')"
    )
    assert called == []
    overdue = await database.sql("SELECT 1 FROM delivery WHERE next_at < $1", home.world.now)
    assert overdue == []

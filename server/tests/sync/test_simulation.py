"""Seeds of the simulation: devices, people and a broken network against the real server."""

import time

import pytest

from mos.ops.sim.plan import make_plan
from mos.ops.sim.runner import run_plan, run_seeds
from mos.ops.sim.server import open_connection

SEEDS = 200
SECONDS = 60


@pytest.fixture
async def connection(database):
    connection = await open_connection(database.owner_dsn)
    yield connection
    await connection.close()


async def test_nothing_is_lost_whatever_fails(connection):
    """P1, P3, P4, P5, P6, P12, P13, P14, P15, P16, P22, P23, P25: each seed, at every step."""
    begun = time.monotonic()
    async for outcome in run_seeds(connection, range(SEEDS)):
        assert outcome.violation is None, f"mos sim --from {outcome.seed} --seeds 1"
        if time.monotonic() - begun > SECONDS:
            break


async def test_a_seed_always_gives_the_same(connection):
    for seed in range(1000, 1010):
        first, again = [await run_plan(connection, make_plan(seed)) for _ in range(2)]
        assert first.digest == again.digest != ""

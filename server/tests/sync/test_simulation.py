"""Seeds of the simulation: devices, people and a broken network against the real server."""

import json
import time
from pathlib import Path

import pytest

from mos.ops.sim.plan import make_plan
from mos.ops.sim.runner import run_plan, run_seeds
from mos.ops.sim.server import open_connection

# What once failed, made small (CONTRIBUTING.md).
PLANS = sorted((Path(__file__).parents[3] / "spec" / "vectors" / "plans").glob("*.json"))
# As many as take a minute, up to these; where the machine is slow, never fewer than the least.
SEEDS = 200
LEAST_SEEDS = 40
SECONDS = 60


@pytest.fixture
async def connection(database):
    connection = await open_connection(database.owner_dsn)
    yield connection
    await connection.close()


async def test_nothing_is_lost_whatever_fails(connection):
    """P1, P3 to P6, P8 to P20, P22 to P26: each seed, at every step."""
    begun = time.monotonic()
    count = 0
    async for outcome in run_seeds(connection, range(SEEDS)):
        count += 1
        assert outcome.violation is None, f"mos sim --from {outcome.seed} --seeds 1"
        if count >= LEAST_SEEDS and time.monotonic() - begun > SECONDS:
            break


async def test_a_seed_always_gives_the_same(connection):
    for seed in range(1000, 1010):
        first, again = [await run_plan(connection, make_plan(seed)) for _ in range(2)]
        assert first.digest == again.digest != ""


@pytest.mark.parametrize("file", PLANS, ids=lambda file: file.stem)
async def test_what_once_failed_holds(connection, file):
    outcome = await run_plan(connection, json.loads(file.read_text())["plan"])
    assert outcome.violation is None

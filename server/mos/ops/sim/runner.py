"""Runs seeds, one after another on one connection, and makes the trace of a failure small."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from asyncpg.connection import Connection

from mos.ops.sim.checks import Violation
from mos.ops.sim.domain import COLLECTIONS
from mos.ops.sim.plan import Plan, make_plan
from mos.ops.sim.server import Server
from mos.ops.sim.world import World

# What rolled-back seeds leave in the tables is swept out this often.
_SWEEP = 400
# How many runs making a trace small may take.
_TRIES = 600


@dataclass(frozen=True)
class Outcome:
    """What came of a seed: `violation` is None when everything held."""

    seed: int
    digest: str
    violation: Violation | None


async def run_plan(connection: "Connection[Any]", plan: Plan) -> Outcome:
    """Run one plan and return what came of it. Raises whatever is no Violation."""
    world = World(Server(connection, COLLECTIONS), plan)
    try:
        return Outcome(plan["seed"], await world.run(), None)
    except Violation as violation:
        return Outcome(plan["seed"], "", violation)


async def run_seeds(connection: "Connection[Any]", seeds: Iterable[int]) -> AsyncIterator[Outcome]:
    """Run seeds and yield what came of each."""
    for number, seed in enumerate(seeds, 1):
        yield await run_plan(connection, make_plan(seed))
        if number % _SWEEP == 0:
            await connection.execute("VACUUM space, rec, op, device_space, quarantine, alert")


async def smallest(connection: "Connection[Any]", plan: Plan, check: str) -> Plan:
    """Return the plan without the steps and faults that `check` fails without."""
    tries = 0

    async def still_fails(steps: list[Any]) -> bool:
        nonlocal tries
        tries += 1
        if tries > _TRIES:
            return False
        found = (await run_plan(connection, plan | {"steps": steps})).violation
        return found is not None and found.check == check

    steps = list(plan["steps"])
    size = max(1, len(steps) // 2)
    while size:
        at = 0
        while at < len(steps):
            without = steps[:at] + steps[at + size :]
            if await still_fails(without):
                steps = without
            else:
                at += size
        size //= 2
    for at, step in enumerate(steps):
        for simpler in _simpler(step):
            changed = [*steps[:at], simpler, *steps[at + 1 :]]
            if await still_fails(changed):
                steps = changed
                break
    return plan | {"steps": steps}


def _simpler(step: dict[str, Any]) -> list[dict[str, Any]]:
    match step["do"]:
        case "sync":
            return [{key: step[key] for key in ("at", "do", "d")} | {"net": []}] + [
                {key: value for key, value in step.items() if key != dropped}
                for dropped in ("crash", "limit", "tab")
                if dropped in step
            ]
        case "write" if len(step["ops"]) > 1:
            return [step | {"ops": [op]} for op in step["ops"]]
        case _:
            return []

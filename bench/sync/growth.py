"""B8: the same work on spaces with a past of one, ten and a hundred times the size."""

import asyncio

from bench.report import Goal, Result, number, percentiles, result, share
from bench.sync import work
from bench.sync.bench import Bench
from bench.sync.fill import fill
from bench.sync.pull import nothing_new

_DEVICES = 10
_BATCH = 20


def flat(bench: Bench) -> list[Result]:
    """B8: pushing and asking what is new must not become slower as a space grows old."""
    unit = 20 if bench.quick else 200
    pushed: dict[int, list[float]] = {}
    asked: dict[int, list[float]] = {}
    devices = {times: asyncio.run(bench.home.unit(_DEVICES)) for times in (1, 10, 100)}
    for times, people in devices.items():
        asyncio.run(fill(bench.home, people[0].spaces, unit * times))
        pushed[times], asked[times] = [], []
    # Short, so that the young spaces stay young.
    seconds = min(bench.seconds, 1)
    # In turn: load from outside hits all three alike.
    for _ in range(1 if bench.quick else 5):
        for times, people in devices.items():
            senders = asyncio.run(work.mos_senders(bench.home, people, _BATCH, seconds))
            load = asyncio.run(work.drive(senders, seconds))
            pushed[times].append(load.rate)
            asked[times] += asyncio.run(nothing_new(bench.home, people[0], 20))
    results = []
    for times in (10, 100):
        results.append(
            result(
                f"B8 push, spaces of {number(unit * times)} records",
                pushed[times], "ops/s",
                versus=(f"spaces of {unit}", pushed[1]),
                goal=Goal(least=0.8, is_ratio=True),
            )
        )  # fmt: skip
        results.append(
            result(
                f"B8 nothing new, {_DEVICES} spaces of {number(unit * times)} records",
                [share(asked[times], 0.5) * 1000], "ms",
                versus=(f"spaces of {unit}", [share(asked[1], 0.5) * 1000]),
                goal=Goal(most=1.25, is_ratio=True),
                note=percentiles(asked[times]),
            )
        )  # fmt: skip
    return results

"""Random batches of ops without devices or time: for comparing one implementation with another.

Few records, groups and clocks, so that they meet; clocks may be equal, which no device makes.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from asyncpg.connection import Connection

from mos.ops.sim.checks import Violation
from mos.ops.sim.domain import COLLECTIONS, KINDS
from mos.ops.sim.plan import ALL_WORDS, START_MS, made_id, record_id
from mos.ops.sim.reference import Json, Reference, Who
from mos.ops.sim.server import Server

_TICKS = [-200_000, -1, 0, 0, 1, 59_999, 60_000, 60_001, 3_600_000]


@dataclass(frozen=True)
class Batch:
    """What one device sends at once."""

    who: Who
    ops: list[Json]
    at_ms: int


@dataclass(frozen=True)
class Trace:
    """Batches into one space, in the order in which they arrive."""

    seed: int
    space: str
    batches: list[Batch]


def make_trace(seed: int) -> Trace:
    """Return the trace of a seed, always the same."""
    dice = Random(seed)  # noqa: S311  a repeatable game
    space = made_id(START_MS, 1000, 0)
    devices = [made_id(START_MS, number, 0) for number in range(1, 4)]
    written = dict.fromkeys(devices, 0)
    sent: list[Batch] = []
    for _ in range(dice.randint(1, 8)):
        device = dice.choice(devices)
        words = frozenset(ALL_WORDS if dice.random() < 0.9 else ["outcome.record"])
        ops = []
        for _ in range(dice.randint(1, 6)):
            written[device] += 1
            ops.append(_op(dice, space, devices.index(device), written[device]))
        if dice.random() < 0.3:
            ops.append(dice.choice(ops))
        if sent and dice.random() < 0.3:
            # What came before comes again, by itself or among others.
            again = dice.choice(sent)
            device, ops = again.who.device, dice.choice([again.ops, again.ops + ops])
            ops = [op for op in ops if op["hlc"].endswith(device.replace("-", "")[16:])]
        dice.shuffle(ops)
        who = Who(account=device, device=device, reach={space: words})
        sent.append(Batch(who, ops, START_MS + dice.choice([0, 0, 5, 100_000])))
    return Trace(seed, space, sent)


def _op(dice: Random, space: str, device: int, n: int) -> Json:
    tick = START_MS + dice.choice(_TICKS)
    actor = made_id(START_MS, device + 1, 0).replace("-", "")[16:]
    op: Json = {
        "op": made_id(START_MS, device + 1, n),
        "n": n,
        "space": space,
        "hlc": f"{tick:012x}{dice.choice([0, 0, 1, 0xFFFF]):04x}{actor}",
    }
    rec = dice.randrange(3)
    match dice.choice(["set", "set", "set", "event", "profile", "alert"]):
        case "set":
            groups = {"title": dice.choice("ab"), "note": [None, {"x": "ö"}], "deleted": n % 2 == 0}
            names = dice.sample(sorted(groups), dice.choice([1, 2]))
            return op | {"k": "set", "coll": "reminder", "rec": record_id(rec),
                         "f": {name: groups[name] for name in names}}  # fmt: skip
        case "event":
            return op | {"k": "event", "coll": "completion", "v": {"occ": str(rec), "st": "done"}}
        case other:
            group = {"profile": "name", "alert": "taken"}[other]
            return op | {"k": "set", "coll": other, "rec": record_id(rec), "f": {group: n % 3}}


def in_python(trace: Trace) -> tuple[list[Json], Reference]:
    """Return the reference's answers, and the reference."""
    reference = Reference([trace.space], KINDS)
    return [reference.push(one.who, one.ops, one.at_ms) for one in trace.batches], reference


async def in_sql(connection: "Connection[Any]", trace: Trace) -> tuple[list[Json], Json]:
    """Return the real server's answers, and all that it keeps."""
    server = Server(connection, COLLECTIONS)
    await server.begin([trace.space])
    try:
        answers = []
        for one in trace.batches:
            body = {
                "proto": 1,
                "schema": 1,
                "device_id": one.who.device,
                "client_now": one.at_ms,
                "ops": one.ops,
            }
            answers.append(await server.ask("push", body, one.who, one.at_ms))
        return answers, await server.state()
    finally:
        await server.end()


async def compare(connection: "Connection[Any]", trace: Trace) -> None:
    """Raise Violation where the real server and the reference differ."""
    want, reference = in_python(trace)
    got, state = await in_sql(connection, trace)
    for expected, answer in zip(want, got, strict=True):
        for key, value in expected.items():
            if answer[key] != value:
                raise Violation("P2", f"trace {trace.seed}: {key} {answer[key]}, not {value}")
    space = reference.spaces[trace.space]
    kept = {rec: tuple(row) for _space, rec, *row in state["recs"]}
    expected_recs = {rec: (one.coll, one.seq, one.doc, one.clk) for rec, one in space.recs.items()}
    if kept != expected_recs:
        raise Violation("P1", f"trace {trace.seed}: {kept}, not {expected_recs}")

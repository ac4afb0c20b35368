"""Random batches of ops without devices or time: for comparing one implementation with another.

Few records, groups and clocks, so that they meet; clocks may be equal, which no device makes.
"""

from dataclasses import dataclass
from itertools import zip_longest
from random import Random
from typing import Any

from asyncpg.connection import Connection

from mos.ops.sim.checks import Violation
from mos.ops.sim.domain import COLLECTIONS, KINDS
from mos.ops.sim.plan import ALL_WORDS, START_MS, made_id, record_id
from mos.ops.sim.reference import Json, Reference, Who, conflict_of
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
    return _Maker(seed).trace()


# What may be proposed, and how many records there are of it.
_PROPOSED = {"order": 2, "allergy_lowering": 1, "texture": 1}
_FIRST_REC = {"order": 10, "allergy_lowering": 20, "texture": 30}


class _Maker:
    """Makes a trace beside the reference: a proposal mostly starts from what there is."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._dice = Random(seed)  # noqa: S311  a repeatable game
        self._space = made_id(START_MS, 1000, 0)
        self._devices = [made_id(START_MS, number, 0) for number in range(1, 4)]
        self._written = dict.fromkeys(self._devices, 0)
        self._reference = Reference([self._space], KINDS)
        # Versions that somebody may believe in, by record.
        self._versions: dict[str, list[str]] = {}

    def trace(self) -> Trace:
        dice = self._dice
        how_many = dice.randint(1, 8)
        # Ordinary ops alone, both, or hardly anything but safety.
        safety = dice.choice([0.0, 0.0, 0.4, 0.8])
        sent: list[Batch] = []
        for _ in range(how_many * (1 + (safety > 0))):
            batch = self._batch(sent, safety)
            sent.append(batch)
            self._reference.push(batch.who, batch.ops, batch.at_ms)
        return Trace(self._seed, self._space, sent)

    def _batch(self, sent: list[Batch], safety: float) -> Batch:
        dice = self._dice
        device = dice.choice(self._devices)
        ops = [self._op(device, safety) for _ in range(dice.randint(1, 6))]
        if dice.random() < 0.3:
            ops = self._as_groups(ops)
        if dice.random() < 0.3:
            ops.append(dice.choice(ops))
        if sent and dice.random() < 0.3:
            # What came before comes again, by itself or among others.
            again = dice.choice(sent)
            device, ops = again.who.device, dice.choice([again.ops, again.ops + ops])
            ops = [op for op in ops if op["hlc"].endswith(_actor(device))]
        dice.shuffle(ops)
        words = dice.choice([ALL_WORDS] * 7 + [_PROPOSES, _PROPOSES, ["outcome.record"]])
        # Two of the devices are one person's; and each is lent to somebody else now and then.
        account = self._devices[min(1, self._devices.index(device))]
        if dice.random() < 0.2:
            account = self._devices[2]
        who = Who(account=account, device=device, reach={self._space: frozenset(words)})
        return Batch(who, ops, START_MS + dice.choice([0, 0, 5, 100_000]))

    def _as_groups(self, ops: list[Json]) -> list[Json]:
        """Let some of them stand or fall together, in one or two groups; a choice in none."""
        sizes = self._dice.choice([[2], [3], [2, 2], [1, 3]])
        groups = [ops[at]["op"] for at, size in enumerate(sizes[: len(ops)]) for _ in range(size)]
        return [
            op if group is None or op["k"] == "resolve" else op | {"g": group}
            for op, group in zip_longest(ops, groups[: len(ops)])
        ]

    def _op(self, device: str, safety: float) -> Json:
        dice = self._dice
        self._written[device] += 1
        n, number = self._written[device], self._devices.index(device) + 1
        tick = START_MS + dice.choice(_TICKS)
        op: Json = {
            "op": made_id(START_MS, number, n),
            "n": n,
            "space": self._space,
            "hlc": f"{tick:012x}{dice.choice([0, 0, 1, 0xFFFF]):04x}{_actor(device)}",
        }
        if dice.random() < safety:
            return op | self._about_safety(op["op"])
        return op | self._ordinary(n)

    def _ordinary(self, n: int) -> Json:
        dice = self._dice
        rec = record_id(dice.randrange(3))
        match dice.choice(["set", "set", "set", "event", "profile", "alert", "bad"]):
            case "set":
                groups: Json = {"title": dice.choice("ab"), "note": [None, {"x": "ö"}]}
                groups["deleted"] = n % 2 == 0
                names = dice.sample(sorted(groups), dice.choice([1, 2]))
                kept = {name: groups[name] for name in names}
                return {"k": "set", "coll": "reminder", "rec": rec, "f": kept}
            case "event":
                return {
                    "k": "event",
                    "coll": "completion",
                    "v": {"occ": f"{rec}@x", "at": "2026-11-29T08:00:00Z", "st": "done"},
                }
            case "bad":
                return {"k": "set", "coll": "reminder", "rec": rec, "f": {"title": 7}}
            case other:
                group = {"profile": "name", "alert": "taken"}[other]
                return {"k": "set", "coll": other, "rec": rec, "f": {group: n % 3}}

    def _about_safety(self, op: str) -> Json:
        dice = self._dice
        coll = dice.choice(["order", "order", *_PROPOSED])
        rec = record_id(_FIRST_REC[coll] + dice.randrange(_PROPOSED[coll]))
        space = self._reference.spaces[self._space]
        record, conflict = space.recs.get(rec), space.recs.get(conflict_of(self._space, rec))
        active = record.doc["active"]["ver"] if record else None
        is_open = conflict is not None and conflict.doc["state"] == "open"
        candidates = sorted(conflict.doc["candidates"]) if conflict and is_open else []
        known = self._versions.setdefault(rec, [])
        if dice.random() < (0.5 if candidates else 0.1):
            return {"k": "resolve", "coll": coll, "rec": rec, "why": "asked the doctor"} | (
                self._choice(active, candidates, known)
            )
        base = active if dice.random() < 0.7 else dice.choice([None, *known, *candidates])
        known.append(op)
        return {"k": "safety", "coll": coll, "rec": rec, "base": base, "trunk": active,
                "v": self._value(coll)}  # fmt: skip

    def _choice(self, active: str | None, candidates: list[str], known: list[str]) -> Json:
        dice = self._dice
        seen = candidates if dice.random() < 0.8 else candidates[1:] + known[:1]
        return {
            "base": active if dice.random() < 0.9 else dice.choice([None, *known]),
            "seen": seen,
            "choose": dice.choice([active, *seen, *known[:1]]),
        }

    def _value(self, coll: str) -> Json:
        dice = self._dice
        match coll:
            case "order":
                double = {"double": True} if dice.random() < 0.3 else {}
                return {"dose": dice.choice(["5", "10"])} | double
            case "texture":
                return {"food": None, "drink": dice.randrange(2), "source": "", "why": "ö"}
            case _:
                to = dice.choice([None, "preference"])
                return {"key": "MILK", "covers": [self._space], "to": to, "why": "So."}


# Somebody who may propose and not confirm, where these are two words.
_PROPOSES = ["medication.edit", "meals.edit", "outcome.record"]


def _actor(device: str) -> str:
    return device.replace("-", "")[16:]


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
    for batch, expected, answer in zip(trace.batches, want, got, strict=True):
        for key, value in expected.items():
            differ = _differing if key == "results" else _unlike
            if differ(batch.ops, answer.get(key), value):
                raise Violation("P2", f"trace {trace.seed}: {key} {answer.get(key)}, not {value}")
    space = reference.spaces[trace.space]
    kept = {rec: tuple(row) for _space, rec, *row in state["recs"]}
    expected_recs = {rec: (one.coll, one.seq, one.doc, one.clk) for rec, one in space.recs.items()}
    if kept != expected_recs:
        raise Violation("P1", f"trace {trace.seed}: {kept}, not {expected_recs}")
    refused = {op for _space, op, _reason in state["quarantine"]}
    if refused != space.quarantine.keys():
        raise Violation("P7", f"trace {trace.seed}: quarantine holds {refused}")


def _unlike(_ops: list[Json], got: Any, want: Any) -> bool:
    return bool(got != want)


def _differing(ops: list[Json], got: Any, want: Any) -> bool:
    """Compare verdicts; of several faults in a group either may be named."""
    return any(
        one != other and not ("g" in op and one["s"] == other["s"] == "invalid")
        for op, one, other in zip(ops, got, want, strict=True)
    )

"""One random trace, three implementations: the reference, the SQL and the app's own code agree."""

import json
import os
import secrets
import subprocess
import sysconfig
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest

from mos.meals.model import SEVERITIES
from mos.meals.rules import what_counts
from mos.ops.sim.device import Device, Disk, Row, Waiting, fingerprint, seq_of
from mos.ops.sim.domain import KINDS
from mos.ops.sim.reference import Reference
from mos.ops.sim.server import open_connection
from mos.ops.sim.traces import compare, in_python, make_trace
from mos.sync import hlc

HERE = Path(__file__).parent
NODE = Path(sysconfig.get_path("scripts")) / "node"
# Each run has traces of its own. After a change: MOS_TRACES=5000.
ASKED = ("folds", "prints", "clocks", "lives", "counts")
TRACES = int(os.environ.get("MOS_TRACES", "150"))
# With a database each, which the app's side makes in memory.
LIVES = TRACES // 3


@pytest.fixture
def traces():
    first = secrets.randbits(30)
    return [make_trace(seed) for seed in range(first, first + TRACES)]


def in_the_app(asked):
    ran = subprocess.run(
        # (TypeScript is run as it stands. Keys go in order, as PostgreSQL hands them out.)
        [NODE, "--experimental-transform-types", "--no-warnings", HERE / "in_the_app.mjs"],
        input=json.dumps({one: [] for one in ASKED} | asked, sort_keys=True),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def rows_of(space):
    return {rec: Row(one.coll, one.seq, one.doc, one.clk) for rec, one in space.recs.items()}


def written_on(device, trace):
    """What a device wrote in a trace, once each and in its order, as its outbox holds it."""
    ops = {op["n"]: op for one in trace.batches if one.who.device == device for op in one.ops}
    return dict(sorted(ops.items()))


def rec_of(op):
    return op["op"] if op["k"] == "event" else op["rec"]


async def test_the_sql_merges_as_the_reference_does(database, traces):
    """P1, P2, P6, P7, P13: verdicts, places, clocks, records."""
    connection = await open_connection(database.owner_dsn)
    try:
        for trace in traces:
            await compare(connection, trace)
    finally:
        await connection.close()


def test_the_app_merges_counts_and_overlays_as_the_reference_does(traces):
    """P2, P15, P22: whole logs, own changes over the server's records, fingerprints."""
    folds, docs, prints, checks = [], [], [], []
    for trace in traces:
        _, reference = in_python(trace)
        space = reference.spaces[trace.space]
        # Everything accepted, one after the other onto nothing, gives the record.
        for rec, record in space.recs.items():
            accepted = [one for one in space.log if one.rec == rec]
            if any(one.kind not in ("set", "event") for one in accepted):
                continue  # Decided, not merged.
            folds.append(
                {
                    "base": None,
                    "ops": [
                        {"k": "set", "f": one.val, "hlc": one.hlc, "coll": one.coll, "rec": rec}
                        for one in accepted
                    ],
                    "by": "",
                }
            )
            docs.append(record.doc)
        rows = rows_of(space)
        prints.append([{"seq": row.seq, "doc": row.doc} for row in rows.values()])
        checks.append(reference.check(trace.space))
        assert fingerprint(rows.values()) == checks[-1]
        # A device's own changes over what the server has.
        for device in {one.who.device for one in trace.batches}:
            disk = Disk(device, "", base={trace.space: rows})
            own = written_on(device, trace)
            disk.outbox[trace.space] = {n: Waiting(op, 0) for n, op in own.items()}
            screen = Device("", device, disk, lambda *_: None)
            for rec in {rec_of(op) for op in own.values()}:
                row = rows.get(rec)
                base = row and {"coll": row.coll, "rec": rec, "seq": row.seq} | {
                    "doc": row.doc, "clk": row.clk,
                }  # fmt: skip
                ops = [op for op in own.values() if rec_of(op) == rec]
                folds.append({"base": base, "ops": ops, "by": device})
                docs.append(screen.view(trace.space, rec)[0] or None)

    answer = in_the_app({"folds": folds, "prints": prints})
    differing = [
        (asked, got, want)
        for asked, got, want in zip(folds, answer["folds"], docs, strict=True)
        if got != want
    ]
    assert differing[:2] == []
    assert answer["prints"] == checks


def a_life(trace, device):
    """What a device that wrote its part of a trace is told: its answers, and pages between."""
    own = written_on(device, trace)
    reference, cursor, steps = Reference([trace.space], KINDS), "", []
    space = reference.spaces[trace.space]
    for number, batch in enumerate(trace.batches):
        answer = reference.push(batch.who, batch.ops, batch.at_ms)
        if batch.who.device == device:
            # (No device sends an op twice in one push.)
            once = {result["op"]: result for result in reversed(answer["results"])}
            steps.append({"answer": answer | {"results": list(once.values())}})
        elif number % 2:
            place, to = seq_of(cursor), f"1.{space.head}.{space.head:08x}"
            rows = deepcopy(reference.rows_after(trace.space, place))
            steps.append({"rows": rows, "asked": cursor, "cursor": to})
            cursor = to
    every = [op for batch in trace.batches for op in batch.ops]
    recs = sorted({rec_of(op) for op in own.values()} | space.recs.keys())
    proposed = sorted({op["rec"] for op in every if op["k"] in ("safety", "resolve")})
    return {
        "device": device, "space": trace.space, "recs": recs, "proposed": proposed,
        "ops": list(own.values()), "steps": steps,
    }  # fmt: skip


def lived(life):
    """What the simulation's device holds after each of them."""
    space, seen = life["space"], []
    disk = Disk(life["device"], life["device"].replace("-", "")[16:])
    disk.outbox[space] = {op["n"]: Waiting(op, 0) for op in life["ops"]}
    screen = Device("", "me", disk, lambda *_: None)
    screen.admit([{"id": space, "permissions": []}])
    for step in life["steps"]:
        if "answer" in step:
            screen.settle(step["answer"], 1)
        else:
            screen.take(space, step["asked"], step["rows"], step["cursor"], 1)
        seen.append(
            {
                "ring": sorted(disk.ring.get(space, {})),
                "refused": sorted(disk.refused),
                "lost": [n for n, _ in disk.lost.get(space, [])],
                "clock": disk.clock,
                "outbox": [[n, one.seq] for n, one in sorted(disk.outbox[space].items())],
                "starts": [screen.basis(space, rec) for rec in life["proposed"]],
                "shows": [screen.view(space, rec)[0] or None for rec in life["recs"]],
            }
        )
    return seen


def test_a_device_takes_in_answers_and_proposals_as_the_simulations_does(traces):
    """P10, P12, P15, P26: outbox, ring, refusals, clock, what shows, where a proposal starts."""
    lives = [
        a_life(trace, device)
        for trace in traces[:LIVES]
        for device in sorted({one.who.device for one in trace.batches})
    ]
    answer = in_the_app({"lives": lives})["lives"]
    differing = [
        (life, step, got, want)
        for life, ours, theirs in zip(lives, map(lived, lives), answer, strict=True)
        for step, got, want in zip(life["steps"], theirs, ours, strict=True)
        if got != want
    ]
    assert differing[:1] == []


def test_the_same_allergies_count_on_the_server_and_in_the_app():
    """Lowered, added again, lowered once more, by key and by a person's own word."""
    dice = Random(secrets.randbits(30))  # noqa: S311  no secret
    asked = []
    for _ in range(TRACES * 10):
        names = [{"key": "MILK"}, {"key": "EGGS"}, {"word": " Ört\u00a0"}, {"word": "ört"}]
        ids = [f"a{number}" for number in range(dice.randrange(6))]
        words = [*SEVERITIES, "later"]
        asked.append(
            {
                "allergies": {
                    rec: dice.choice(names) | {"severity": dice.choice(words)} for rec in ids
                },
                "lowerings": [
                    dice.choice(names)
                    | {
                        "covers": dice.sample(ids, dice.randint(0, len(ids))),
                        "to": dice.choice([None, *words]),
                    }
                    for _ in range(dice.randrange(3))
                ],
            }
        )
    want = [what_counts(one["allergies"], one["lowerings"]) for one in asked]
    assert in_the_app({"counts": asked})["counts"] == want


def test_the_app_stamps_as_the_server_does():
    """P12: after whatever clock, a new stamp is the same in both."""
    dice = Random(secrets.randbits(30))  # noqa: S311  no secret
    asked = []
    for _ in range(TRACES * 10):
        a, b = (f"{dice.choice([5, 6, 2**40]):012x}{dice.choice([0, 7, 0xFFFF]):04x}" for _ in "ab")
        asked.append(
            {
                "last": dice.choice(["", a + "a" * 16]),
                "remote": dice.choice([None, b + "b" * 16]),
                "now": dice.choice([4, 5, 6, 7, 2**40 + 1]),
                "actor": "a" * 16,
            }
        )
    want = [
        hlc.send(one["last"], one["now"], one["actor"])
        if one["remote"] is None
        else hlc.receive(one["last"], one["remote"], one["now"], one["actor"])
        for one in asked
    ]
    assert in_the_app({"clocks": asked})["clocks"] == want

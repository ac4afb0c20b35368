"""One random trace, three implementations: the reference, the SQL and the app's own code agree."""

import json
import os
import secrets
import subprocess
import sysconfig
from pathlib import Path
from random import Random

import pytest

from mos.ops.sim.device import Device, Disk, Row, Waiting, fingerprint
from mos.ops.sim.server import open_connection
from mos.ops.sim.traces import compare, in_python, make_trace
from mos.sync import hlc

HERE = Path(__file__).parent
NODE = Path(sysconfig.get_path("scripts")) / "node"
# Each run has traces of its own. After a change: MOS_TRACES=5000.
TRACES = int(os.environ.get("MOS_TRACES", "150"))


@pytest.fixture
def traces():
    first = secrets.randbits(30)
    return [make_trace(seed) for seed in range(first, first + TRACES)]


def in_the_app(asked):
    ran = subprocess.run(
        [NODE, HERE / "in_the_app.mjs"],
        input=json.dumps(asked),
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
                docs.append(screen.view(trace.space, rec)[0])

    answer = in_the_app({"folds": folds, "prints": prints, "clocks": []})
    differing = [
        (asked, got, want)
        for asked, got, want in zip(folds, answer["folds"], docs, strict=True)
        if got != want
    ]
    assert differing[:2] == []
    assert answer["prints"] == checks


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
    assert in_the_app({"folds": [], "prints": [], "clocks": asked})["clocks"] == want

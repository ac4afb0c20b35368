"""A black box: devices on bad lines over real HTTP, and what must hold of what they were told."""

import asyncio
from collections import Counter
from random import Random
from uuid import UUID

import pytest
from devices import replayed
from history import (
    History,
    causal,
    monotone,
    read_your_writes,
    registers,
    set_full,
    swapped,
    undecided_stay,
)
from real_home import RealHome, record

from mos.kernel.ids import named_id
from mos.ops.sim.device import Offline

ROUNDS = 12
FAULTS = ("no_request", "no_answer", "cut", "twice", "late")


def watched(device, space, history):
    """Note what the device asks, is told and then holds."""

    def asked(kind, body, answer):
        ops = [op["op"] for op in body.get("ops", [])]
        if kind == "push":
            told = "info" if answer is None else "ok"
            history.add(device.device.name, told, "push", ops)
            if answer is not None:
                verdicts = {one["op"]: one.get("was", one["s"]) for one in answer["results"]}
                history.add(device.device.name, "ok", "verdicts", verdicts)

    def stored(what, changed):
        if what == "take" and changed == space:
            disk = device.device.disk
            if space in disk.partial:
                return  # In the middle of a pull.
            clocks = {rec: row.clk for rec, row in disk.base[space].items()}
            seq = int(disk.cursors[space].split(".")[1])
            docs = {rec: row.doc for rec, row in disk.base[space].items()}
            read = {"seq": seq, "clk": clocks}
            read["active"] = {rec: doc["active"] for rec, doc in docs.items() if "active" in doc}
            read["candidates"] = {
                doc["of"]["rec"]: [
                    op for name, one in doc["candidates"].items() for op in (name, *one["was"])
                ]
                for doc in docs.values()
                if "candidates" in doc
            }
            history.add(device.device.name, "ok", "read", read)

    device.asked, device.stored = asked, stored


def write(device, space, dice, history):
    drafts = [
        {"k": "set", "coll": "reminder", "rec": record(dice.randrange(2)),
         "f": {dice.choice(["title", "note"]): str(dice.random())}},
        {"k": "event", "coll": "help", "v": {"at": "2026-11-27T07:00:00Z", "why": "help"}},
    ]  # fmt: skip
    stamps, events = {}, []
    for op in device.write(space, *dice.sample(drafts, dice.choice([1, 2]))):
        rec = op["op"] if op["k"] == "event" else op["rec"]
        groups = ["v", "by"] if op["k"] == "event" else sorted(op["f"])
        stamps[op["op"]] = (rec, groups, op["hlc"])
        events += [op["op"]] if op["k"] == "event" else []
    history.add(device.device.name, "invoke", "write", {"stamps": stamps, "events": events})


def propose(device, space, dice, history, *, coll=None, decides=0.5):
    """Propose how thick drinks must be, or how bad an allergy is; or decide what is open."""
    coll = coll or dice.choice(sorted(NAMES))
    rec = str(named_id(UUID(space), NAMES[coll]))
    conflict, active = device.device.conflict(space, rec), device.device.active(space, rec)
    if conflict.get("state") == "open" and dice.random() < decides:
        seen = sorted(conflict["candidates"])
        base = active.get("ver")
        drafts = [
            {"k": "resolve", "coll": coll, "rec": rec, "base": base, "seen": seen,
             "choose": dice.choice([base, *seen]), "why": "asked the doctor"}
        ]  # fmt: skip
    else:
        drafts = [{"k": "safety", "coll": coll, "rec": rec, "v": VALUES[coll](dice)}]
    ops = device.write(space, *drafts)
    value = {op["op"]: {key: op[key] for key in ("rec", "base", "v", "seen", "choose") if key in op}
             for op in ops}  # fmt: skip
    history.add(device.device.name, "invoke", "propose", value)


async def decide_too_soon(devices, space, dice, history):
    """Two disagree, a third decides, and a word more comes before that decision does."""
    first, second, third = devices
    for device in (first, second):
        propose(device, space, dice, history, coll="texture", decides=0)
    for device in devices:
        await device.meet_until_done()
    propose(third, space, dice, history, coll="texture", decides=1)
    propose(first, space, dice, history, coll="texture", decides=0)
    for device in (first, third):
        await device.meet_until_done()


# What a record of each is called in its space.
NAMES = {"texture": "texture", "allergy_lowering": "allergy/MILK"}
VALUES = {
    "texture": lambda dice: {
        "food": None, "drink": dice.randrange(5), "source": "", "why": str(dice.random()),
    },
    "allergy_lowering": lambda dice: {
        "key": "MILK", "covers": [record(7)], "to": dice.choice([None, "preference"]),
        "why": str(dice.random()),
    },
}  # fmt: skip


async def test_bad_lines_change_nothing_of_what_devices_may_rely_on(tmp_path):
    """P1, P3, P5, P8, P9, P15: all events arrive, registers agree, reads go forward, own writes
    show, a version is replaced once, and a proposal stays until somebody decides."""
    dice = Random(5)  # noqa: S311  a repeatable game
    async with RealHome() as real:
        space = str(real.home.space)
        devices = [await real.device(f"d{n}", dice=dice) for n in range(3)]
        with (tmp_path / "history.jsonl").open("w") as file:
            history = History(file)
            for device in devices:
                await device.meet_until_done()
                watched(device, space, history)
                device.line.faults = FAULTS

            async def live(device):
                for number in range(ROUNDS):
                    device.line.down = number % 4 == 3 and dice.random() < 0.5
                    write(device, space, dice, history)
                    if number % 2:
                        propose(device, space, dice, history)
                    try:
                        await device.meet()
                    except Offline:
                        await asyncio.sleep(0)
                    if dice.random() < 0.1:
                        device.restart()

            await asyncio.gather(*(live(device) for device in devices))
            for device in devices:
                device.line.faults, device.line.down = (), False
            # The last of what was late has arrived by then.
            await asyncio.sleep(1)
            for device in [*devices, *devices]:
                await device.meet_until_done()
            await decide_too_soon(devices, space, dice, history)
            for device in [*devices, *devices]:
                await device.meet_until_done()
        log = await real.sql(
            "SELECT * FROM op WHERE space_id = $1 ORDER BY seq",
            real.home.space,
        )
    final = {device.device.name: device.rows[space] for device in devices}

    want = replayed(space, log)
    log = [row for row in log if row["device_id"] is not None]
    assert len(log) > ROUNDS * 3
    assert set_full(history, final) == []
    assert registers(want, final) == []
    assert monotone(history) == []
    assert read_your_writes(history) == []
    assert causal(history, log) == []
    verdicts = [v for one in history.of("ok", "verdicts") for v in one["value"].values()]
    assert {"applied", "conflict", "stale_resolve"} - set(verdicts) == set(), Counter(verdicts)
    assert swapped(history) == []
    assert undecided_stay(history) == []


OWN = {"stamps": {"a": ("a", ["v"], "2")}, "events": ["a"]}
PROPOSED = {"rec": "r", "base": None, "v": 1}
ACTIVE = {"ver": "p", "v": 1}


@pytest.mark.parametrize(
    ("entries", "check"),
    [
        ([("invoke", "write", OWN), ("ok", "push", ["a"])], lambda h: set_full(h, {"d": {}})),
        ([], lambda h: set_full(h, {"d": {"b": ("help", 1, {}, {})}})),
        (
            [("ok", "read", {"seq": 2, "clk": {}}), ("ok", "read", {"seq": 1, "clk": {}})],
            monotone,
        ),
        (
            [
                ("ok", "read", {"seq": 1, "clk": {"r": {"title": "2"}}}),
                ("ok", "read", {"seq": 2, "clk": {"r": {"title": "1"}}}),
            ],
            monotone,
        ),
        (
            [
                ("invoke", "write", OWN),
                ("ok", "push", ["a"]),
                ("ok", "read", {"seq": 1, "clk": {}}),
            ],
            read_your_writes,
        ),
        (
            [("ok", "read", {"seq": 1, "clk": {"r": {"t": "3"}}}), ("invoke", "write", OWN)],
            lambda h: causal(h, []),
        ),
        ([], lambda h: causal(h, [{"device_id": 1, "n": n, "hlc": str(n)} for n in (2, 1)])),
        ([], lambda _: registers({"r": ("reminder", 1, {}, {})}, {"d": {}})),
        ([("ok", "read", {"seq": 1, "clk": {}, "active": {"r": ACTIVE}})], swapped),
        (
            [
                ("invoke", "propose", {"p": PROPOSED | {"v": 2}}),
                ("ok", "verdicts", {"p": "applied"}),
                ("ok", "read", {"seq": 1, "clk": {}, "active": {"r": ACTIVE}}),
            ],
            swapped,
        ),
        (
            [
                ("invoke", "propose", {"p": PROPOSED, "q": PROPOSED}),
                ("ok", "verdicts", {"p": "applied", "q": "applied"}),
                ("ok", "read", {"seq": 1, "clk": {}, "active": {"r": ACTIVE}}),
                ("ok", "read", {"seq": 2, "clk": {}, "active": {"r": ACTIVE | {"ver": "q"}}}),
            ],
            swapped,
        ),
        (
            [
                ("invoke", "propose", {"p": PROPOSED}),
                ("ok", "verdicts", {"p": "conflict"}),
                ("ok", "read", {"seq": 1, "clk": {}, "candidates": {"r": []}}),
            ],
            undecided_stay,
        ),
    ],
)
def test_each_check_notices_what_it_is_for(entries, check):
    history = History()
    for kind, what, value in entries:
        history.add("d", kind, what, value)
    assert check(history) != []

"""A black box: devices on bad lines over real HTTP, and what must hold of what they were told."""

import asyncio
from random import Random

import pytest
from history import History, causal, monotone, read_your_writes, registers, set_full
from real_home import RealHome, record

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

    def stored(what, changed):
        if what == "take" and changed == space:
            disk = device.device.disk
            if space in disk.partial:
                return  # In the middle of a pull.
            clocks = {rec: row.clk for rec, row in disk.base[space].items()}
            seq = int(disk.cursors[space].split(".")[1])
            history.add(device.device.name, "ok", "read", {"seq": seq, "clk": clocks})

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


async def test_bad_lines_change_nothing_of_what_devices_may_rely_on(tmp_path):
    """P1, P3, P5, P15: all events arrive, registers agree, reads go forward, own writes show."""
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
        log = await real.sql(
            "SELECT * FROM op WHERE space_id = $1 AND device_id IS NOT NULL ORDER BY seq",
            real.home.space,
        )
    final = {device.device.name: device.rows[space] for device in devices}

    assert len(log) > ROUNDS * 3
    assert set_full(history, final) == []
    assert registers(log, final) == []
    assert monotone(history) == []
    assert read_your_writes(history) == []
    assert causal(history, log) == []


OWN = {"stamps": {"a": ("a", ["v"], "2")}, "events": ["a"]}
KEPT = {"rec_id": "r", "coll": "reminder", "val": {"title": "x"}, "hlc": "5", "seq": 1}


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
        ([], lambda _: registers([KEPT], {"d": {}})),
    ],
)
def test_each_check_notices_what_it_is_for(entries, check):
    history = History()
    for kind, what, value in entries:
        history.add("d", kind, what, value)
    assert check(history) != []

"""A history of what devices asked and were told, and what must hold of every such history.

One entry a line: a device invokes something and it ends ok, fails, or nobody knows (`info`). Only
what a device itself could see counts, and at the end the server's log.
"""

import json
from collections import defaultdict

from mos.ops.sim.reference import Record


class History:
    """Append-only; `file` gets every entry as it comes."""

    def __init__(self, file=None):
        self.entries = []
        self._file = file

    def add(self, process, kind, what, value):
        entry = {"process": process, "type": kind, "f": what, "value": value}
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(json.dumps(entry) + "\n")

    def of(self, kind, what):
        """Return the entries of one sort, in order."""
        return [one for one in self.entries if (one["type"], one["f"]) == (kind, what)]


def replayed(log):
    """Return the records that a log of ordinary ops gives, as devices hold them."""
    recs = {}
    for row in log:
        rec = recs.setdefault(str(row["rec_id"]), Record(row["coll"], 0, {}, {}))
        won = {g: v for g, v in row["val"].items() if row["hlc"] > rec.clk.get(g, "")}
        if won:
            rec.doc |= won
            rec.clk |= dict.fromkeys(won, row["hlc"])
            rec.seq = row["seq"]
    return {rec: (one.coll, one.seq, one.doc, one.clk) for rec, one in recs.items()}


def set_full(history, final):
    """Events: what was acknowledged is in every last read, what was never written in none."""
    problems = []
    written = {op for one in history.of("invoke", "write") for op in one["value"]["events"]}
    acked = {op for one in history.of("ok", "push") for op in one["value"] if op in written}
    for process, rows in final.items():
        seen = {rec for rec, row in rows.items() if row[0] in ("help", "completion")}
        problems += [f"{process} lost {op}" for op in sorted(acked - seen)]
        problems += [f"{process} dreamt {op}" for op in sorted(seen - written)]
    return problems


def monotone(history):
    """Reads: a device's place never moves back, no clock that it saw does, no event disappears."""
    problems = []
    place = defaultdict(int)
    clocks = defaultdict(dict)
    for one in history.of("ok", "read"):
        process, value = one["process"], one["value"]
        if value["seq"] < place[process]:
            problems.append(f"{process} went back from {place[process]} to {value['seq']}")
        place[process] = value["seq"]
        for rec, before in clocks[process].items():
            now = value["clk"].get(rec, {})
            problems += [
                f"{process} saw {group} of {rec} go back"
                for group, clock in before.items()
                if now.get(group, "") < clock
            ]
        clocks[process] = value["clk"]
    return problems


def read_your_writes(history):
    """After an acknowledged push, a device's next read shows it, or something later."""
    problems = []
    due = defaultdict(dict)
    stamped = {}
    for one in history.entries:
        process, value = one["process"], one["value"]
        match one["type"], one["f"]:
            case "invoke", "write":
                stamped |= value["stamps"]
            case "ok", "push":
                due[process] |= {op: stamped[op] for op in value if op in stamped}
            case "ok", "read":
                for op, (rec, groups, clock) in due[process].items():
                    held = value["clk"].get(rec, {})
                    problems += [
                        f"{process} does not see its own {op}"
                        for group in groups
                        if held.get(group, "") < clock
                    ]
                due[process] = {}
    return problems


def causal(history, log):
    """A device's ops keep their order, and what it read lies before what it then wrote."""
    problems = []
    order = defaultdict(list)
    for row in log:
        order[row["device_id"]].append((row["n"], row["hlc"]))
    for device, pairs in order.items():
        if pairs != sorted(pairs):
            problems.append(f"the ops of {device} changed their order")
    latest = defaultdict(str)
    for one in history.entries:
        process, value = one["process"], one["value"]
        if (one["type"], one["f"]) == ("ok", "read"):
            clocks = [clock for groups in value["clk"].values() for clock in groups.values()]
            latest[process] = max([latest[process], *clocks])
        elif (one["type"], one["f"]) == ("invoke", "write"):
            problems += [
                f"{process} wrote {op} before what it had read"
                for op, (_rec, _groups, clock) in value["stamps"].items()
                if clock <= latest[process]
            ]
    return problems


def registers(log, final):
    """Registers: everybody ends with the latest of all accepted values."""
    want = replayed(log)
    return [
        f"{process} holds {rows.get(rec)} for {rec}, not {row}"
        for process, rows in final.items()
        for rec, row in want.items()
        if rows.get(rec) != row
    ]

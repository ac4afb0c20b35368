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
        # Within a push, safety ops are decided after the others.
        is_safety = row.get("kind") in ("safety", "resolve")
        order[row["device_id"], is_safety].append((row["n"], row["hlc"]))
    for (device, _), pairs in order.items():
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


def swapped(history):
    """Safety: every version came of what was told `applied`, and replaced a version only once."""
    problems = []
    asked = {op: one for entry in history.of("invoke", "propose") for op, one in
             entry["value"].items()}  # fmt: skip
    told = _told(history)
    replaced = defaultdict(set)
    for one in history.of("ok", "read"):
        for rec, active in one["value"].get("active", {}).items():
            op = active["ver"]
            if told.get(op) != "applied":
                problems.append(f"{one['process']} saw {op} of {rec} active, told {told.get(op)}")
                continue
            chosen = asked[op].get("choose") or op
            if active["v"] != asked[chosen]["v"]:
                problems.append(f"{one['process']} saw another value than {chosen} proposed")
            replaced[rec, asked[op]["base"]].add(op)
    problems += [
        f"{sorted(ops)} of {rec} all replaced {base}"
        for (rec, base), ops in replaced.items()
        if len(ops) > 1
    ]
    return problems


def undecided_stay(history):
    """Safety: who was told `conflict` reads their proposal in it until somebody has decided."""
    problems = []
    asked = {op: one for entry in history.of("invoke", "propose") for op, one in
             entry["value"].items()}  # fmt: skip
    told = _told(history)
    # Replaced by the next of the same device, or seen by whoever decided.
    over = {one["base"] for one in asked.values() if "seen" not in one}
    over |= {op for name, one in asked.items() if told.get(name) == "applied"
             for op in one.get("seen", ())}  # fmt: skip
    waiting = defaultdict(dict)
    for one in history.entries:
        match one["type"], one["f"]:
            case "ok", "verdicts":
                waiting[one["process"]] |= {
                    op: asked[op]["rec"]
                    for op, verdict in one["value"].items()
                    if verdict == "conflict" and op in asked
                }
            case "ok", "read":
                seen = one["value"].get("candidates", {})
                problems += [
                    f"{one['process']} does not find its proposal {op}"
                    for op, rec in waiting[one["process"]].items()
                    if op not in seen.get(rec, ()) and op not in over
                ]
    return problems


def _told(history):
    """Return the first verdict on each op; a `dup` says what that was."""
    told = {}
    for one in history.of("ok", "verdicts"):
        for op, verdict in one["value"].items():
            told.setdefault(op, verdict)
    return told


def registers(want, final):
    """Registers: everybody ends with the records that the log gives."""
    return [
        f"{process} holds {rows.get(rec)} for {rec}, not {row}"
        for process, rows in final.items()
        for rec, row in want.items()
        if rows.get(rec) != row
    ]

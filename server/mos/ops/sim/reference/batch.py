"""One push on its way through the rules."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from mos.ops.sim.reference.refusals import own_refusal, rec_of, result_of
from mos.ops.sim.reference.safety import (
    FRESH_MS,
    Asked,
    Decided,
    conflict_of,
    decide,
    digest,
    later,
)
from mos.ops.sim.reference.space import (
    DAY_MS,
    SKEW_MS,
    Had,
    Json,
    Logged,
    Record,
    Space,
    Who,
    moment,
)
from mos.sync import hlc

if TYPE_CHECKING:
    from mos.ops.sim.reference.spaces import Reference

_SAFETY = ("safety", "resolve")
_TO_QUARANTINE = ("invalid", "forbidden")
# The version of an id that begins with when it was made.
_BY_TIME = 7


def made(op: Json, now_ms: int, skew_ms: int) -> str | None:
    """Return when an op was written whose clock was too far ahead, by the server's; or unknown."""
    at, rest = hlc.millis(op["claimed"]) - skew_ms, op["claimed"][12:]
    if at <= now_ms:
        return f"{max(at, 0):012x}{rest}"
    name = UUID(op["op"])
    by_name = (name.int >> 80) - skew_ms
    if name.version == _BY_TIME and now_ms - 60 * DAY_MS <= by_name <= now_ms:
        return f"{by_name:012x}{rest}"
    return f"{at:012x}{rest}" if at <= now_ms + SKEW_MS else None


class Batch:
    """One push on its way through the rules."""

    def __init__(
        self, world: "Reference", who: Who, ops: Sequence[Json], now_ms: int, client_ms: int
    ) -> None:
        self._world = world
        self._who = who
        self._ops = ops
        self._now_ms = now_ms
        self._skew_ms = client_ms - now_ms
        self._results: list[Json] = []
        # What broke a group is answered with its own reason, not with the group's.
        self._culprits: dict[str, Json] = {}
        self._broken: set[str] = set()
        # What the decision itself refused: this time, and for good.
        self._undecided: set[str] = set()
        self._decided: dict[str, Json] = {}
        self._before = {name: set(space.recs) for name, space in world.spaces.items()}

    def broken_groups(self) -> set[str]:
        """Return the groups that cannot stand: with what `take` was given, when all are known."""
        refused = [
            (op, result)
            for op, result in zip(self._ops, self._results, strict=True)
            if "g" in op
            and op["g"] not in self._broken
            and result["s"] in ("invalid", "forbidden", "gone")
        ]
        # First those that are wrong by themselves; then what took a record from whom; only then
        # what the decision refused, for it comes after all others.
        steps: list[list[tuple[Json, Json]]] = [[], [], []]
        for op, result in refused:
            if op["op"] in self._undecided:
                step = 2
            elif self._is_taken_here(op, result):
                step = 1
            else:
                step = 0
            steps[step].append((op, result))
        if steps[2] and not steps[0] and not steps[1]:
            # One alone: without its group, who took what from whom is asked anew.
            op, result = steps[2][0]
            self._decided[op["op"]] = result
            self._culprits = dict(self._decided)
            self._broken = {op["g"] for op in self._ops if op["op"] in self._decided}
        else:
            fresh = next((step for step in steps if step), [])
            self._culprits |= {op["op"]: result for op, result in fresh}
            self._broken |= {op["g"] for op, _ in fresh}
        return set(self._broken)

    def _is_taken_here(self, op: Json, result: Json) -> bool:
        if result.get("code") != "rec_taken":
            return False
        return rec_of(op) not in self._before[op["space"]]

    def take(self, broken: set[str]) -> Json:
        self._undecided = set()
        anew = self._stamped_anew()
        touched = [space for space in {op["space"]: 0 for op in self._ops} if self._sees(space)]
        results: dict[int, Json] = {}
        restamped: dict[str, str] = {}
        judged: dict[str, Json] = {}
        # Ordinary ops first, safety ops after them: the order in which the server numbers them.
        order = sorted(range(len(self._ops)), key=lambda i: self._ops[i]["k"] in _SAFETY)
        for i in order:
            op = self._ops[i]
            known = self._known(op)
            if known is None:
                op = op | {"hlc": anew.get(op["op"], op["hlc"]), "claimed": op["hlc"]}
                # What is not accepted twice in one push was asked once.
                results[i] = judged.get(op["op"]) or self._long_known(op) or self._judge(op, broken)
                judged[op["op"]] = results[i]
                known = self._known(op)
            else:
                results[i] = result_of(op, "dup", seq=known.seq, was=known.verdict)
                if known.verdict == "conflict":
                    results[i] |= {
                        "rec": conflict_of(op["space"], known.rec), "why": known.val["why"]
                    }  # fmt: skip
            if known is not None and known.claimed is not None:
                restamped[op["op"]] = known.hlc
        self._results = [results[i] for i in range(len(self._ops))]
        # Of an erased space nobody counts.
        counted = [space for space in touched if self._space(space).state != 2]
        self._count(counted)
        missing = {
            space: pairs
            for space in counted
            if (pairs := self._world.missing(space, self._who.device))
        }
        return {
            "results": self._results,
            "restamped": restamped,
            "acked": {
                space: self._space(space).place(self._who.device).last_n for space in counted
            },
            "heads": {space: self._space(space).head for space in touched},
        } | ({"missing": missing} if missing else {})

    # ── helpers

    def _space(self, space: str) -> Space:
        return self._world.spaces[space]

    def _sees(self, space: str) -> bool:
        return space in self._who.reach or space in self._who.had

    def _right(self, op: Json) -> Had | None:
        """Return the right under which an event happened that its author may not say now."""
        if op["k"] != "event" or not self._is_forbidden(op, self._who.reach.get(op["space"])):
            return None
        at = self._made(op) if op["claimed"] != op["hlc"] else op["hlc"]
        return next(
            (
                had
                for had in self._who.had.get(op["space"], [])
                if (at is None or had.since <= hlc.millis(at) < had.until)
                and not self._is_forbidden(op, had.words)
            ),
            None,
        )

    def _is_forbidden(self, op: Json, words: frozenset[str] | None) -> bool:
        own = None if words is None else self._refusal_of(op, words)
        return words is None or (own is not None and bool(own["s"] == "forbidden"))

    def _known(self, op: Json) -> Logged | None:
        return self._space(op["space"]).seen.get(op["op"]) if self._sees(op["space"]) else None

    def _long_known(self, op: Json) -> Json | None:
        """Return the verdict on an op that came so long ago that its log is in the archive."""
        if not self._sees(op["space"]):
            return None
        space = self._space(op["space"])
        record = space.recs.get(op["op"])
        if op["k"] == "event" and record is not None and record.coll == op["coll"]:
            return result_of(op, "dup", seq=record.seq, was="applied")
        place = space.places.get(self._who.device)
        if place is None or op["n"] > place.last_n:
            return None
        # What a clock claims that is ahead says nothing of any clock that is not.
        is_ahead = op["claimed"] != op["hlc"]
        if (op["claimed"] > place.archive_claimed) if is_ahead else (op["hlc"] > space.archive_hlc):
            return None
        is_away = op["n"] in place.missing or op["n"] in place.lost
        return None if is_away else result_of(op, "dup")

    def _stamped_anew(self) -> dict[str, str]:
        anew: dict[str, str] = {}
        for space in {op["space"] for op in self._ops if self._sees(op["space"])}:
            ops = sorted((op for op in self._ops if op["space"] == space), key=lambda op: op["n"])
            if not any(hlc.millis(op["hlc"]) > self._now_ms + SKEW_MS for op in ops):
                continue
            kept = hlc.clamp(
                (op["hlc"] for op in ops),
                floor=self._space(space).place(self._who.device).last_hlc,
                now_ms=self._now_ms,
                limit_ms=SKEW_MS,
            )
            # Twice in one batch, an op is stamped by the time that it had to be.
            anew |= {
                op["op"]: stamp for op, stamp in zip(ops, kept, strict=True) if stamp != op["hlc"]
            }
        return anew

    def _count(self, touched: list[str]) -> None:
        for space in touched:
            place = self._space(space).place(self._who.device)
            mine = [
                (op, result)
                for op, result in zip(self._ops, self._results, strict=True)
                if op["space"] == space
            ]
            came = {op["n"] for op, result in mine if result["s"] != "retry"}
            place.missing |= set(range(place.last_n + 1, max(came, default=0)))
            place.missing -= came
            place.lost -= came
            place.last_n = max(place.last_n, *came, 0)

    # ── verdicts

    def _judge(self, op: Json, broken: set[str]) -> Json:
        refusal = self._refusal(op, broken)
        if refusal is None:
            return self._accept(op)
        if refusal["s"] in _TO_QUARANTINE and op["space"] in self._world.spaces:
            # Where it cannot be seen who asks, the space's own state is not the asker's to know.
            space = self._space(op["space"])
            if space.state != 2:
                space.quarantine.setdefault(op["op"], f"{refusal['s']} {refusal['code']}")
        return refusal

    def _refusal(self, op: Json, broken: set[str]) -> Json | None:  # noqa: PLR0911  a list of reasons
        if op["op"] in self._culprits:
            return self._culprits[op["op"]]
        if not self._sees(op["space"]):
            return result_of(op, "forbidden", code="no_access")
        state = self._space(op["space"]).state
        if state == 2:
            return result_of(op, "gone")
        own = self._refusal_of_author(op)
        if own is None and state == 1:
            own = result_of(op, "forbidden", code="frozen")
        if own is not None:
            return own
        taken = result_of(op, "invalid", code="rec_taken") if self._is_taken(op) else None
        if taken and not self._is_taken_here(op, taken):
            return taken
        if self._is_too_old(op):
            return result_of(op, "invalid", code="too_old")
        return result_of(op, "invalid", code="group") if op.get("g") in broken else taken

    def _is_too_old(self, op: Json) -> bool:
        space = self._space(op["space"])
        at = (self._made(op) if op["claimed"] != op["hlc"] else None) or op["hlc"]
        return op["k"] == "set" and op["rec"] not in space.recs and at <= space.floor_hlc

    def _made(self, op: Json) -> str | None:
        return made(op, self._now_ms, self._skew_ms)

    def _is_taken(self, op: Json) -> bool:
        record = self._space(op["space"]).recs.get(rec_of(op))
        return record is not None and (record.coll != op["coll"] or op["k"] == "event")

    def _refusal_of_author(self, op: Json) -> Json | None:
        right = self._right(op)
        if right is not None:
            return self._refusal_of(op, right.words)
        if op["space"] in self._who.reach:
            return self._refusal_of(op, self._who.reach[op["space"]])
        return result_of(op, "forbidden", code="revoked")

    def _refusal_of(self, op: Json, words: frozenset[str]) -> Json | None:
        return own_refusal(op, self._world.kinds.get(op["coll"]), words, self._who.schema)

    # ── merge

    def _accept(self, op: Json) -> Json:
        match op["k"]:
            case "set":
                return self._merge(op, op["f"])
            case "safety":
                return self._propose(op)
            case "resolve":
                return self._resolve(op)
            case _:
                right = self._right(op)
                late = {"until": moment(right.until), "at": moment(self._now_ms)} if right else None
                groups = {"v": op["v"], "by": self._who.account}
                return self._merge(op, groups | ({"late": late} if late else {}))

    def _merge(self, op: Json, groups: Json) -> Json:
        space = self._space(op["space"])
        record = space.recs.get(rec_of(op)) or Record(op["coll"], 0, {}, {})
        won = {
            group: value
            for group, value in groups.items()
            if op["hlc"] > record.clk.get(group, hlc.NEVER)
        }
        logged = self._log(op, groups, "applied" if won else "superseded")
        if won:
            record.doc |= won
            record.clk |= {group: str(op["hlc"]) for group in won}
            record.seq = logged.seq
            space.recs[logged.rec] = record
        return result_of(op, logged.verdict, seq=logged.seq)

    # ── safety

    def _propose(self, op: Json) -> Json:
        kind = self._world.kinds[op["coll"]]
        words = self._who.reach[op["space"]]
        needs_two = kind.needs_two is not None and op["v"].get(kind.needs_two) is True
        val = {
            "v": op["v"], "base": op["base"], "trunk": op["trunk"], "dig": digest(op["v"]),
            "confirm": kind.confirm in words, "second": needs_two, "aged": self._is_aged(op),
        }  # fmt: skip
        if op["claimed"] != op["hlc"]:
            val["made"] = self._made(op) or hlc.NEVER
        decided = decide(self._space(op["space"]), self._asked(op, val))
        return self._carry_out(op, val, decided)

    def _is_aged(self, op: Json) -> bool:
        if op["claimed"] == op["hlc"]:
            return False
        at = self._made(op)
        return at is None or hlc.millis(at) < self._now_ms - FRESH_MS

    def _resolve(self, op: Json) -> Json:
        val = {"base": op["base"], "seen": op["seen"], "choose": op["choose"], "why": op["why"]}
        decided = decide(self._space(op["space"]), self._asked(op, val))
        return self._carry_out(op, val, decided)

    def _asked(self, op: Json, val: Json) -> Asked:
        return Asked(
            op["op"], op["k"], op["space"], op["coll"], op["rec"], op["hlc"], val,
            self._who.account, self._who.device, self._now_ms,
        )  # fmt: skip

    def _carry_out(self, op: Json, val: Json, decided: Decided) -> Json:
        space = self._space(op["space"])
        conflict = conflict_of(op["space"], op["rec"])
        place = space.place(self._who.device)
        place.last_hlc = max(place.last_hlc, op["hlc"])
        if decided.verdict == "stale_resolve":
            return result_of(op, "stale_resolve", **decided.more)
        if decided.verdict in _TO_QUARANTINE:
            code = decided.more["code"]
            self._undecided.add(op["op"])
            space.quarantine.setdefault(op["op"], f"{decided.verdict} {code}")
            return result_of(op, decided.verdict, code=code)
        logged = self._log(op, val | decided.more, decided.verdict)
        if decided.active is not None:
            record = space.recs.setdefault(op["rec"], Record(op["coll"], 0, {}, {}))
            record.clk["active"] = later(op["hlc"], record.clk.get("active", hlc.NEVER))
            record.doc["active"] = decided.active
            record.seq = logged.seq
        if decided.conflict is not None:
            record = space.recs.setdefault(conflict, Record("conflict", 0, {}, {}))
            stamp = hlc.send(max(record.clk.values(), default=hlc.NEVER), self._now_ms, "0" * 16)
            space.head += 1
            record.doc |= decided.conflict
            record.clk |= dict.fromkeys(decided.conflict, stamp)
            record.seq = space.head
            space.log.append(
                Logged(
                    space.head, None, None, None, None, "system", "conflict", conflict, stamp,
                    None, decided.conflict, "applied", self._now_ms,
                )
            )  # fmt: skip
        more = decided.more if decided.verdict != "conflict" else decided.more | {"rec": conflict}
        return result_of(op, decided.verdict, seq=logged.seq, **more)

    def _log(self, op: Json, val: Json, verdict: str) -> Logged:
        space = self._space(op["space"])
        space.head += 1
        logged = Logged(
            seq=space.head,
            op=op["op"],
            device=self._who.device,
            account=self._who.account,
            n=op["n"],
            kind=op["k"],
            coll=op["coll"],
            rec=rec_of(op),
            hlc=op["hlc"],
            claimed=op["claimed"] if op["claimed"] != op["hlc"] else None,
            val=val,
            verdict=verdict,
            at_ms=self._now_ms,
        )
        space.log.append(logged)
        space.seen[op["op"]] = logged
        place = space.place(self._who.device)
        place.last_hlc = max(place.last_hlc, op["hlc"])
        return logged

"""The server's rules of docs/sync.md in plain Python: whole in memory, one op after another.

Slow, without concurrency, written from the document and not from the SQL: what the real server
answers and keeps is compared with this. Ids are strings, ops and answers are JSON as they travel.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from mos.kernel.ids import MOS
from mos.sync import hlc

Json = dict[str, Any]

SKEW_MS = 60_000
# A proposal older than this is confirmed by a person, whoever made it.
DAY_MS = 24 * 3_600_000
FRESH_MS = 24 * 3_600_000
MOST_CANDIDATES = 100
_KINDS = {"set": "set", "event": "event", "safety": "safety", "resolve": "safety"}
_TO_QUARANTINE = ("invalid", "forbidden")


@dataclass(frozen=True)
class Kind:
    """What the reference has to know of a collection."""

    kind: str  # set, event, safety, or system: written by the server alone
    write: str = ""
    confirm: str = ""
    people_may: frozenset[str] | None = None
    # The name of a group whose value must be text, and of the flag in a safety value that asks for
    # two people.
    text: str | None = None
    needs_two: str | None = None


@dataclass
class Record:
    """One record as it stands."""

    coll: str
    seq: int
    doc: Json
    clk: dict[str, str]

    @property
    def is_deleted(self) -> bool:
        """Whether its group `deleted` says so."""
        return self.doc.get("deleted") is True


@dataclass(frozen=True)
class Logged:
    """One accepted op. `device` is None for the server's own, whose `op` is not foretold."""

    seq: int
    op: str | None
    device: str | None
    account: str | None
    n: int | None
    kind: str
    coll: str
    rec: str
    hlc: str
    claimed: str | None
    val: Json
    verdict: str
    at_ms: int


@dataclass
class Place:
    """How far a device is acknowledged in a space."""

    last_n: int = 0
    last_hlc: str = ""
    missing: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)


@dataclass
class Space:
    """One space: its records, its log and its devices."""

    epoch: int = 1
    head: int = 0
    floor: int = 0
    floor_hlc: str = ""
    archived_before: int = 0  # the first place whose op is not in the archive alone
    archive_hlc: str = ""
    state: int = 0  # open, frozen, erased
    recs: dict[str, Record] = field(default_factory=dict)
    log: list[Logged] = field(default_factory=list)
    seen: dict[str, Logged] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    quarantine: dict[str, str] = field(default_factory=dict)

    def place(self, device: str) -> Place:
        """Return how far `device` is."""
        return self.places.setdefault(device, Place())


@dataclass(frozen=True)
class Had:
    """What somebody might do in a space from `since` until before `until`, in ms."""

    words: frozenset[str]
    since: int
    until: int


@dataclass(frozen=True)
class Who:
    """Who pushes: from the session, never from the body."""

    account: str
    device: str
    reach: Mapping[str, frozenset[str]]
    # What they might until lately.
    had: Mapping[str, Sequence[Had]] = field(default_factory=dict)


class Reference:
    """All spaces of one organisation."""

    def __init__(self, spaces: Sequence[str], kinds: Mapping[str, Kind]) -> None:
        """Begin with empty, open spaces."""
        self.spaces = {space: Space() for space in spaces}
        self.kinds = dict(kinds)

    def copy(self) -> "Reference":
        """Return a backup of everything."""
        return deepcopy(self)

    # ── what a device asks

    def push(
        self, who: Who, ops: Sequence[Json], now_ms: int, client_ms: int | None = None
    ) -> Json:
        """Take a batch; return the answer without its `server_now`.

        `client_ms` is what the device's own clock showed when it sent; the server's, if absent.
        """
        batch = _Batch(self, who, ops, now_ms, now_ms if client_ms is None else client_ms)
        # A group with one refused op is refused whole, which may in turn free or take a record:
        # tried again on a copy until nothing more is refused.
        broken: set[str] = set()
        while True:
            before = self.copy() if any("g" in op for op in ops) else None
            answer = batch.take(broken)
            fresh = batch.broken_groups() - broken
            if not fresh:
                return answer
            assert before is not None  # noqa: S101  only an op with a group breaks one
            self.spaces = before.spaces
            broken |= fresh

    def compact(self, space: str, now_ms: int) -> None:
        """Forget what was deleted more than 180 days ago."""
        one, before = self.spaces[space], now_ms - 180 * DAY_MS
        gone = [
            (record.seq, rec)
            for rec, record in one.recs.items()
            if record.is_deleted
            and record.clk["deleted"] < _clock(before)
            and (record.seq < one.archived_before or one.log[record.seq - 1].at_ms < before)
        ]
        if gone:
            one.floor = max([one.floor, *(seq for seq, _ in gone)])
            one.floor_hlc = max(one.floor_hlc, _clock(before + 60 * DAY_MS))
        for _, rec in gone:
            del one.recs[rec]

    def archive(self, space: str, now_ms: int) -> None:
        """Take ops older than 90 days out of the log, but the last of them."""
        one = self.spaces[space]
        here = [logged for logged in one.log if logged.seq >= one.archived_before]
        old = [logged for logged in here if logged.at_ms < now_ms - 90 * DAY_MS][:-1]
        for logged in old:
            one.archived_before = logged.seq + 1
            one.archive_hlc = max(one.archive_hlc, logged.hlc, logged.claimed or "")
            one.seen.pop(logged.op or "", None)

    def erase(self, space: str) -> None:
        """Forget all of a space but that it was there."""
        one = self.spaces[space]
        self.spaces[space] = Space(epoch=one.epoch, head=one.head, floor=one.floor, state=2)

    def unnamed(self) -> bool:
        """Say whether there are ops of the server's own whose ids are not known yet."""
        return any(one.op is None for space in self.spaces.values() for one in space.log)

    def name(self, ids: Mapping[tuple[str, int], str]) -> None:
        """Learn the ids of the server's own ops, by space and place."""
        for name, space in self.spaces.items():
            space.log = [
                one if one.op else replace(one, op=ids.get((name, one.seq))) for one in space.log
            ]

    def tag(self, space: str, seq: int) -> str:
        """Return what proves a place: of which op, and taken when."""
        if seq == 0:
            return "00000000"
        at = self.spaces[space].log[seq - 1]
        return hashlib.md5(f"{at.op}/{at.at_ms}".encode(), usedforsecurity=False).hexdigest()[:8]

    def give_up(self, device: str, lost: Mapping[str, Sequence[Sequence[int]]]) -> None:
        """Take note of what a device says it no longer has; only what is missing can be lost."""
        for space, ranges in lost.items():
            place = self.spaces[space].place(device)
            said = {n for first, last in ranges for n in range(first, last + 1)}
            place.lost |= place.missing & said
            place.missing -= said

    def missing(self, space: str, device: str) -> list[list[int]]:
        """Return the numbers that never came from a device, as inclusive pairs."""
        pairs: list[list[int]] = []
        for n in sorted(self.spaces[space].place(device).missing):
            if pairs and pairs[-1][1] == n - 1:
                pairs[-1][1] = n
            else:
                pairs.append([n, n])
        return pairs

    def rows_after(self, space: str, seq: int) -> list[list[Any]]:
        """Return the rows of a space whose place is after `seq`, in order."""
        found = [
            [record.coll, rec, record.seq, record.doc, record.clk]
            for rec, record in self.spaces[space].recs.items()
            if record.seq > seq
        ]
        return sorted(found, key=lambda row: row[2])

    def check(self, space: str) -> Json:
        """Return the fingerprint of a space."""
        seqs = [one.seq for one in self.spaces[space].recs.values() if not one.is_deleted]
        return {
            "n": len(seqs),
            "sum": str(sum(seqs)),
            "sq": str(sum(seq * seq for seq in seqs) % 2**53),
        }


class _Batch:
    """One push on its way through the rules."""

    def __init__(
        self, world: Reference, who: Who, ops: Sequence[Json], now_ms: int, client_ms: int
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
        self._before = {name: set(space.recs) for name, space in world.spaces.items()}

    def broken_groups(self) -> set[str]:
        refused = [
            (op, result)
            for op, result in zip(self._ops, self._results, strict=True)
            if "g" in op and result["s"] in ("invalid", "forbidden", "gone")
        ]
        # First those that are wrong by themselves; only then what took a record from whom.
        alone = [
            (op, result)
            for op, result in refused
            if result.get("code") != "rec_taken" or _rec_of(op) in self._before[op["space"]]
        ]
        fresh = [pair for pair in alone if pair[0]["g"] not in self._broken] or refused
        self._culprits = {op["op"]: result for op, result in fresh} | self._culprits
        self._broken |= {op["g"] for op, _ in fresh}
        return {op["g"] for op, _ in fresh}

    def take(self, broken: set[str]) -> Json:
        anew = self._stamped_anew()
        touched = [space for space in {op["space"]: 0 for op in self._ops} if self._sees(space)]
        results: dict[int, Json] = {}
        restamped: dict[str, str] = {}
        # Ordinary ops first, safety ops after them: the order in which the server numbers them.
        order = sorted(range(len(self._ops)), key=lambda i: self._ops[i]["k"] in _SAFETY)
        for i in order:
            op = self._ops[i]
            known = self._known(op)
            if known is None:
                op = op | {"hlc": anew.get(op["op"], op["hlc"]), "claimed": op["hlc"]}
                results[i] = self._long_known(op) or self._judge(op, broken)
                known = self._known(op)
            else:
                results[i] = _result(op, "dup", seq=known.seq, was=known.verdict)
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
        """Return the right under which an event happened whose author may nothing here now."""
        if op["space"] in self._who.reach or op["k"] != "event":
            return None
        return next(
            (
                had
                for had in self._who.had.get(op["space"], [])
                if had.since <= hlc.millis(op["claimed"]) < had.until
            ),
            None,
        )

    def _known(self, op: Json) -> Logged | None:
        return self._space(op["space"]).seen.get(op["op"]) if self._sees(op["space"]) else None

    def _long_known(self, op: Json) -> Json | None:
        """Return the verdict on an op that came so long ago that its log is in the archive."""
        if not self._sees(op["space"]):
            return None
        space = self._space(op["space"])
        record = space.recs.get(op["op"])
        if op["k"] == "event" and record is not None and record.coll == op["coll"]:
            return _result(op, "dup", seq=record.seq, was="applied")
        place = space.places.get(self._who.device)
        if place is None or op["hlc"] > space.archive_hlc or op["n"] > place.last_n:
            return None
        is_away = op["n"] in place.missing or op["n"] in place.lost
        return None if is_away else _result(op, "dup")

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
            return _result(op, "forbidden", code="no_access")
        state = self._space(op["space"]).state
        if state == 2:
            return _result(op, "gone")
        own = self._refusal_of_author(op)
        if own is None and state == 1:
            own = _result(op, "forbidden", code="frozen")
        if own is not None:
            return own
        if self._is_taken(op):
            return _result(op, "invalid", code="rec_taken")
        if self._is_too_old(op):
            return _result(op, "invalid", code="too_old")
        return _result(op, "invalid", code="group") if op.get("g") in broken else None

    def _is_too_old(self, op: Json) -> bool:
        space = self._space(op["space"])
        return op["k"] == "set" and op["rec"] not in space.recs and op["hlc"] <= space.floor_hlc

    def _is_taken(self, op: Json) -> bool:
        record = self._space(op["space"]).recs.get(_rec_of(op))
        return record is not None and (record.coll != op["coll"] or op["k"] == "event")

    def _refusal_of_author(self, op: Json) -> Json | None:
        if op["space"] in self._who.reach:
            return self._own_refusal(op, self._who.reach[op["space"]])
        right = self._right(op)
        own = self._own_refusal(op, right.words) if right else None
        if right is None or (own is not None and own["s"] == "forbidden"):
            return _result(op, "forbidden", code="revoked")
        return own

    def _own_refusal(self, op: Json, words: frozenset[str]) -> Json | None:
        kind = self._world.kinds.get(op["coll"])
        if kind is None:
            return _result(op, "invalid", code="unknown_collection", path="coll")
        if kind.kind != _KINDS[op["k"]]:
            return _result(op, "invalid", code="kind", path="k")
        if (kind.confirm if op["k"] == "resolve" else kind.write) not in words:
            return _result(op, "forbidden", code="permission")
        return self._refusal_of_groups(op, kind)

    def _refusal_of_groups(self, op: Json, kind: Kind) -> Json | None:
        if op["k"] == "resolve" and op["choose"] not in (op["base"], *op["seen"]):
            return _result(op, "invalid", code="not_seen", path="choose")
        groups = op["f"] if op["k"] == "set" else {}
        if kind.people_may is not None and groups.keys() - kind.people_may:
            return _result(op, "forbidden", code="group", path=min(groups.keys() - kind.people_may))
        if kind.text is not None and not isinstance(groups.get(kind.text, ""), str):
            return _result(op, "invalid", code="invalid", path=kind.text)
        return None

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
                late = (
                    {"until": _moment(right.until), "at": _moment(self._now_ms)} if right else None
                )
                groups = {"v": op["v"], "by": self._who.account}
                return self._merge(op, groups | ({"late": late} if late else {}))

    def _merge(self, op: Json, groups: Json) -> Json:
        space = self._space(op["space"])
        record = space.recs.get(_rec_of(op)) or Record(op["coll"], 0, {}, {})
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
        return _result(op, logged.verdict, seq=logged.seq)

    # ── safety

    def _propose(self, op: Json) -> Json:
        kind = self._world.kinds[op["coll"]]
        words = self._who.reach[op["space"]]
        needs_two = kind.needs_two is not None and op["v"].get(kind.needs_two) is True
        val = {
            "v": op["v"], "base": op["base"], "trunk": op["trunk"], "dig": digest(op["v"]),
            "confirm": kind.confirm in words, "second": needs_two, "aged": self._is_aged(op),
        }  # fmt: skip
        decided = decide(self._space(op["space"]), self._asked(op, val))
        return self._carry_out(op, val, decided)

    def _is_aged(self, op: Json) -> bool:
        if op["claimed"] == op["hlc"]:
            return False
        return hlc.millis(op["claimed"]) - self._skew_ms < self._now_ms - FRESH_MS

    def _resolve(self, op: Json) -> Json:
        val = {"base": op["base"], "seen": op["seen"], "choose": op["choose"], "why": op["why"]}
        decided = decide(self._space(op["space"]), self._asked(op, val))
        return self._carry_out(op, val, decided)

    def _asked(self, op: Json, val: Json) -> "Asked":
        return Asked(
            op["op"], op["k"], op["space"], op["coll"], op["rec"], op["hlc"], val,
            self._who.account, self._who.device, self._now_ms,
        )  # fmt: skip

    def _carry_out(self, op: Json, val: Json, decided: "Decided") -> Json:
        space = self._space(op["space"])
        conflict = conflict_of(op["space"], op["rec"])
        place = space.place(self._who.device)
        place.last_hlc = max(place.last_hlc, op["hlc"])
        if decided.verdict == "stale_resolve":
            return _result(op, "stale_resolve", **decided.more)
        if decided.verdict in _TO_QUARANTINE:
            code = decided.more["code"]
            space.quarantine.setdefault(op["op"], f"{decided.verdict} {code}")
            return _result(op, decided.verdict, code=code)
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
        return _result(op, decided.verdict, seq=logged.seq, **more)

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
            rec=_rec_of(op),
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


_SAFETY = ("safety", "resolve")


def _rec_of(op: Json) -> str:
    rec: str = op["op"] if op["k"] == "event" else op["rec"]
    return rec


def _result(op: Json, verdict: str, **more: object) -> Json:
    return {"op": op["op"], "s": verdict} | more


def _moment(ms: int) -> str:
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clock(ms: int) -> str:
    return f"{ms:012x}" + "f" * 20


def conflict_of(space: str, rec: str) -> str:
    """Return the record of the conflict over a safety record."""
    return str(uuid5(MOS, f"{UUID(space)}/conflict/{UUID(rec)}"))


def digest(value: Json) -> str:
    """Return what tells two safety values apart: 32 hex of SHA-256 over canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# ────────────────────────────────────────────────── safety


@dataclass(frozen=True)
class Asked:
    """A safety op or resolve as the decision sees it; `val` is what its log says of it."""

    op: str
    kind: str
    space: str
    coll: str
    rec: str
    hlc: str
    val: Json
    account: str
    device: str
    now_ms: int


@dataclass(frozen=True)
class Decided:
    """A verdict, what it says besides, and what becomes active and of the conflict (None: same)."""

    verdict: str
    more: Json = field(default_factory=dict)
    active: Json | None = None
    conflict: Json | None = None


def asked_in_log(space: str, row: Mapping[str, Any]) -> Asked:
    """Return what a row of the table `op` asked for, as its log says."""
    return Asked(
        str(row["op_id"]), row["kind"], space, row["coll"], str(row["rec_id"]), row["hlc"],
        row["val"], str(row["account_id"]), str(row["device_id"]),
        round(row["received_at"].timestamp() * 1000),
    )  # fmt: skip


def decide(space: Space, asked: Asked) -> Decided:
    """Return what becomes of a safety op or resolve; changes nothing."""
    record = space.recs.get(asked.rec)
    active = record.doc.get("active") if record else None
    conflict = space.recs.get(conflict_of(asked.space, asked.rec))
    if conflict is not None and conflict.coll != "conflict":
        return Decided("invalid", {"code": "rec_taken"})
    is_open = conflict is not None and conflict.doc["state"] == "open"
    candidates = dict(conflict.doc["candidates"]) if conflict is not None and is_open else None
    if asked.kind == "resolve":
        return _resolved(asked, active, candidates)
    return _proposed(asked, active, candidates)


def _proposed(asked: Asked, active: Json | None, candidates: Json | None) -> Decided:
    val, version = asked.val, active["ver"] if active else None
    if candidates is None and active is not None and active["dig"] == val["dig"]:
        return Decided("applied")
    # What took two people to make takes two to change, whatever it becomes.
    takes_two = val["second"] or (active is not None and "two" in active)
    reasons = {
        "open": candidates is not None,
        "base": val["base"] != version,
        "unconfirmed": not val["confirm"],
        "second": takes_two,
        "late": val["aged"] or hlc.millis(asked.hlc) < asked.now_ms - FRESH_MS,
    }
    why = next((word for word, applies in reasons.items() if applies), None)
    at = _moment(asked.now_ms)
    if why is None:
        return Decided("applied", active={
            "ver": asked.op, "v": val["v"], "by": asked.account, "at": at, "dig": val["dig"],
        })  # fmt: skip
    opened = {} if candidates is not None else {
        "of": {"coll": asked.coll, "rec": asked.rec}, "state": "open",
        "opened": {"at": at, "active": version},
    }  # fmt: skip
    candidates = candidates or {}
    before = candidates.get(val["base"])
    goes_on = before is not None and before["device"] == asked.device
    if goes_on:
        del candidates[val["base"]]
    elif len(candidates) >= MOST_CANDIDATES:
        return Decided("invalid", {"code": "conflict_full"})
    candidates[asked.op] = {
        "base": val["base"], "trunk": val["trunk"], "v": val["v"], "by": asked.account, "at": at,
        "made": _moment(hlc.millis(asked.hlc)), "device": asked.device, "why": why,
        "dig": val["dig"], "was": [*before["was"], val["base"]] if before and goes_on else [],
    } | ({"second": True} if takes_two else {}) | (
        {"two": True} if val["second"] else {}
    )  # fmt: skip
    return Decided("conflict", {"why": why}, conflict={"candidates": candidates} | opened)


def _resolved(asked: Asked, active: Json | None, candidates: Json | None) -> Decided:
    val, version = asked.val, active["ver"] if active else None
    if candidates is None or val["base"] != version or set(val["seen"]) != set(candidates):
        unseen = sorted(set(candidates or ()) - set(val["seen"]))
        return Decided("stale_resolve", {"active": version, "unseen": unseen})
    chosen = candidates.get(val["choose"])
    if chosen is not None and "second" in chosen and chosen["by"] == asked.account:
        return Decided("forbidden", {"code": "second_signer"})
    at = _moment(asked.now_ms)
    closed = {
        "state": "closed",
        "resolved": {
            "by": asked.account, "at": at, "chose": val["choose"], "why": val["why"],
            "op": asked.op,
        },
    }  # fmt: skip
    if chosen is None:
        return Decided("applied", conflict=closed)
    return Decided("applied", conflict=closed, active={
        "ver": asked.op, "v": chosen["v"], "by": asked.account, "at": at, "dig": chosen["dig"],
        "of": val["choose"],
    } | ({"second": chosen["by"]} if "second" in chosen else {}) | (
        {"two": True} if "two" in chosen else {}
    ))  # fmt: skip


def later(stamp: str, than: str) -> str:
    """Return a clock of the same actor that is later than `than`."""
    tick = max(int(stamp[:16], 16), int(than[:16] or "0", 16) + 1 if than else 0)
    return f"{tick:016x}{stamp[16:]}"

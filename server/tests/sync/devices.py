"""Simulated devices and a reference of the merge, for the tests of synchronisation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from mos.db import Scope
from mos.kernel.errors import Invalid
from mos.ops.sim import reference
from mos.sync import actions, hlc
from mos.sync.model import Author, Collection, Grant, Pull, Pushed, PushHead

NOW = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
WORDS = frozenset({"plan.view", "plan.edit", "plan.confirm", "outcome.record", "alert.take"})


def check_text(groups: Mapping[str, Any]) -> None:
    """A domain's check: a title is text."""
    if not isinstance(groups.get("title", ""), str):
        raise Invalid("A title is text.", field="title")


def check_dose(groups: Mapping[str, Any]) -> None:
    """A domain's check: a dose is said in words."""
    if not isinstance(groups["v"].get("dose"), str):
        raise Invalid("A dose is text.", field="v.dose")


def check_any(_groups: Mapping[str, Any]) -> None:
    """A domain's check that lets everything pass."""


COLLECTIONS = {
    collection.name: collection
    for collection in (
        Collection(name="profile", kind="set", write="plan.edit", check=check_any),
        Collection(name="reminder", kind="set", write="plan.edit", check=check_text),
        Collection(name="completion", kind="event", write="outcome.record", check=check_any),
        Collection(
            name="alert",
            kind="set",
            write="alert.take",
            check=check_any,
            people_may=frozenset({"taken", "closed"}),
        ),
        # One that people propose and others confirm; "double" takes two of them.
        Collection(
            name="dose",
            kind="safety",
            write="plan.edit",
            confirm="plan.confirm",
            check=check_dose,
            second=lambda groups: groups["v"].get("double") is True,
        ),
        Collection(
            name="conflict",
            kind="set",
            write="plan.edit",
            check=check_any,
            people_may=frozenset(),
        ),
    )
}


@dataclass
class Device:
    """One device of one signed-in person: it writes ops, pushes them, pulls."""

    database: Any
    org: UUID
    spaces: tuple[UUID, ...]
    words: frozenset[str] = WORDS
    collections: Mapping[str, Collection] = field(default_factory=lambda: COLLECTIONS)
    account: UUID = field(default_factory=uuid4)
    id: UUID = field(default_factory=uuid4)
    clock: str = hlc.NEVER
    sent: dict[UUID, int] = field(default_factory=dict)
    cursors: dict[UUID, str] = field(default_factory=dict)
    rows: dict[UUID, dict[str, tuple[str, int, dict, dict]]] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """Its part of every clock."""
        return self.id.hex[16:]

    @property
    def author(self) -> Author:
        """Who pushes."""
        return Author(
            org=self.org,
            account=self.account,
            session=self.account,
            device=self.id,
            reach=dict.fromkeys(self.spaces, self.words),
        )

    def set(self, rec, groups, *, coll="reminder", space=None, ms=NOW_MS, **more) -> dict:
        """Write a set op."""
        return self._op(space, ms, k="set", coll=coll, rec=str(rec), f=groups, **more)

    def event(self, v, *, coll="completion", space=None, ms=NOW_MS, **more) -> dict:
        """Write an event op."""
        return self._op(space, ms, k="event", coll=coll, v=v, **more)

    def safety(self, rec, v, *, base=None, trunk=None, space=None, ms=NOW_MS, **more) -> dict:
        """Write a safety op."""
        return self._op(
            space, ms, k="safety", coll="dose", rec=str(rec), base=base, trunk=trunk, v=v, **more
        )

    def resolve(self, rec, choose, *, base, seen, space=None, ms=NOW_MS, why="So.") -> dict:
        """Write a resolve op."""
        return self._op(
            space, ms, k="resolve", coll="dose", rec=str(rec),
            base=base, seen=seen, choose=choose, why=why,
        )  # fmt: skip

    def _op(self, space, ms, **rest) -> dict:
        space = space or self.spaces[0]
        self.clock = hlc.send(self.clock, ms, self.actor)
        self.sent[space] = self.sent.get(space, 0) + 1
        return {
            "op": str(uuid4()),
            "n": self.sent[space],
            "space": str(space),
            "hlc": self.clock,
        } | rest

    async def push(self, *ops, now=NOW, client_now=None) -> Pushed:
        """Send a batch and return the answer, committed."""
        return await self.push_text(json.dumps(ops), now=now, client_now=client_now)

    async def push_text(self, ops: str, *, now=NOW, client_now=None) -> Pushed:
        """Send a batch whose ops are JSON already."""
        async with self.database.app.transaction(Scope(self.org)) as db:
            return await self.push_in(db, ops, now=now, client_now=client_now)

    async def push_in(self, db, ops: str, *, now=NOW, client_now=None) -> Pushed:
        """Send a batch in a transaction whose end is the caller's."""
        head = PushHead(
            proto=1,
            schema=1,
            device_id=self.id,
            client_now=client_now or now,
            ops=msgspec.json.decode(ops, type=list[msgspec.Raw]),
        )
        return await actions.push(db, self.author, head, self.collections, now)

    async def verdicts(self, *ops, now=NOW) -> list[str]:
        """Send a batch; return its verdicts as words."""
        return [result.s for result in (await self.push(*ops, now=now)).results]

    async def pull_once(self, *, limit=2000, spaces=None, check=True, now=NOW):
        """Ask once and take what comes; return the answer."""
        grants = {
            space: Grant(space, "caregiver", sorted(self.words), "resident")
            for space in (self.spaces if spaces is None else spaces)
        }
        request = Pull(
            proto=1,
            schema=1,
            device_id=self.id,
            spaces={space: self.cursors.get(space, "") for space in self.spaces},
            limit=limit,
            check=check,
        )
        async with self.database.app.transaction(Scope(self.org)) as db:
            answer = await actions.pull(db, self.org, grants, request, now)
        for reset in answer.reset:
            self.rows[reset.id] = {}
            self.cursors[reset.id] = ""
        for pulled in answer.spaces:
            mine = self.rows.setdefault(pulled.id, {})
            for coll, rec, seq, doc, clk in msgspec.json.decode(bytes(pulled.rows)):
                mine[rec] = (coll, seq, doc, clk)
            self.cursors[pulled.id] = pulled.cur
            if pulled.check is not msgspec.UNSET:
                assert msgspec.to_builtins(pulled.check) == fingerprint(mine)
        return answer

    async def pull(self, *, limit=2000) -> dict[UUID, dict]:
        """Pull until nothing is left; return the rows of every space."""
        while True:
            answer = await self.pull_once(limit=limit)
            if not answer.reset and not any(space.more for space in answer.spaces):
                return self.rows


def fingerprint(rows: Mapping[str, tuple[str, int, dict, dict]]) -> dict[str, Any]:
    """The check of docs/sync.md, over rows as a device has them."""
    seqs = [seq for _coll, seq, doc, _clk in rows.values() if doc.get("deleted") is not True]
    return {
        "n": len(seqs),
        "sum": str(sum(seqs)),
        "sq": str(sum(seq * seq for seq in seqs) % 2**53),
    }


def replayed(space: str, log: list[dict[str, Any]]) -> dict[str, tuple[str, int, dict, dict]]:
    """P4, P8: play a space's log from its beginning; return the rows that it must have left.

    Fails where a place is missing, where a safety op was not decided as the rules decide it upon
    what stood there at its place, or where the server wrote anything else into a conflict.
    """
    world = reference.Space()
    follows: tuple[str, dict] | None = None
    for place, row in enumerate(log, 1):
        assert row["seq"] == place
        rec, val, clock = str(row["rec_id"]), row["val"], row["hlc"]
        if row["kind"] in ("safety", "resolve"):
            assert follows is None
            decided = reference.decide(world, reference.asked_in_log(space, row))
            assert row["verdict"] == decided.verdict
            if decided.conflict is not None:
                follows = reference.conflict_of(space, rec), decided.conflict
            groups = {} if decided.active is None else {"active": decided.active}
            known = world.recs[rec].clk.get("active", "") if rec in world.recs else ""
            clock = reference.later(clock, known)
        elif row["coll"] == "conflict":
            assert (rec, val) == follows
            follows, groups = None, val
        else:
            assert follows is None
            stood = world.recs[rec].clk if rec in world.recs else {}
            groups = {name: value for name, value in val.items() if clock > stood.get(name, "")}
        if groups:
            record = world.recs.setdefault(rec, reference.Record(row["coll"], 0, {}, {}))
            record.doc |= groups
            record.clk |= dict.fromkeys(groups, clock)
            record.seq = place
    assert follows is None
    return {rec: (one.coll, one.seq, one.doc, one.clk) for rec, one in world.recs.items()}


class Reference:
    """The merge of docs/sync.md, one op after the other, in plain Python."""

    def __init__(self) -> None:
        self.seq = 0
        self.recs: dict[str, tuple[str, int, dict, dict]] = {}
        self.seen: dict[str, tuple[str, int]] = {}

    def take(self, op: dict, by: str) -> tuple[str, int | None]:
        """Accept an op; return its verdict and place."""
        if op["op"] in self.seen:
            return "dup", self.seen[op["op"]][1]
        rec = op["op"] if op["k"] == "event" else op["rec"]
        coll, at, doc, clk = self.recs.get(rec, (op["coll"], 0, {}, {}))
        if coll != op["coll"] or (op["k"] == "event" and at):
            return "invalid", None
        self.seq += 1
        groups = {"v": op["v"], "by": by} if op["k"] == "event" else op["f"]
        won = {group: value for group, value in groups.items() if op["hlc"] > clk.get(group, "")}
        if won:
            clocks = dict.fromkeys(won, op["hlc"])
            self.recs[rec] = (coll, self.seq, doc | won, clk | clocks)
        self.seen[op["op"]] = ("applied" if won else "superseded", self.seq)
        return self.seen[op["op"]]

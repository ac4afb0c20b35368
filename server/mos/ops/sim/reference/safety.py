"""What becomes of a proposal and of a choice: the section Safety of docs/sync.md."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from mos.kernel.ids import MOS
from mos.ops.sim.reference.space import Json, Record, Space, moment
from mos.sync import hlc

# A proposal older than this is confirmed by a person, whoever made it.
FRESH_MS = 24 * 3_600_000
MOST_CANDIDATES = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def conflict_of(space: str, rec: str) -> str:
    """Return the record of the conflict over a safety record."""
    return str(uuid5(MOS, f"{UUID(space)}/conflict/{UUID(rec)}"))


def digest(value: Json) -> str:
    """Return what tells two safety values apart: 32 hex of SHA-256 over canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


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
        (row["received_at"] - _EPOCH) // timedelta(milliseconds=1),
    )  # fmt: skip


def decide(space: Space, asked: Asked) -> Decided:
    """Return what becomes of a safety op or resolve; changes nothing."""
    record = space.recs.get(asked.rec)
    active = record.doc.get("active") if record else None
    conflict = space.recs.get(conflict_of(asked.space, asked.rec))
    if conflict is not None and (
        conflict.coll != "conflict" or conflict.doc["of"]["coll"] != asked.coll
    ):
        return Decided("invalid", {"code": "rec_taken"})
    is_open = conflict is not None and conflict.doc["state"] == "open"
    candidates = dict(conflict.doc["candidates"]) if conflict is not None and is_open else None
    if asked.kind == "resolve":
        return _resolved(asked, active, candidates)
    return _proposed(asked, active, candidates, conflict)


def _proposed(
    asked: Asked, active: Json | None, candidates: Json | None, conflict: Record | None
) -> Decided:
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
        # Somebody decided that it stays, and this author had not heard of it.
        "decided": conflict is not None
        and "resolved" in conflict.doc
        and conflict.doc["resolved"]["chose"] == version
        and val.get("made", asked.hlc) < conflict.clk["state"],
    }
    why = next((word for word, applies in reasons.items() if applies), None)
    at = moment(asked.now_ms)
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
    whose = (asked.device, asked.account)
    goes_on = before is not None and (before["device"], before["by"]) == whose
    if goes_on:
        del candidates[val["base"]]
    elif len(candidates) >= MOST_CANDIDATES:
        return Decided("invalid", {"code": "conflict_full"})
    candidates[asked.op] = {
        "base": val["base"], "trunk": val["trunk"], "v": val["v"], "by": asked.account, "at": at,
        "made": moment(hlc.millis(asked.hlc)), "device": asked.device, "why": why,
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
    at = moment(asked.now_ms)
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

"""Decisions about ops and cursors. Pure: no await, no clock, no database."""

import re
from collections import Counter
from collections.abc import Iterable
from uuid import UUID

import msgspec
from msgspec import Raw

from mos.kernel.errors import Invalid
from mos.kernel.ids import made_at
from mos.sync import hlc
from mos.sync.model import (
    MAX_GROUP,
    MAX_SAFETY,
    SKEW_MS,
    Collection,
    Collections,
    Cursor,
    EventOp,
    Groups,
    Op,
    OpIds,
    Reach,
    Refusal,
    ResolveOp,
    SafetyOp,
    SchemaRange,
    SetOp,
    Unreadable,
)

_MAX_OP_BYTES = 65_536
# Every candidate of a conflict is written anew with each that joins it.
_MAX_SAFETY_BYTES = 4_096
_MAX_DEPTH = 32
_NO_TAG = "00000000"
# No device works longer than this without meeting the server.
_AWAY_MS = 60 * 24 * 3_600_000

# The version of an id that is made of a name (RFC 9562).
NAMED = 5

# Said of a space that is not theirs and of one that does not exist: the two look alike.
NO_ACCESS = Refusal("forbidden", "no_access")
# Said of an op over which the domain that owns its collection crashes.
HOOK_FAILED = Refusal("invalid", "hook_failed")
# Said of what names a record that the server alone begins, and has not.
UNKNOWN_RECORD = Refusal("invalid", "unknown_record", "rec")
# Said of every op of a group that nobody would hold a space for.
LARGE_GROUP = Refusal("invalid", "too_large", "g")

_op: msgspec.json.Decoder[Op] = msgspec.json.Decoder(SetOp | EventOp | SafetyOp | ResolveOp)
_ids = msgspec.json.Decoder(OpIds)

_KINDS = {SetOp: "set", EventOp: "event", SafetyOp: "safety", ResolveOp: "resolve"}

# What no record can hold: U+0000, and U+0001, with which sealed values begin.
_CONTROL = re.compile(rb"(?<!\\)(?:\\\\)*\\u000([01])")
_LONG_NUMBER = re.compile(rb"[:,\[\s-][0-9]{19}")
_CURSOR = re.compile(
    r"(?P<epoch>\d{1,9})\.(?P<seq>\d{1,18})\.(?P<tag>[0-9a-f]{8})(?:\.(?P<floor>\d{1,18}))?"
)
# msgspec ends its sentence with where it was: "… - at `$.hlc`".
_AT = re.compile(r"`\$\.?(?P<path>[^`]*)`$")
# A field that is missing or unknown it names within the sentence; where that is, at its end.
_FIELD = re.compile(r"field `(?P<field>[^`]*)`")
_MAX_PATH = 200


def read(raw: Raw) -> Op | Unreadable:
    """Return the op that a device wrote, or what could be made of it.

    Raises msgspec.ValidationError when not even its id and its space can be read.
    """
    text = bytes(raw)
    try:
        written = text.decode()
    except UnicodeDecodeError as error:
        # The parts of a message are passed over when it is read: this one is not even text.
        raise msgspec.ValidationError(str(error)) from error
    try:
        refusal = _unfit(text)
        if refusal is None:
            op = _op.decode(text)
            refusal = _unfit_values(text, op)
            if refusal is None:
                return op
    except msgspec.ValidationError as error:
        refusal = Refusal("invalid", "malformed", _path(str(error)))
    ids = _ids.decode(text)
    if ids.k not in _KINDS.values():
        refusal = Refusal("invalid", "unknown_kind", "k")
    return Unreadable(ids, refusal, written)


def _path(sentence: str) -> str | None:
    """Return where in an op it is that msgspec's sentence complains of; None: of all of it."""
    at, field = _AT.search(sentence), _FIELD.search(sentence)
    parts = [at["path"] if at else "", field["field"] if field else ""]
    # What a field is called is its writer's to choose, at whatever length.
    return ".".join(filter(None, parts))[:_MAX_PATH] or None


def _unfit(text: bytes) -> Refusal | None:
    if len(text) > _MAX_OP_BYTES:
        return Refusal("invalid", "too_large")
    # The first look is twenty times quicker, and enough for nearly every op.
    if b"\\u000" in text and (found := _CONTROL.search(text)):
        return Refusal("invalid", "nul" if found[1] == b"0" else "control")
    return None


def _unfit_values(text: bytes, op: Op) -> Refusal | None:
    if isinstance(op, SafetyOp) and len(text) > _MAX_SAFETY_BYTES:
        return Refusal("invalid", "too_large")
    # Two cheap looks at the text spare nearly every op the walk through its values.
    if text.count(b"[") + text.count(b"{") <= _MAX_DEPTH and not _LONG_NUMBER.search(text):
        return None
    return _walk(groups_of(op), -1)


def _walk(value: object, depth: int) -> Refusal | None:
    if depth > _MAX_DEPTH:
        return Refusal("invalid", "too_deep")
    match value:
        case int():
            fits = -(2**63) <= value < 2**63
            return None if fits else Refusal("invalid", "malformed")
        case dict():
            inner = list(value.values())
        case list():
            inner = value
        case _:
            return None
    return next((found for item in inner if (found := _walk(item, depth + 1))), None)


def number(value: object) -> int | None:
    """Return an unreadable op's number on its device, where at least that can be read."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 < value <= 2**53 else None


def groups_of(op: Op) -> Groups:
    """Return what the device wrote, by group."""
    match op:
        case SetOp():
            return op.f
        case ResolveOp():
            return {}
        case _:
            return {"v": op.v}


def kind_of(op: Op) -> str:
    """Return the op's kind as it travels."""
    return _KINDS[type(op)]


def group_of(op: Op | Unreadable) -> UUID | None:
    """Return the group that an op stands or falls with, or None when it stands alone."""
    if isinstance(op, ResolveOp):
        return None
    if not isinstance(op, Unreadable):
        return op.g
    try:
        return UUID(op.ids.g) if isinstance(op.ids.g, str) else None
    except ValueError:
        return None


def large_groups(groups: Iterable[UUID | None]) -> frozenset[UUID]:
    """Return which groups of a batch hold more ops than may stand or fall together."""
    counted = Counter(group for group in groups if group is not None)
    return frozenset(group for group, size in counted.items() if size > MAX_GROUP)


def takes_too_long(ops: list[Op | Unreadable]) -> bool:
    """Say whether a batch holds more proposals and decisions than are made with a space locked.

    What stands or falls together could be sent in no other way.
    """
    decided = sum(isinstance(op, SafetyOp | ResolveOp) for op in ops)
    return decided > MAX_SAFETY and (
        group_of(ops[0]) is None or len({group_of(op) for op in ops}) > 1
    )


def record_of(op: Op) -> UUID:
    """Return the record that an op writes: an event makes its own."""
    return op.op if isinstance(op, EventOp) else op.rec


def refusal(op: Op, reach: Reach, collections: Collections) -> Refusal | None:
    """Say why this op may not be taken from a person of this `reach`, or None.

    Whether the space is there and open, and whether the record may be written, the database knows.
    """
    if op.space not in reach:
        return NO_ACCESS
    collection = collections.get(op.coll)
    if collection is None:
        return Refusal("invalid", "unknown_collection", "coll")
    if collection.kind != ("safety" if isinstance(op, ResolveOp) else kind_of(op)):
        return Refusal("invalid", "kind", "k")
    word = collection.confirm if isinstance(op, ResolveOp) else collection.write
    if word not in reach[op.space] and not _is_lesser(op, reach[op.space], collection):
        return Refusal("forbidden", "permission")
    if isinstance(op, ResolveOp):
        seen = op.choose == op.base or op.choose in op.seen
        return None if seen else Refusal("invalid", "not_seen", "choose")
    refused = _refused_groups(groups_of(op), collection)
    return refused if refused is not None else _refused_name(op, collection)


def _is_lesser(op: Op, words: frozenset[str], collection: Collection) -> bool:
    """Say whether a person may set just these groups, with a word that is less than `write`."""
    if collection.lesser is None or collection.kind != "set":
        return False
    word, passes = collection.lesser
    return word in words and passes(groups_of(op))


def _refused_name(op: Op, collection: Collection) -> Refusal | None:
    rec = record_of(op)
    if rec.version != NAMED or collection.known is not None:
        return None
    if collection.named is not None and collection.named(op.space, rec, groups_of(op)):
        return None
    return Refusal("invalid", "named", "op" if isinstance(op, EventOp) else "rec")


def _refused_groups(groups: Groups, collection: Collection) -> Refusal | None:
    if collection.kind == "set" and collection.people_may is not None:
        foreign = groups.keys() - collection.people_may
        if foreign:
            return Refusal("forbidden", "group", min(foreign))
    try:
        collection.check(groups)
    except Invalid as error:
        return Refusal("invalid", error.code, error.field)
    return None


def schema_range(collections: Collections) -> SchemaRange:
    """Return which shapes of records this server speaks, and which may still be written."""
    return SchemaRange(colls={each.name: each.min_push for each in collections.values()})


def is_too_old(schema: int, collection: Collection) -> bool:
    """Say whether an app that knows this schema may not write a collection: it could not show it.

    Of everything else an old app writes what it always wrote.
    """
    return collection.kind == "safety" and schema < collection.min_push


def ahead(clock: str, now_ms: int) -> bool:
    """Say whether a device's clock is too far ahead of the server's to be believed."""
    return hlc.millis(clock) > now_ms + SKEW_MS


def clamped(ops: list[Op], floors: dict[UUID, str], now_ms: int) -> dict[UUID, str]:
    """Return the clock of each op that has to be stamped anew, by op id.

    `floors` is the latest clock that the server keeps from this device in each space. Ops are taken
    in the device's own order, by `n`.
    """
    anew: dict[UUID, str] = {}
    for space, floor in floors.items():
        ordered = sorted((op for op in ops if op.space == space), key=lambda op: op.n)
        kept = hlc.clamp((op.hlc for op in ordered), floor=floor, now_ms=now_ms, limit_ms=SKEW_MS)
        anew |= {op.op: clock for op, clock in zip(ordered, kept, strict=True) if clock != op.hlc}
    return anew


def made(claimed: str, op: UUID, *, skew_ms: int, now_ms: int) -> str | None:
    """Return the server's clock of when an op was written that claims a moment too far ahead.

    `skew_ms` is how far the device's clock was ahead when it sent, at the server's `now_ms`. A
    clock that was put right since stays ahead in what the device writes: what it claims would still
    be to come. Then the op's id tells, which a device makes by its wall clock alone; where that
    cannot be either, it was made before the clock was put right, and nobody knows when: None.
    A clock that was not stamped anew needs no such reckoning: devices correct theirs by the
    server's.
    """
    made_ms = max(hlc.millis(claimed) - skew_ms, 0)
    if made_ms > now_ms:
        by_id = made_at(op)
        if by_id is not None and now_ms - _AWAY_MS <= by_id - skew_ms <= now_ms:
            made_ms = by_id - skew_ms
        elif made_ms > now_ms + SKEW_MS:
            return None
    return f"{made_ms:012x}{claimed[12:]}"


def cursor(text: str) -> Cursor:
    """Return the place that a cursor names. One that cannot be read belongs to no history."""
    if text == "":
        return Cursor("", 0, 0, _NO_TAG)
    match = _CURSOR.fullmatch(text)
    if match is None:
        return Cursor(text, -1, 0, _NO_TAG)
    return Cursor(
        text, int(match["epoch"]), int(match["seq"]), match["tag"], int(match["floor"] or 0)
    )


def cursor_text(epoch: int, seq: int, tag: str | None, *, floor: int = 0) -> str:
    """Return the cursor for a place; its `tag` is None where no op proves it (or none is needed).

    `floor` matters while the place lies below it.
    """
    place = f"{epoch}.{seq}.{tag or _NO_TAG}"
    return f"{place}.{floor}" if seq < floor else place

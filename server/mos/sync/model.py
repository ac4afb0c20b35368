"""Words of synchronisation: what a domain declares, what travels, what came of it. Types only."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from mos.db import Db

PROTO = 1
SCHEMA = 1
MAX_OPS = 500
MAX_BYTES = 1_048_576
MAX_GROUP = 50
# How many proposals and decisions a push may hold, unless it is one group: each writes its whole
# conflict anew, with the space locked, and a group among them may have to be taken apart by itself.
MAX_SAFETY = 20
# The collection of conflicts over safety records, which the server alone writes.
CONFLICT = "conflict"
# A device's clock may run this far ahead of the server's before its ops are stamped anew.
SKEW_MS = 60_000

Groups = dict[str, Any]
# Space and record.
RecordName = tuple[UUID, UUID]

# ────────────────────────────────────────────────── what a domain declares, and what it is told


class Change(Struct, frozen=True, kw_only=True):
    """One accepted op that changed its record, as the domain's hook sees it."""

    space: UUID
    coll: str
    rec: UUID
    op: UUID
    seq: int
    kind: Literal["set", "event", "safety", "resolve", "system"]
    # What this op wrote: `{"title": …}`; of an event `{"v": {…}, "by": "<account>"}`; of a safety
    # record what is active now; of a conflict what changed in it.
    groups: Groups
    # The whole record as it stands after the batch that this op came in.
    doc: Groups
    by: UUID | None  # account; None: the server itself
    device: UUID | None
    at: datetime  # when the server received it


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What a domain lets devices synchronise: one kind of record.

    `check` gets the groups as the device wrote them, `{"title": …}` for a set and `{"v": {…}}` for
    an event or a safety op, and raises Invalid with `field` where they are wrong. `people_may`
    names the groups that people may set (None: all); the rest is the server's. `lesser` is a word
    that lets people without `write` set what passes its question. Of a safety
    collection, `write` lets people propose and `confirm` make active, and `second` says of the
    groups whether it takes two people to make them so. `applied` runs inside the push's
    transaction with all changes of one push to this collection, in order, spaces mixed; it must not
    refuse: what it raises undoes the push, and the op at fault is looked for and set aside
    (`mos.sync.apart`), unless the database was away: then the device tries again later.

    `marks` says of events that are taken, before they are kept, what the server adds to each:
    groups by the op. It refuses nothing either; a crash is treated as one of `applied`.

    An id of version 5 is a name: it may be taken before what it names is there, and another
    collection's, or a conflict's, then never could be. So people write such a record only where
    `named` says of space, id and groups that this is its name, or `known` that the server has begun
    it: it returns those of (space, record) that it has, in one statement.
    """

    name: str
    kind: Literal["set", "event", "safety"]
    write: str  # the permission word that a writer needs in the space
    check: Callable[[Groups], None]
    people_may: frozenset[str] | None = None
    lesser: tuple[str, Callable[[Groups], bool]] | None = None
    confirm: str | None = None
    second: Callable[[Groups], bool] | None = None
    # Which groups stay readable in the database: what the engine and its statements read of them.
    clear: frozenset[str] = frozenset()
    # What a writer must know: an app that cannot show a new field of it may not write without it.
    min_push: int = 1
    applied: Callable[[Db, UUID, list[Change], datetime], Awaitable[None]] | None = None
    marks: "Marks | None" = None
    named: Callable[[UUID, UUID, Groups], bool] | None = None
    known: Callable[[Db, UUID, Sequence[RecordName]], Awaitable[set[RecordName]]] | None = None


class Happening(Struct, frozen=True):
    """An event as it is about to be kept: what its author wrote, and might do in its space."""

    op: UUID
    space: UUID
    v: Groups
    words: frozenset[str]


class SystemChange(Struct, frozen=True, kw_only=True):
    """What the server itself writes into a record, by `record`."""

    space: UUID
    coll: str
    rec: UUID
    groups: Groups
    # Which of the groups stay readable in the database (Collection.clear).
    clear: frozenset[str] = frozenset()
    # Given, a second `record` of the same id changes nothing; absent, one is made.
    op: UUID | None = None


# What a person may do in each space that they reach, as permission words.
Reach = Mapping[UUID, frozenset[str]]
Collections = Mapping[str, Collection]


class Held(Struct, frozen=True):
    """What a person might do in a space from `since` until before `until`."""

    words: frozenset[str]
    since: datetime
    until: datetime


class Author(Struct, frozen=True, kw_only=True):
    """Who wrote a batch and where they may: from a session, never from the body."""

    org: UUID
    account: UUID
    session: UUID
    device: UUID
    reach: Reach
    # What they might until lately: all of it where they may nothing now, and some where less.
    had: Mapping[UUID, tuple[Held, ...]] = {}
    # When that session began and ended, where it is not the one that sends.
    during: tuple[datetime, datetime] | None = None
    # The shape of records that their app knows.
    schema: int = SCHEMA


# What a domain adds to events, by op (Collection.marks).
Marks = Callable[[Db, Author, Sequence[Happening], datetime], Awaitable[Mapping[UUID, Groups]]]

# ────────────────────────────────────────────────── what travels

# `\Z`, not `$`: the latter would let a line break pass.
_Word = Annotated[str, Meta(pattern=r"^[a-z_]{1,32}\Z")]
_Hlc = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
_Number = Annotated[int, Meta(ge=1, le=2**53)]
_Moment = Annotated[datetime, Meta(tz=True)]


class SetOp(Struct, frozen=True, tag="set", tag_field="k", forbid_unknown_fields=True):
    """Change groups of one record."""

    op: UUID
    n: _Number
    space: UUID
    hlc: _Hlc
    coll: _Word
    rec: UUID
    f: Annotated[dict[_Word, Any], Meta(min_length=1, max_length=64)]
    g: UUID | None = None


class EventOp(Struct, frozen=True, tag="event", tag_field="k", forbid_unknown_fields=True):
    """Something happened. Its record's id is the op's own, and it never changes."""

    op: UUID
    n: _Number
    space: UUID
    hlc: _Hlc
    coll: _Word
    v: Groups
    g: UUID | None = None


class SafetyOp(Struct, frozen=True, tag="safety", tag_field="k", forbid_unknown_fields=True):
    """Propose a whole value for a record whose versions are never merged."""

    op: UUID
    n: _Number
    space: UUID
    hlc: _Hlc
    coll: _Word
    rec: UUID
    base: UUID | None  # the version that the author saw as the latest; None: there was none
    trunk: UUID | None  # the latest version that had come from the server
    v: Groups
    g: UUID | None = None


class ResolveOp(Struct, frozen=True, tag="resolve", tag_field="k", forbid_unknown_fields=True):
    """Close a conflict: choose between what is active and what was proposed. Stands alone."""

    op: UUID
    n: _Number
    space: UUID
    hlc: _Hlc
    coll: _Word
    rec: UUID
    base: UUID | None  # the active version that the author saw
    seen: Annotated[list[UUID], Meta(max_length=500)]  # the candidates that they saw
    choose: UUID | None
    why: Annotated[str, Meta(min_length=1, max_length=400)]


Op = SetOp | EventOp | SafetyOp | ResolveOp


class OpIds(Struct, frozen=True):
    """What must be readable of an op whose rest is not: enough to keep it and answer for it."""

    op: UUID
    space: UUID
    n: Any = None
    k: Any = None
    g: Any = None


class Refusal(Struct, frozen=True):
    """Why one op is not taken; docs/sync.md lists the codes."""

    verdict: Literal["invalid", "forbidden"]
    code: str
    path: str | None = None


class Unreadable(Struct, frozen=True):
    """An op that no record can hold; `text` is kept as it came."""

    ids: OpIds
    refusal: Refusal
    text: str


class Cursor(Struct, frozen=True):
    """A place in one history of a space.

    `floor`: of a device that is still on its way from the beginning, how much of the past was
    forgotten when it began.
    """

    text: str
    epoch: int
    seq: int
    tag: str
    floor: int = 0


# As many spaces as a body has room for: a greeting says of all where it stands.
_ALL_SPACES = 10_000
_Spaces = Annotated[list[UUID], Meta(max_length=_ALL_SPACES)]
_Ranges = Annotated[list[tuple[_Number, _Number]], Meta(max_length=1000)]


class Hello(Struct, frozen=True):
    """A device says what it is and how far it has sent. Unknown fields are a newer app's."""

    proto: tuple[int, int]
    schema: int
    device_id: UUID
    client_now: _Moment
    app: Annotated[str, Meta(max_length=100)] = ""
    sent: Annotated[dict[UUID, int], Meta(max_length=_ALL_SPACES)] = {}
    # What it has lost of its own numbers, first and last; and the spaces that it has forgotten.
    lost: Annotated[dict[UUID, _Ranges], Meta(max_length=_ALL_SPACES)] = {}
    purged: _Spaces = []
    # Refused ops of whoever is signed in that they have read.
    read: Annotated[list[UUID], Meta(max_length=1000)] = []


class SignedBy(Struct, frozen=True):
    """The session that wrote a batch, where it is not the one that sends it, and the proof."""

    sid: UUID
    mac: Annotated[str, Meta(max_length=64)]


class PushHead(Struct, frozen=True, rename={"signed_by": "as"}):
    """A batch whose ops are read one by one, so that one bad op spoils no other."""

    proto: int
    schema: int
    device_id: UUID
    client_now: _Moment
    ops: list[Raw]
    batch: Annotated[str, Meta(max_length=100)] = ""
    signed_by: SignedBy | None = None


class Pull(Struct, frozen=True):
    """What the device has of each space: a cursor, or "" for nothing."""

    proto: int
    schema: int
    device_id: UUID
    spaces: Annotated[dict[UUID, Annotated[str, Meta(max_length=64)]], Meta(max_length=1000)]
    limit: Annotated[int, Meta(ge=1, le=5000)] = 2000
    check: bool = False
    # The device has more spaces than these, and asks of the others by themselves.
    part: bool = False


Verdict = Literal[
    "applied",
    "superseded",
    "conflict",
    "stale_resolve",
    "dup",
    "invalid",
    "forbidden",
    "gone",
    "retry",
]
CandidateWhy = Literal["open", "base", "unconfirmed", "second", "late", "decided"]
ResetWhy = Literal["epoch", "floor", "tag"]


class Result(Struct, frozen=True, omit_defaults=True):
    """The verdict on one op. `was` is the first verdict of a `dup`.

    Of a conflict: its record and why there is one. Of a stale resolve: the version that is active
    (None: there is none) and the candidates that its author had not seen.
    """

    op: UUID
    s: Verdict
    seq: int | UnsetType = UNSET
    was: Verdict | UnsetType = UNSET
    code: str | UnsetType = UNSET
    after_ms: int | UnsetType = UNSET
    path: str | UnsetType = UNSET
    rec: UUID | UnsetType = UNSET
    why: CandidateWhy | UnsetType = UNSET
    active: UUID | UnsetType | None = UNSET
    unseen: list[UUID] | UnsetType = UNSET


class Pushed(Struct, frozen=True):
    """The answer to a push; `results` in the order of the ops.

    `missing` are the numbers of this device's ops that never came, as inclusive pairs by space.
    """

    server_now: datetime
    results: list[Result]
    restamped: dict[UUID, str]
    acked: dict[UUID, int]
    heads: dict[UUID, int]
    missing: dict[UUID, list[tuple[int, int]]] | UnsetType = UNSET


class Check(Struct, frozen=True):
    """A space's fingerprint: its records that are not deleted, Σ seq and Σ seq² mod 2⁵³."""

    n: int
    sum: str
    sq: str


class PulledSpace(Struct, frozen=True):
    """One changed space: `rows` are `[coll, rec, seq, {group: value}, {group: hlc}]`."""

    id: UUID
    rows: Raw
    cur: str
    more: bool
    check: Check | UnsetType = UNSET


Kind = Literal["resident", "medication"]


class Grant(Struct, frozen=True):
    """A space that the actor may see, and what they may do there."""

    id: UUID
    role: str
    permissions: list[str]
    kind: Kind
    of: UUID | UnsetType = UNSET  # the resident's space that this one belongs to


class Added(Struct, frozen=True):
    """A space that the device did not ask for, and where all of it is to be had at once."""

    id: UUID
    role: str
    permissions: list[str]
    kind: Kind
    snap: str
    of: UUID | UnsetType = UNSET


class SpaceHead(Struct, frozen=True):
    """A grant with the space's present place, as `hello` lists it."""

    id: UUID
    role: str
    permissions: list[str]
    kind: Kind
    cur_hint: str
    floor: int
    of: UUID | UnsetType = UNSET


class Gone(Struct, frozen=True):
    """A space that the actor may no longer see: forget it."""

    id: UUID
    why: Literal["revoked", "erased"]
    purge: bool = True


class Reset(Struct, frozen=True):
    """A cursor that does not belong to the space's history: begin it anew."""

    id: UUID
    why: ResetWhy
    snap: str


class Pulled(Struct, frozen=True):
    """The answer to a pull: one snapshot of all the spaces asked for."""

    server_now: datetime
    spaces: list[PulledSpace]
    added: list[Added]
    gone: list[Gone]
    reset: list[Reset]


class SchemaRange(Struct, frozen=True):
    """Which shapes of records this server speaks."""

    current: int = SCHEMA
    min_pull: int = 1
    min_push: int = 1
    # Every collection that is taken, and the oldest app that may write it (of safety ones).
    colls: dict[str, int] = {}


class Limits(Struct, frozen=True):
    """How much one push may carry."""

    ops: int = MAX_OPS
    bytes: int = MAX_BYTES
    skew_ms: int = SKEW_MS


class Refused(Struct, frozen=True):
    """An op of whoever is signed in that was refused, on this device or another, and not read."""

    op: UUID
    space: UUID
    # "" where it could not be read.
    coll: str
    # Of an event its own, which is the op's.
    rec: UUID | None
    # Groups as written; of what could not be read, what can be made out of it; of a choice that
    # came too late, the versions it was between.
    what: Any
    verdict: str
    code: str
    at: datetime
    # They see the space no longer: nothing of what was written is told.
    bare: bool | UnsetType = UNSET


class HelloAnswer(Struct, frozen=True):
    """What the server wants a device to know at the start."""

    server_now: datetime
    lease_until: datetime
    acked: dict[UUID, int]
    # Numbers of the device below `acked` that never came, first and last.
    missing: dict[UUID, list[tuple[int, int]]]
    spaces: list[SpaceHead]
    refused: list[Refused] = []
    proto: int = PROTO
    schema: SchemaRange = SchemaRange()
    limits: Limits = Limits()
    wipe: bool = False

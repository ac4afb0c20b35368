"""What a device has stored."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from mos.ops.sim.reference import Json
from mos.sync import hlc

# For how long a change is kept after the server has it.
RING_MS = 14 * 24 * 3_600_000


@dataclass(frozen=True)
class Waiting:
    """A change whose result has not come back by a pull yet."""

    op: Json
    at: int
    seq: int | None = None

    @property
    def rec(self) -> str:
        """Return the record that it writes."""
        rec: str = self.op["op"] if self.op["k"] == "event" else self.op["rec"]
        return rec


@dataclass(frozen=True)
class Row:
    """A record as the server last told it."""

    coll: str
    seq: int
    doc: Json
    clk: dict[str, str]


@dataclass
class Disk:
    """What the device has stored."""

    device: str
    actor: str
    clock: str = hlc.NEVER
    skew: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    # space → cursor, and what may be done there
    cursors: dict[str, str] = field(default_factory=dict)
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    # Spaces whose cursor is that of a page after which there is more.
    partial: set[str] = field(default_factory=set)
    base: dict[str, dict[str, Row]] = field(default_factory=dict)
    outbox: dict[str, dict[int, Waiting]] = field(default_factory=dict)
    ring: dict[str, dict[int, tuple[Waiting, int]]] = field(default_factory=dict)
    refused: dict[str, Json] = field(default_factory=dict)
    # Numbers that the server misses and that are not here.
    lost: dict[str, list[list[int]]] = field(default_factory=dict)


def seq_of(cursor: str) -> int:
    """Return the place in a cursor; 0 for one that has seen nothing."""
    return int(cursor.split(".")[1]) if cursor else 0


def fingerprint(rows: Iterable[Row]) -> Json:
    """Return the check of docs/sync.md over rows as a device holds them."""
    seqs = [row.seq for row in rows if row.doc.get("deleted") is not True]
    return {
        "n": len(seqs),
        "sum": str(sum(seqs)),
        "sq": str(sum(seq * seq for seq in seqs) % 2**53),
    }

"""What the reference keeps: spaces with their records, their log and their devices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

SKEW_MS = 60_000
DAY_MS = 24 * 3_600_000


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
    # From which schema on an app may write it.
    min_push: int = 1
    # The collection of what its events give: the same occurrence twice is told.
    gives: str | None = None


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
    # The latest clock that was not believed, of the ops that are in the archive alone.
    archive_claimed: str = ""
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
    # Occurrences over which an alert is open because they were given twice.
    doubled: set[str] = field(default_factory=set)

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
    # What their app knows of records.
    schema: int = 1


def moment(ms: int) -> str:
    """Return the instant so many ms after 1970, as it travels."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

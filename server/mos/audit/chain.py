"""How lines hang together: canonical JSON, hashes, and what a look along a chain finds.

Pure. The database makes the same hashes when a line is added (audit_append); here they are made
again by other hands, and whoever could change the database could not change this.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from mos.audit.model import Happened

START = bytes(32)


class Line(Struct, frozen=True):
    """A line as the database has it."""

    org: UUID
    n: int
    content: str
    hash: bytes


class Head(Struct, frozen=True):
    """Where a chain ends: its last line's number and hash."""

    org: UUID
    n: int
    hash: bytes


class Broken(Struct, frozen=True):
    """What does not hold. `n` is a line's number; None where it is about no one line."""

    org: UUID | None
    n: int | None
    why: str

    def __str__(self) -> str:
        """Name the chain and the line."""
        where = "the roots" if self.org is None else f"chain {self.org}"
        return f"{where}{'' if self.n is None else f', line {self.n}'}: {self.why}"


def canonical(value: Any) -> str:
    """Return the one JSON text of a value of objects, lists, strings, integers and booleans."""
    # RFC 8785: sorted keys, no spaces; without fractions, which it writes in a way of its own.
    return msgspec.json.encode(value, order="deterministic").decode()


def content_of(happened: Happened, now: datetime) -> str:
    """Return what a line says of what happened at `now`; what is not known is left out."""
    fields = {
        "at": moment(now),
        "by": happened.by,
        "device": happened.device,
        "event": happened.event,
        "of": happened.of,
        "says": happened.says,
        "session": happened.session,
    }
    return canonical({name: value for name, value in fields.items() if value})


def moment(at: datetime) -> str:
    """Return a moment as lines write it: UTC, to the millisecond; their order is that of time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hash_of(before: bytes, org: UUID, n: int, content: str) -> bytes:
    """Return a line's hash, `before` being that of the line before it."""
    return hashlib.sha256(before + org.bytes + n.to_bytes(8) + content.encode()).digest()


class Walk:
    """Goes along the chains, lines in order, and collects what is broken."""

    def __init__(
        self,
        starts: Iterable[Head] = (),
        signed: Mapping[tuple[UUID, int], tuple[bytes, int]] | None = None,
    ) -> None:
        """Begin each chain after its head in `starts`, or at its first line.

        `signed` holds what roots have signed: organisation and line → hash and number of the root.
        """
        self.broken: list[Broken] = []
        self.lines = 0
        self._ends = {head.org: head for head in starts}
        self._signed = dict(signed or {})

    def see(self, lines: Iterable[Line]) -> None:
        """Go on along these lines: by organisation, and in each by number."""
        for line in lines:
            self._see(line)

    def end(self, heads: Iterable[Head]) -> list[Broken]:
        """Hold the ends that were found against the heads that are kept; return all that broke."""
        for head in heads:
            end = self._ends.get(head.org, Head(head.org, 0, START))
            if end.n < head.n:
                self._break(head.org, end.n + 1, f"missing ({_span(end.n + 1, head.n)})")
            elif end != head:
                self._break(head.org, end.n, "the chain's head says something else")
        for (org, n), (_, number) in self._signed.items():
            self._break(org, n, f"missing, though root {number} has signed it")
        return self.broken

    def _see(self, line: Line) -> None:
        self.lines += 1
        end = self._ends.get(line.org, Head(line.org, 0, START))
        if line.n != end.n + 1:
            self._break(line.org, end.n + 1, f"missing ({_span(end.n + 1, line.n - 1)})")
        elif hash_of(end.hash, line.org, line.n, line.content) != line.hash:
            self._break(line.org, line.n, "it was changed, or stands in the wrong place")
        signed = self._signed.pop((line.org, line.n), None)
        if signed is not None and signed[0] != line.hash:
            self._break(
                line.org, line.n, f"root {signed[1]} has signed another line, or others before it"
            )
        self._ends[line.org] = Head(line.org, line.n, line.hash)

    def _break(self, org: UUID, n: int, why: str) -> None:
        self.broken.append(Broken(org, n, why))


def _span(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first} to {last}"

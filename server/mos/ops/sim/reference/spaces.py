"""All spaces of one organisation, and what may be asked of them."""

import hashlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from mos.ops.sim.reference.batch import Batch
from mos.ops.sim.reference.space import DAY_MS, Json, Kind, Space, Who
from mos.sync import hlc


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
        batch = Batch(self, who, ops, now_ms, now_ms if client_ms is None else client_ms)
        # A group with one refused op is refused whole, which may in turn free or take a record:
        # tried again on a copy until nothing more is refused.
        broken: set[str] = set()
        while True:
            before = self.copy() if any("g" in op for op in ops) else None
            answer = batch.take(broken)
            now_broken = batch.broken_groups()
            if now_broken == broken:
                self._tell_doubles(ops, answer["results"])
                return answer
            assert before is not None  # noqa: S101  only an op with a group breaks one
            self.spaces = before.spaces
            broken = now_broken

    def _tell_doubles(self, ops: Sequence[Json], results: Sequence[Json]) -> None:
        """Open an alert where a dose that was recorded now was given already."""
        for op, result in zip(ops, results, strict=True):
            kind = self.kinds.get(op["coll"])
            if kind is None or kind.gives is None or result["s"] != "applied":
                continue
            space, occ = self.spaces[op["space"]], op["v"]["occ"]
            order = space.recs.get(occ.partition("@")[0])
            doses = [
                one
                for one in space.recs.values()
                if one.coll == op["coll"] and one.doc["v"]["occ"] == occ
            ]
            if order is not None and order.coll == kind.gives and len(doses) > 1:
                space.doubled.add(occ)

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
            one.archive_hlc = max(one.archive_hlc, logged.hlc)
            if logged.device is not None and logged.claimed is not None:
                if hlc.millis(logged.claimed) < now_ms - 90 * DAY_MS:
                    one.archive_hlc = max(one.archive_hlc, logged.claimed)
                place = one.place(logged.device)
                place.archive_claimed = max(place.archive_claimed, logged.claimed)
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


def _clock(ms: int) -> str:
    return f"{ms:012x}" + "f" * 20

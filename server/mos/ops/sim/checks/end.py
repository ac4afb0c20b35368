"""What must hold when everything has come to rest."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from mos.ops.sim.checks.violation import Violation
from mos.ops.sim.device import RING_MS, Device
from mos.ops.sim.reference import SKEW_MS, Json, Reference
from mos.sync import hlc


@dataclass
class Written:
    """One op that a person wrote, and what the device was told of it."""

    op: Json
    name: str
    device: str
    at_ms: int
    # The device that could still send it is gone, or had to forget it.
    is_forgotten: bool = False


@dataclass(frozen=True)
class End:
    """One world at rest: what the server keeps (`state`), and what there is to compare it with."""

    reference: Reference
    state: Json
    devices: Sequence[Device]
    now_ms: int
    written: Mapping[str, Written]
    # Ops that are accounted for though they are in no table.
    told: AbstractSet[str]
    # Devices of which there was a copy.
    copies: AbstractSet[str]
    was_restored: bool

    def check(self) -> None:
        """Compare everything that is kept, on the server and on the devices."""
        self._check_server()
        self._check_log()
        for device in self.devices:
            self._check_device(device)
        self._check_nothing_lost()

    def _check_server(self) -> None:
        for space, epoch, head, floor, kind in self.state["spaces"]:
            one = self.reference.spaces[space]
            if (epoch, head, floor, kind) != (one.epoch, one.head, one.floor, one.state):
                raise Violation("P4", f"space {space} stands at {head}, not {one.head}")
        erased = {space for space, *_, kind in self.state["spaces"] if kind == 2}
        for table in ("recs", "ops", "quarantine", "doubled"):
            if any(row[0] in erased for row in self.state[table]):
                raise Violation("P18", f"{table} still holds something of an erased space")
        kept = {(space, rec): row for space, rec, *row in self.state["recs"]}
        want = {
            (space, rec): [record.coll, record.seq, record.doc, record.clk]
            for space, one in self.reference.spaces.items()
            for rec, record in one.recs.items()
        }
        if kept != want:
            raise Violation("P1", f"the records differ: {_difference(kept, want)}")
        quarantine = {(space, op) for space, op, _reason in self.state["quarantine"]}
        wanted = {
            (space, op) for space, one in self.reference.spaces.items() for op in one.quarantine
        }
        if quarantine != wanted:
            raise Violation("P17", f"quarantine holds {quarantine}, not {wanted}")
        told = sorted((space, occ) for space, occ in self.state["doubled"])
        doubled = sorted(
            (space, occ) for space, one in self.reference.spaces.items() for occ in one.doubled
        )
        if told != doubled:
            raise Violation("P11", f"alerts are open over {told}, not {doubled}")

    def _check_log(self) -> None:
        """Look at the op log alone: places without gaps, clocks, and what a replay gives."""
        places: dict[str, int] = defaultdict(int)
        # The latest that the server's clock had shown by then: it may have been set back since.
        latest = {
            space: list(accumulate((logged.at_ms for logged in one.log), max))
            for space, one in self.reference.spaces.items()
        }
        kept: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for (
            space,
            seq,
            _op,
            device,
            _account,
            n,
            _kind,
            _coll,
            _rec,
            stamp,
            claimed,
            *_,
        ) in self.state["ops"]:
            places[space] = max(places[space] + 1, self.reference.spaces[space].archived_before)
            if seq != places[space]:
                raise Violation("P4", f"place {seq} comes after {places[space] - 1}")
            if device is not None:
                own = kept[space, device]
                # One that comes after a later number, with a clock that cannot be believed, is
                # stamped after it: nobody can say any more when it was written.
                if claimed is None or all(n > number for number, _ in own):
                    own.append((n, stamp))
                if hlc.millis(stamp) > latest[space][seq - 1] + SKEW_MS:
                    raise Violation("P13", f"clock {stamp} is ahead of {latest[space][seq - 1]}")
        for (space, device), pairs in kept.items():
            clocks = [stamp for _, stamp in sorted(pairs)]
            if clocks != sorted(clocks) and device not in self.copies:
                raise Violation("P13", f"the order of {device} in {space} was not kept")

    def _check_device(self, device: Device) -> None:
        disk = device.disk
        if device.unsent():
            raise Violation("P23", f"{device.name} still has {device.unsent()}")
        for space, box in disk.outbox.items():
            if box:
                raise Violation("P23", f"{device.name} did not settle {box} in {space}")
        for space in disk.cursors:
            base: dict[str, list[Any]] = {
                rec: [row.coll, row.seq, row.doc, row.clk]
                for rec, row in disk.base.get(space, {}).items()
            }
            want = {
                rec: [record.coll, record.seq, record.doc, record.clk]
                for rec, record in self.reference.spaces[space].recs.items()
            }
            # What was deleted long ago the server may have forgotten before the device does.
            for rec in base.keys() - want.keys():
                if base[rec][2].get("deleted") is not True:
                    raise Violation("P19", f"{device.name} holds {base[rec]}, which was deleted")
                del base[rec]
            if base != want:
                raise Violation("P1", f"{device.name} holds {_difference(base, want)}")

    def _check_nothing_lost(self) -> None:
        kept = {row[2] for row in self.state["ops"]} | self.told
        kept |= {op for _space, op, _reason in self.state["quarantine"]}
        for device in self.devices:
            kept |= device.disk.refused.keys()
        for op, written in self.written.items():
            if op in kept or written.is_forgotten:
                continue
            if self.reference.spaces[written.op["space"]].state == 2:
                continue
            if self.was_restored and written.at_ms < self.now_ms - RING_MS:
                continue
            # What the server lost of one of two it does not miss where the other has given the
            # number again.
            if self.was_restored and written.device in self.copies:
                continue
            check = "P20" if self.was_restored else "P3"
            raise Violation(check, f"{written.op} is nowhere")


def _difference(got: dict[Any, Any], want: dict[Any, Any]) -> str:
    keys = sorted(key for key in got.keys() | want.keys() if got.get(key) != want.get(key))
    return "; ".join(f"{key}: {got.get(key)} not {want.get(key)}" for key in keys[:3])

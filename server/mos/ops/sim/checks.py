"""What must hold, each under the number that docs/sync.md gives it. Raises Violation."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mos.ops.sim.device import Device, Disk, Waiting, fingerprint, seq_of
from mos.ops.sim.reference import SKEW_MS, Json, Reference, Who
from mos.sync import hlc


class Violation(Exception):
    """Something does not hold: `check` is its number, `trace` what led there."""

    def __init__(self, check: str, what: str, trace: Iterable[str] = ()) -> None:
        """Say what was found."""
        super().__init__(f"{check}: {what}")
        self.check = check
        self.what = what
        self.trace = list(trace)


@dataclass
class _Written:
    """One op that a person wrote, and what the device was told of it."""

    op: Json
    device: str
    # The device that could still send it is gone, or had to forget it.
    is_forgotten: bool = False


class Ledger:
    """Watches one world from outside: what was written, answered, stored."""

    def __init__(self, reference: Reference) -> None:
        """Begin with nothing written."""
        self._reference = reference
        self._written: dict[str, _Written] = {}
        self._clock_of: dict[str, str] = {}  # by op: the clock that the server last kept
        self._last_clock: dict[str, str] = {}  # by actor
        self._prints: dict[tuple[str, str], Json] = {}  # (space, cursor) → fingerprint
        # Cursors that a device was given with a page after which there is more.
        self._partial: set[tuple[str, str, str]] = set()
        self._shown: dict[tuple[str, str, str, str], tuple[str, Any]] = {}
        self._processed: set[str] = set()
        self._had: dict[str, dict[str, list[str]]] = defaultdict(dict)
        self._was_restored = False

    # ── the server answered

    def answered(self, kind: str, body: Json, answer: Json, who: Who, now_ms: int) -> None:
        """Compare an answer with the reference's."""
        match kind:
            case "push":
                self._pushed(body, answer, who, now_ms)
            case "pull":
                self._pulled(body, answer, who)
            case _:
                self._greeted(answer, who)

    def _pushed(self, body: Json, answer: Json, who: Who, now_ms: int) -> None:
        expected = self._reference.push(who, body["ops"], now_ms)
        for op, got, want in zip(body["ops"], answer["results"], expected["results"], strict=True):
            if got != want:
                raise Violation(_number(want), f"{op} was answered {got}, not {want}")
            self._processed.add(op["op"])
        for key, check in (("restamped", "P13"), ("acked", "P26"), ("heads", "P4")):
            if answer[key] != expected[key]:
                raise Violation(check, f"{key} is {answer[key]}, not {expected[key]}")
        self._clock_of |= {op["op"]: op["hlc"] for op in body["ops"]} | answer["restamped"]

    def _pulled(self, body: Json, answer: Json, who: Who) -> None:
        asked: dict[str, str] = body["spaces"]
        came = {one["id"]: one for one in answer["spaces"]}
        away = {one["id"] for one in answer["reset"]}
        gone = {one["id"] for one in answer["gone"]}
        want_gone = {
            space
            for space in asked
            if space not in who.reach or self._reference.spaces[space].state == 2
        }
        if gone != want_gone:
            raise Violation("P16", f"gone {sorted(gone)}, not {sorted(want_gone)}")
        if came.keys() - who.reach.keys():
            raise Violation("P16", "rows of a space outside the grant")
        if {one["id"] for one in answer["added"]} != who.reach.keys() - asked.keys():
            raise Violation("P16", "the spaces added are not those that may be seen")
        for space, cursor in asked.items():
            if space not in gone:
                self._check_space(who, space, cursor, came.get(space), is_reset=space in away)

    def _check_space(
        self, who: Who, space: str, cursor: str, got: Json | None, *, is_reset: bool
    ) -> None:
        one = self._reference.spaces[space]
        place = seq_of(cursor)
        if is_reset != (cursor != "" and not self._belongs(space, cursor)):
            raise Violation("P20", f"cursor {cursor}: reset is {is_reset}")
        if is_reset:
            return
        if got is None:
            if cursor == "" or one.head > place:
                raise Violation("P5", f"nothing came after {cursor}, the head is {one.head}")
            return
        if cursor != "" and one.head == place:
            raise Violation("P25", "an unchanged space came")
        rows = self._reference.rows_after(space, place)
        count = len(got["rows"])
        if got["rows"] != rows[:count] or (not got["more"] and count != len(rows)):
            raise Violation("P5", f"after {cursor} came {got['rows']}, not {rows}")
        reached = seq_of(got["cur"])
        last = rows[count - 1][2] if count else place
        if reached != (last if got["more"] else one.head) or not self._belongs(space, got["cur"]):
            raise Violation("P14", f"cursor {got['cur']} after {last}, the head is {one.head}")
        if got["more"]:
            self._partial.add((who.device, space, got["cur"]))
            return
        self._partial.discard((who.device, space, got["cur"]))
        if got.get("check") != self._reference.check(space):
            raise Violation("P22", f"{got.get('check')}, not {self._reference.check(space)}")
        self._prints[space, got["cur"]] = got["check"]

    def _belongs(self, space: str, cursor: str) -> bool:
        one = self._reference.spaces[space]
        epoch, seq, tag = cursor.split(".")
        if int(epoch) != one.epoch or not one.floor <= int(seq) <= one.head:
            return False
        at = one.log[int(seq) - 1].op if int(seq) else "00000000"
        return at is None or at.endswith(tag)

    def _greeted(self, answer: Json, who: Who) -> None:
        listed = {one["id"]: frozenset(one["permissions"]) for one in answer["spaces"]}
        wanted = {
            space: words
            for space, words in who.reach.items()
            if self._reference.spaces[space].state != 2
        }
        if listed != wanted:
            raise Violation("P16", f"hello lists {listed}, not {wanted}")
        for space, acked in answer["acked"].items():
            place = self._reference.spaces[space].places.get(who.device)
            if acked != (place.last_n if place else 0):
                raise Violation("P26", f"acknowledged {acked} in {space}")

    # ── something happened to a device or to the server

    def wrote(self, device: Device, ops: list[Json]) -> None:
        """Take note of what a person wrote."""
        for op in ops:
            actor = op["hlc"][16:]
            if actor != device.disk.actor or op["hlc"] <= self._last_clock.get(actor, hlc.NEVER):
                raise Violation("P12", f"{op['hlc']} after {self._last_clock.get(actor)}")
            self._last_clock[actor] = op["hlc"]
            self._written[op["op"]] = _Written(op, device.disk.device)
            self._clock_of[op["op"]] = op["hlc"]
            for group, value in _groups(op, device).items():
                rec = op["op"] if op["k"] == "event" else op["rec"]
                self._shown[device.name, op["space"], rec, group] = op["op"], value

    def lost(self, device: Device) -> None:
        """Forget what only this device's storage had: it is gone."""
        for written in self._written.values():
            if written.device == device.disk.device:
                written.is_forgotten = True
        self._forget_shown(device, None)

    def restored(self) -> None:
        """Remember that the server is back at an earlier point."""
        self._was_restored = True

    def looked(self, device: Device, what: str, space: str) -> None:
        """Look at a disk after one transaction, or after the app has started again."""
        disk = device.disk
        if what in ("take", "boot"):
            for each in [space] if space else list(disk.cursors):
                self._check_print(disk, each)
        if what == "purge":
            self._check_purged(device, space)
        self._had[device.name] = {
            each: [one.op["op"] for one in box.values() if one.seq is None]
            for each, box in disk.outbox.items()
        }
        if what in ("take", "settle", "greet"):
            self._check_shown(device)

    def _check_print(self, disk: Disk, space: str) -> None:
        if (disk.device, space, disk.cursors[space]) in self._partial:
            return
        known = self._prints.get((space, disk.cursors[space]))
        rows = disk.base.get(space, {}).values()
        if known is not None and fingerprint(rows) != known:
            raise Violation("P14", f"the rows do not belong to cursor {disk.cursors[space]}")

    def _check_purged(self, device: Device, space: str) -> None:
        disk = device.disk
        stores = (disk.cursors, disk.words, disk.base, disk.outbox, disk.ring)
        if any(space in store for store in stores):
            raise Violation("P16", "something of a purged space is left on the device")
        early = [op for op in self._had[device.name].get(space, []) if op not in self._processed]
        if early:
            raise Violation("P16", f"purged before the server had {early}")
        for written in self._written.values():
            if written.device == disk.device and written.op["space"] == space:
                written.is_forgotten = True
        self._forget_shown(device, space)

    def _forget_shown(self, device: Device, space: str | None) -> None:
        for key in [key for key in self._shown if key[0] == device.name]:
            if space is None or key[1] == space:
                del self._shown[key]

    def _check_shown(self, device: Device) -> None:
        """Look whether each own change is still on the screen, or a later one."""
        for key, (op, value) in list(self._shown.items()):
            name, space, rec, group = key
            if name != device.name:
                continue
            if op in device.disk.refused:
                del self._shown[key]
                continue
            cursor = device.disk.cursors.get(space, "")
            if self._was_restored and (cursor == "" or not self._belongs(space, cursor)):
                continue  # What the server lost, and what it has, is known after the next pull.
            doc, clk = device.view(space, rec)
            if group in doc and (doc[group] == value or clk[group] > self._clock_of[op]):
                continue
            raise Violation("P15", f"{group} of {rec} shows {doc.get(group)!r}, written {value!r}")

    # ── the end

    def check_end(self, state: Json, devices: list[Device]) -> None:
        """Compare everything that is kept, on the server and on the devices."""
        self._check_server(state)
        self._check_log(state["ops"])
        for device in devices:
            self._check_device(device)
        self._check_nothing_lost(state)

    def _check_server(self, state: Json) -> None:
        for space, epoch, head, floor, kind in state["spaces"]:
            one = self._reference.spaces[space]
            if (epoch, head, floor, kind) != (one.epoch, one.head, one.floor, one.state):
                raise Violation("P4", f"space {space} stands at {head}, not {one.head}")
        kept = {(space, rec): row for space, rec, *row in state["recs"]}
        want = {
            (space, rec): [record.coll, record.seq, record.doc, record.clk]
            for space, one in self._reference.spaces.items()
            for rec, record in one.recs.items()
        }
        if kept != want:
            raise Violation("P1", f"the records differ: {_difference(kept, want)}")
        quarantine = {(space, op) for space, op, _reason in state["quarantine"]}
        wanted = {
            (space, op) for space, one in self._reference.spaces.items() for op in one.quarantine
        }
        if quarantine != wanted:
            raise Violation("P17", f"quarantine holds {quarantine}, not {wanted}")

    def _check_log(self, ops: list[list[Any]]) -> None:
        """Look at the op log alone: places without gaps, clocks, and what a replay gives."""
        places: dict[str, int] = defaultdict(int)
        last: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for space, seq, _op, device, _account, n, _kind, _coll, _rec, stamp, *rest in ops:
            places[space] += 1
            at_ms = rest[-1]
            if seq != places[space]:
                raise Violation("P4", f"place {seq} comes after {places[space] - 1}")
            if device is not None:
                last[space, device].append((n, stamp))
                if hlc.millis(stamp) > at_ms + SKEW_MS:
                    raise Violation("P13", f"clock {stamp} is ahead of {at_ms}")
        for (space, device), pairs in last.items():
            clocks = [stamp for _, stamp in sorted(pairs)]
            if clocks != sorted(clocks):
                raise Violation("P13", f"the order of {device} in {space} was not kept")

    def _check_device(self, device: Device) -> None:
        disk = device.disk
        if device.unsent():
            raise Violation("P23", f"{device.name} still has {device.unsent()}")
        for space, box in disk.outbox.items():
            if box:
                raise Violation("P23", f"{device.name} did not settle {box} in {space}")
        for space in disk.cursors:
            base = {
                rec: [row.coll, row.seq, row.doc, row.clk]
                for rec, row in disk.base.get(space, {}).items()
            }
            want = {
                rec: [record.coll, record.seq, record.doc, record.clk]
                for rec, record in self._reference.spaces[space].recs.items()
            }
            if base != want:
                raise Violation("P1", f"{device.name} holds {_difference(base, want)}")

    def _check_nothing_lost(self, state: Json) -> None:
        logged = {row[2] for row in state["ops"]}
        kept = logged | {op for _space, op, _reason in state["quarantine"]}
        for op, written in self._written.items():
            if op in kept or written.is_forgotten:
                continue
            if self._reference.spaces[written.op["space"]].state == 2:
                continue
            check = "P20" if self._was_restored else "P3"
            raise Violation(check, f"{written.op} is nowhere")


def _number(want: Json) -> str:
    """Return what a verdict other than `want` breaks."""
    match want:
        case {"s": "dup"}:
            return "P6"
        case {"s": "forbidden", "code": "revoked"}:
            return "P17"
        case {"s": "forbidden" | "gone"}:
            return "P16"
        case {"s": "invalid"}:
            return "P7"
        case {"s": "conflict" | "stale_resolve"}:
            return "P8"
        case _:
            return "P2"


def _groups(op: Json, device: Device) -> Json:
    match op["k"]:
        case "event":
            return {"v": op["v"], "by": device.account}
        case "set":
            groups: Json = op["f"]
            return groups
        case _:
            return {}


def _difference(got: dict[Any, Any], want: dict[Any, Any]) -> str:
    keys = sorted(key for key in got.keys() | want.keys() if got.get(key) != want.get(key))
    return "; ".join(f"{key}: {got.get(key)} not {want.get(key)}" for key in keys[:3])


__all__ = ["Ledger", "Violation", "Waiting"]

"""What must hold, each under the number that docs/sync.md gives it. Raises Violation."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mos.ops.sim.device import RING_MS, Device, Disk, Waiting, fingerprint, seq_of
from mos.ops.sim.reference import SKEW_MS, Json, Reference, Who
from mos.sync import hlc

# Collections whose values are never merged.
SAFETY = ("order",)


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
    at_ms: int
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
        # Choices that came too late are logged nowhere: whoever made one chooses again.
        self._stale: set[str] = set()
        self.archived: set[str] = set()
        self._had: dict[str, dict[str, list[str]]] = defaultdict(dict)
        self._was_restored = False
        self._confirmed: dict[tuple[str, str, str], Json] = {}

    # ── the server answered

    def answered(self, kind: str, body: Json, answer: Json, who: Who, now_ms: int) -> None:
        """Compare an answer with the reference's."""
        match kind:
            case "push":
                self._pushed(body, answer, who, now_ms)
            case "pull":
                self._pulled(body, answer, who)
            case _:
                self._greeted(body, answer, who)

    def _pushed(self, body: Json, answer: Json, who: Who, now_ms: int) -> None:
        expected = self._reference.push(who, body["ops"], now_ms, body["client_now"])
        for op, got, want in zip(body["ops"], answer["results"], expected["results"], strict=True):
            if got != want and not ("g" in op and got["s"] == want["s"] == "invalid"):
                # (Of several faults in a group either may be named.)
                raise Violation(_number(want), f"{op} was answered {got}, not {want}")
            self._processed.add(op["op"])
            if got["s"] == "stale_resolve":
                self._stale.add(op["op"])
            if got["s"] == "dup" and "seq" not in got:
                self._forget_op(
                    op["op"]
                )  # Known from the archive alone: shown after the next pull.
        for key, check in _OF_PUSH.items():
            if answer.get(key) != expected.get(key):
                raise Violation(check, f"{key} is {answer.get(key)}, not {expected.get(key)}")
        for op in body["ops"]:
            self._note_active(op)
        self._clock_of |= {op["op"]: op["hlc"] for op in body["ops"]} | answer["restamped"]

    def _note_active(self, op: Json) -> None:
        if op["k"] not in ("safety", "resolve") or op["space"] not in self._reference.spaces:
            return
        record = self._reference.spaces[op["space"]].recs.get(op["rec"])
        if record is not None:
            active = record.doc["active"]
            self._confirmed[op["space"], op["rec"], active["ver"]] = active["v"]

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
        fresh = {
            space
            for space in who.reach.keys() - asked.keys()
            if self._reference.spaces[space].state != 2
        }
        if {one["id"] for one in answer["added"]} != fresh:
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
        """Return whether a cursor is a place in the space's present history."""
        one = self._reference.spaces[space]
        epoch, seq, tag, *floor = cursor.split(".")
        place = int(seq)
        # Who began after that was forgotten, and has not come to it yet, misses nothing.
        reaches = max(place, *map(int, floor), 0)
        if int(epoch) != one.epoch or reaches < one.floor or place > one.head:
            return False
        if 0 < place < one.archived_before:
            return tag == "00000000"
        return tag == self._reference.tag(space, place)

    def _greeted(self, body: Json, answer: Json, who: Who) -> None:
        lost = {space: pairs for space, pairs in body["lost"].items() if space in who.reach}
        self._reference.give_up(who.device, lost)
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
        missing = {
            space: pairs
            for space in who.reach
            if (pairs := self._reference.missing(space, who.device))
        }
        if answer.get("missing", {}) != missing:
            raise Violation("P26", f"missing {answer.get('missing')}, not {missing}")

    # ── something happened to a device or to the server

    def wrote(self, device: Device, ops: list[Json], now_ms: int) -> None:
        """Take note of what a person wrote."""
        for op in ops:
            actor = op["hlc"][16:]
            if actor != device.disk.actor or op["hlc"] <= self._last_clock.get(actor, hlc.NEVER):
                raise Violation("P12", f"{op['hlc']} after {self._last_clock.get(actor)}")
            self._last_clock[actor] = op["hlc"]
            self._written[op["op"]] = _Written(op, device.disk.device, now_ms)
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
            self._check_confirmed(device)

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

    def _forget_op(self, op: str) -> None:
        for key in [key for key, shown in self._shown.items() if shown[0] == op]:
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
            one = self._reference.spaces[space]
            is_forgotten = one.floor and (rec not in one.recs or self._clock_of[op] < one.floor_hlc)
            if one.state == 2 or is_forgotten:
                continue  # Erased, or deleted long ago: it is about to leave the device.
            cursor = device.disk.cursors.get(space, "")
            if self._was_restored and (cursor == "" or not self._belongs(space, cursor)):
                continue  # What the server lost, and what it has, is known after the next pull.
            if self._was_restored and not _holds(device, space, op):
                continue  # Acknowledged too long ago to be sent again.
            doc, clk = device.view(space, rec)
            if group in doc and (doc[group] == value or clk[group] > self._clock_of[op]):
                continue
            raise Violation("P15", f"{group} of {rec} shows {doc.get(group)!r}, written {value!r}")

    def _check_confirmed(self, device: Device) -> None:
        """Look whether each safety value on the screen is one that the server once made active."""
        for space, rows in device.disk.base.items():
            for rec, row in rows.items():
                if row.coll not in SAFETY:
                    continue
                active = device.active(space, rec)
                if self._confirmed.get((space, rec, active["ver"])) != active["v"]:
                    raise Violation("P10", f"{device.name} shows {active}, never confirmed")

    # ── the end

    def check_end(self, state: Json, devices: list[Device], now_ms: int) -> None:
        """Compare everything that is kept, on the server and on the devices."""
        self._check_server(state)
        self._check_log(state["ops"])
        for device in devices:
            self._check_device(device)
        self._check_nothing_lost(state, devices, now_ms)

    def _check_server(self, state: Json) -> None:
        for space, epoch, head, floor, kind in state["spaces"]:
            one = self._reference.spaces[space]
            if (epoch, head, floor, kind) != (one.epoch, one.head, one.floor, one.state):
                raise Violation("P4", f"space {space} stands at {head}, not {one.head}")
        erased = {space for space, *_, kind in state["spaces"] if kind == 2}
        for table in ("recs", "ops", "quarantine"):
            if any(row[0] in erased for row in state[table]):
                raise Violation("P18", f"{table} still holds something of an erased space")
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
            places[space] = max(places[space] + 1, self._reference.spaces[space].archived_before)
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
            base: dict[str, list[Any]] = {
                rec: [row.coll, row.seq, row.doc, row.clk]
                for rec, row in disk.base.get(space, {}).items()
            }
            want = {
                rec: [record.coll, record.seq, record.doc, record.clk]
                for rec, record in self._reference.spaces[space].recs.items()
            }
            # What was deleted long ago the server may have forgotten before the device does.
            for rec in base.keys() - want.keys():
                if base[rec][2].get("deleted") is not True:
                    raise Violation("P19", f"{device.name} holds {base[rec]}, which was deleted")
                del base[rec]
            if base != want:
                raise Violation("P1", f"{device.name} holds {_difference(base, want)}")

    def _check_nothing_lost(self, state: Json, devices: list[Device], now_ms: int) -> None:
        kept = {row[2] for row in state["ops"]} | self._stale | self.archived
        kept |= {op for _space, op, _reason in state["quarantine"]}
        for device in devices:
            kept |= device.disk.refused.keys()
        for op, written in self._written.items():
            if op in kept or written.is_forgotten:
                continue
            if self._reference.spaces[written.op["space"]].state == 2:
                continue
            if self._was_restored and written.at_ms < now_ms - RING_MS:
                continue
            check = "P20" if self._was_restored else "P3"
            raise Violation(check, f"{written.op} is nowhere")


_OF_PUSH = {"restamped": "P13", "acked": "P26", "missing": "P26", "heads": "P4"}


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


def _holds(device: Device, space: str, op: str) -> bool:
    ring = device.disk.ring.get(space, {}).values()
    here = [waiting for waiting, _ in ring] + list(device.disk.outbox.get(space, {}).values())
    return any(waiting.op["op"] == op for waiting in here)


def _difference(got: dict[Any, Any], want: dict[Any, Any]) -> str:
    keys = sorted(key for key in got.keys() | want.keys() if got.get(key) != want.get(key))
    return "; ".join(f"{key}: {got.get(key)} not {want.get(key)}" for key in keys[:3])


__all__ = ["Ledger", "Violation", "Waiting"]

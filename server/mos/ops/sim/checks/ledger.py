"""Watches one world from outside: what was written, answered, stored."""

from collections import defaultdict
from typing import Any

from mos.ops.sim.checks.end import End, Written
from mos.ops.sim.checks.violation import Violation
from mos.ops.sim.device import Device, Disk, fingerprint, seq_of
from mos.ops.sim.reference import Json, Reference, Who
from mos.sync import hlc

# Collections whose values are never merged.
SAFETY = ("order",)


class Ledger:
    """Watches one world from outside: what was written, answered, stored."""

    def __init__(self, reference: Reference) -> None:
        """Begin with nothing written."""
        self._reference = reference
        self._written: dict[str, Written] = {}
        self._clock_of: dict[str, str] = {}  # by op: the clock that the server last kept
        self._numbered: set[tuple[str, str, str, int]] = set()  # (name, device, space, n)
        # Devices of which there was a copy: their numbers and clocks come more than once.
        self._copies: set[str] = set()
        self._prints: dict[tuple[str, str], Json] = {}  # (space, cursor) → fingerprint
        # Cursors that a device was given with a page after which there is more.
        self._partial: set[tuple[str, str, str]] = set()
        self._shown: dict[tuple[str, str, str, str], tuple[str, Any]] = {}
        self._processed: set[str] = set()
        # Choices that came too late are logged nowhere: whoever made one chooses again.
        self._stale: set[str] = set()
        self._placeless: set[str] = set()  # refused: no record has them
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
            if got["s"] in _PLACELESS:
                self._placeless.add(op["op"])
            if got["s"] == "dup" and "seq" not in got:
                # Known from the archive alone: shown after the next pull.
                self._forget_op(op["op"])
                # After so long a number is all that is known, and of two devices it is either's.
                if body["device_id"] in self._copies and op["op"] in self._written:
                    self._written[op["op"]].is_forgotten = True
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
            # A clock that was ahead comes back to what was stamped, behind nothing that waits.
            boxes = device.disk.outbox.values()
            before = [one.op for box in boxes for one in box.values() if one.op not in ops]
            last = max((one["hlc"] for one in before), default=hlc.NEVER)
            # What was only claimed, or refused, is in no record: it may be given again.
            kept = self._kept() if device.disk.device not in self._copies else ()
            if actor != device.disk.actor or op["hlc"] <= last or op["hlc"] in kept:
                raise Violation("P12", f"{op['hlc']} after {last}")
            numbered = (device.name, device.disk.device, op["space"], op["n"])
            if numbered in self._numbered:
                raise Violation("P24", f"{device.name} gave the number {op['n']} twice")
            self._numbered.add(numbered)
            self._written[op["op"]] = Written(op, device.name, device.disk.device, now_ms)
            self._clock_of[op["op"]] = op["hlc"]
            for group, value in _groups(op, device).items():
                rec = op["op"] if op["k"] == "event" else op["rec"]
                self._shown[device.name, op["space"], rec, group] = op["op"], value

    def lost(self, device: Device) -> None:
        """Forget what only this device's storage had: it is gone."""
        for written in self._written.values():
            if written.name == device.name:
                written.is_forgotten = True
        self._forget_shown(device, None)

    def copied(self, device: Device) -> None:
        """Take note that a device has got another disk: an earlier one, or that of another device.

        What only the one before held is gone with it. Numbers and clocks begin where this one is.
        """
        held = {waiting.op["op"] for box in device.disk.outbox.values() for waiting in box.values()}
        for op, written in self._written.items():
            if written.name == device.name and op not in held:
                written.is_forgotten = True
        self._forget_shown(device, None)
        self._copies.add(device.disk.device)
        self._numbered = {key for key in self._numbered if key[0] != device.name}
        self.looked(device, "boot", "")

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
        # What one of two was given in part the other may have been given whole.
        if disk.device in self._copies and space in disk.partial:
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
            if written.name == device.name and written.op["space"] == space:
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
            if self._was_restored and op not in one.seen:
                continue  # Lost while its answer was on the way: found out at the next hello.
            doc, clk = device.view(space, rec)
            if group in doc and (doc[group] == value or clk[group] > self._clock_of[op]):
                continue
            if clk.get(group) == self._clock_of[op] and self._is_shared(self._clock_of[op]):
                continue  # Copies of one disk wrote in one millisecond: the first accepted stays.
            raise Violation("P15", f"{group} of {rec} shows {doc.get(group)!r}, written {value!r}")

    def _kept(self) -> list[str]:
        return [clock for op, clock in self._clock_of.items() if op not in self._placeless]

    def _is_shared(self, clock: str) -> bool:
        return sum(1 for each in self._clock_of.values() if each == clock) > 1

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
        End(
            self._reference,
            state,
            devices,
            now_ms,
            self._written,
            self._stale | self.archived,
            self._copies,
            self._was_restored,
        ).check()


_PLACELESS = ("invalid", "forbidden", "gone", "stale_resolve")
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

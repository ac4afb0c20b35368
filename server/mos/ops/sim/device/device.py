"""One person's device: what a screen sees and writes, and how its disk takes in answers."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from itertools import chain
from typing import Any

from mos.ops.sim.device.disk import RING_MS, Disk, Row, Waiting, seq_of
from mos.ops.sim.reference import Json, conflict_of
from mos.sync import hlc


class Crashed(Exception):
    """The app was killed here."""


# Told after every transaction: which one, and in which space.
Watch = Callable[["Device", str, str], None]


class Device:
    """One person's device."""

    def __init__(self, name: str, account: str, disk: Disk, watch: Watch) -> None:
        """Begin with an empty disk; `watch` is called after each change of it."""
        self.name = name
        self.account = account
        self.disk = disk
        self.ahead_ms = 0  # this device's clock minus the true time
        self.schema = 1
        self._watch = watch
        self._transactions_left: int | None = None

    def now(self, true_ms: int) -> int:
        """Return what this device's clock shows."""
        return max(0, true_ms + self.ahead_ms)

    def crash_after(self, transactions: int | None) -> None:
        """Let the app be killed after so many more changes of the disk."""
        self._transactions_left = transactions

    def _begin(self) -> None:
        if self._transactions_left is None:
            return
        if self._transactions_left == 0:
            raise Crashed
        self._transactions_left -= 1

    def _done(self, what: str, space: str = "") -> None:
        self._watch(self, what, space)

    # ── a person changes something

    def write(self, space: str, drafts: list[Json], now: int) -> list[Json]:
        """Keep changes of one space, numbered and stamped, all or none; return the ops."""
        self._begin()
        disk = self.disk
        ops = []
        for draft in drafts:
            if draft["k"] == "safety":
                draft = draft | self.basis(space, draft["rec"])  # noqa: PLW2901  filled in
            n = self._next_number(space)
            disk.clock = self._stamp(now)
            op = draft | {"n": n, "space": space, "hlc": disk.clock}
            disk.outbox.setdefault(space, {})[n] = Waiting(op, now)
            ops.append(op)
        self._done("write", space)
        return ops

    def _next_number(self, space: str) -> int:
        self.disk.numbers[space] = self.disk.numbers.get(space, 0) + 1
        return self.disk.numbers[space]

    def _stamp(self, now: int) -> str:
        return hlc.send(self.disk.clock, now + self.disk.skew, self.disk.actor)

    def basis(self, space: str, rec: str) -> Json:
        """Return the versions from which a proposal starts."""
        trunk = self.active(space, rec).get("ver")
        own = [
            waiting.op["op"]
            for _, waiting in sorted(self.disk.outbox.get(space, {}).items())
            if waiting.op["k"] == "safety" and waiting.op["rec"] == rec
        ] or self._own_candidates(space, rec)
        return {"base": own[-1] if own else trunk, "trunk": trunk}

    def _own_candidates(self, space: str, rec: str) -> list[str]:
        conflict = self.conflict(space, rec)
        if conflict.get("state") != "open":
            return []
        own = [
            (candidate["made"], op)
            for op, candidate in conflict["candidates"].items()
            if (candidate["device"], candidate["by"]) == (self.disk.device, self.account)
        ]
        return [op for _, op in sorted(own)]

    # ── what a screen sees

    def active(self, space: str, rec: str) -> Json:
        """Return the confirmed version of a safety record, {} if there is none: no proposal."""
        row = self.disk.base.get(space, {}).get(rec)
        active: Json = row.doc["active"] if row else {}
        return active

    def conflict(self, space: str, rec: str) -> Json:
        """Return the conflict over a safety record, {} if there never was one."""
        row = self.disk.base.get(space, {}).get(conflict_of(space, rec))
        return row.doc if row else {}

    def view(self, space: str, rec: str) -> tuple[Json, dict[str, str]]:
        """Return one record with this device's own changes on top, and its clocks."""
        row = self.disk.base.get(space, {}).get(rec)
        doc, clk = (dict(row.doc), dict(row.clk)) if row else ({}, {})
        for waiting in self.disk.outbox.get(space, {}).values():
            if waiting.rec == rec and waiting.op["k"] in ("set", "event"):
                for group, value in self._groups(waiting.op).items():
                    if waiting.op["hlc"] > clk.get(group, hlc.NEVER):
                        doc[group], clk[group] = value, waiting.op["hlc"]
        return doc, clk

    def _groups(self, op: Json) -> Json:
        return {"v": op["v"], "by": self.account} if op["k"] == "event" else op["f"]

    # ── what is to be sent

    def unsent(self) -> list[Waiting]:
        """Return the changes that the server has not answered, in order within each space."""
        return [
            waiting
            for space in sorted(self.disk.outbox)
            for _, waiting in sorted(self.disk.outbox[space].items())
            if waiting.seq is None
        ]

    # ── what the server answers, each one transaction

    def greet(self, answer: Json, skew: int, now: int) -> None:
        """Take in the answer to hello."""
        self._begin()
        disk = self.disk
        disk.skew = skew
        for ring in disk.ring.values():
            for n in [n for n, (_, acked_at) in ring.items() if acked_at <= now - RING_MS]:
                del ring[n]
        for grant in answer["spaces"]:
            self._admit(grant)
        for space, acked in answer["acked"].items():
            disk.numbers[space] = max(disk.numbers.get(space, 0), acked)
            missing = answer.get("missing", {}).get(space, [])
            sent = disk.sent.get(space, 0)
            self._send_again(space, [*missing, [acked + 1, sent]])
            if acked < sent:
                disk.sent[space] = acked
            self._note_lost(space, missing)
        self._done("greet")

    def admit(self, grants: Iterable[Json]) -> None:
        """Let the device see these spaces from now on."""
        self._begin()
        for grant in grants:
            self._admit(grant)
        self._done("admit")

    def _admit(self, grant: Json) -> None:
        self.disk.cursors.setdefault(grant["id"], "")
        self.disk.words[grant["id"]] = frozenset(grant["permissions"])

    def settle(self, answer: Json, now: int) -> None:
        """Take in the verdicts of a push."""
        self._begin()
        disk = self.disk
        by_id = {
            waiting.op["op"]: waiting for box in disk.outbox.values() for waiting in box.values()
        }
        touched = set()
        for verdict in answer["results"]:
            waiting = by_id.get(verdict["op"])
            # Another tab took the same answer in before.
            if waiting is None or verdict["s"] == "retry":
                continue
            self._take_verdict(waiting, verdict, answer["restamped"].get(verdict["op"]), now)
            touched.add(waiting.op["space"])
        if answer["restamped"]:
            self._come_back(answer["restamped"].values())
        for space, numbers in answer.get("missing", {}).items():
            self._send_again(space, numbers)
            self._note_lost(space, numbers)
        for space in touched:
            if disk.cursors.get(space, "") != "" and space not in disk.partial:
                self._archive(space, seq_of(disk.cursors[space]), now)
        self._done("settle")

    def _come_back(self, stamps: Iterable[str]) -> None:
        # The clock was ahead: it goes on later than what was stamped, seen, and still waits.
        disk = self.disk
        seen = (
            clk for base in disk.base.values() for row in base.values() for clk in row.clk.values()
        )
        own = (waiting.op["hlc"] for box in disk.outbox.values() for waiting in box.values())
        disk.clock = min(disk.clock, max(chain(stamps, seen, own), default=hlc.NEVER))

    def _take_verdict(
        self, waiting: Waiting, verdict: Json, restamped: str | None, now: int
    ) -> None:
        disk, space, n = self.disk, waiting.op["space"], waiting.op["n"]
        disk.sent[space] = max(disk.sent.get(space, 0), n)
        op = waiting.op if restamped is None else waiting.op | {"hlc": restamped}
        if "seq" in verdict:
            # What a proposal makes of the conflict that it meets has the place after its own.
            is_conflict = "conflict" in (verdict["s"], verdict.get("was")) or op["k"] == "resolve"
            disk.outbox[space][n] = replace(waiting, op=op, seq=verdict["seq"] + is_conflict)
            return
        del disk.outbox[space][n]
        if verdict["s"] == "gone":
            return  # Erased: not to be kept anywhere.
        # A decision that came too late, or that the server lost: whoever made it is told of it.
        if "code" in verdict or verdict["s"] == "stale_resolve":
            disk.refused[verdict["op"]] = op
        disk.ring.setdefault(space, {})[n] = (replace(waiting, op=op), now)

    def take(
        self, space: str, asked: str, rows: list[Any], cursor: str, now: int, *, more: bool = False
    ) -> bool:
        """Take in rows after the cursor `asked`; False when somebody else was faster."""
        self._begin()
        if self.disk.cursors.get(space) != asked:
            return False
        self._store_rows(space, asked, rows)
        self._store_cursor(space, cursor)
        self._absorb(rows, now)
        # A page may lack a record that has moved past it: only the last one settles.
        if more:
            self.disk.partial.add(space)
        else:
            self.disk.partial.discard(space)
            self._archive(space, seq_of(cursor), now)
        if asked == "":
            self._ask_again(space)
        self._done("take", space)
        return True

    def _store_rows(self, space: str, asked: str, rows: list[Any]) -> None:
        if asked == "":
            self.disk.base[space] = {}
        base = self.disk.base.setdefault(space, {})
        base |= {rec: Row(coll, seq, doc, clk) for coll, rec, seq, doc, clk in rows}

    def _store_cursor(self, space: str, cursor: str) -> None:
        self.disk.cursors[space] = cursor

    def _absorb(self, rows: list[Any], now: int) -> None:
        disk = self.disk
        latest = max((clock for row in rows for clock in row[4].values()), default=hlc.NEVER)
        if latest != hlc.NEVER:
            disk.clock = hlc.receive(disk.clock, latest, now + disk.skew, disk.actor)

    def distrust(self, space: str) -> None:
        """Ask for everything of a space the next time; what is here stays visible until then."""
        self._begin()
        if space in self.disk.cursors:
            self.disk.cursors[space] = ""
            self.disk.partial.discard(space)
        self._done("distrust", space)

    def purge(self, space: str) -> None:
        """Leave nothing of a space on the device."""
        self._begin()
        disk = self.disk
        for store in (disk.cursors, disk.words, disk.base, disk.outbox, disk.ring):
            store.pop(space, None)
        disk.partial.discard(space)
        self._done("purge", space)

    def _ask_again(self, space: str) -> None:
        """Let the server say anew where changes are whose place belongs to a history no more."""
        for n, waiting in self.disk.outbox.get(space, {}).items():
            self.disk.outbox[space][n] = replace(waiting, seq=None)

    def _archive(self, space: str, up_to: int, now: int) -> None:
        """Move changes that a pull up to `up_to` has brought back into the ring."""
        outbox = self.disk.outbox.get(space, {})
        for n, waiting in list(outbox.items()):
            if waiting.seq is not None and waiting.seq <= up_to:
                self.disk.ring.setdefault(space, {})[n] = (outbox.pop(n), now)

    def _send_again(self, space: str, numbers: list[list[int]]) -> None:
        """Let what the server does not have wait to be sent again."""
        outbox = self.disk.outbox.setdefault(space, {})
        ring = self.disk.ring.get(space, {})
        for n in [n for n in ring if _includes(numbers, n)]:
            outbox[n] = replace(ring.pop(n)[0], seq=None)
        for n in [n for n in outbox if _includes(numbers, n) and outbox[n].seq is not None]:
            outbox[n] = replace(outbox[n], seq=None)

    def _note_lost(self, space: str, missing: list[list[int]]) -> None:
        here = self.disk.outbox.get(space, {})
        lost = [[n, n] for first, last in missing for n in range(first, last + 1) if n not in here]
        self.disk.lost[space] = lost

    # ── storage itself

    def lose_storage(self, device: str, actor: str) -> Disk:
        """Become a new device with an empty disk; return the old disk."""
        old, self.disk = self.disk, Disk(device, actor)
        return old

    def copy_of_disk(self) -> Disk:
        """Return a copy, as a backup of the phone would hold it."""
        return deepcopy(self.disk)


def _includes(ranges: list[list[int]], n: int) -> bool:
    return any(first <= n <= last for first, last in ranges)

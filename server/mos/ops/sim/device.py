"""A simulated device: the app's replica (pwa/src/offline) in Python, its disk and its tabs.

What lies in `Disk` survives a crash; what an `Engine` knows does not. Every change of the disk is
one transaction of the app: between two of them the app may be killed. An engine's round is a
generator that yields requests and is sent answers, so that time passes where the world says so.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from mos.ops.sim.reference import Json, conflict_of
from mos.sync import hlc

RING_MS = 14 * 24 * 3_600_000
_DISTRUST_MS = 3_600_000

Request = tuple[str, Json]
Round = Generator[Request, Json, None]


class Offline(Exception):
    """No answer came, or none that could be read; it may have been applied all the same."""


class Crashed(Exception):
    """The app was killed here."""


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
                draft = draft | self._basis(space, draft["rec"])  # noqa: PLW2901  filled in
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

    def _basis(self, space: str, rec: str) -> Json:
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
            if candidate["device"] == self.disk.device
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
        for space, numbers in answer.get("missing", {}).items():
            self._send_again(space, numbers)
            self._note_lost(space, numbers)
        for space in touched:
            if disk.cursors.get(space, "") != "" and space not in disk.partial:
                self._archive(space, seq_of(disk.cursors[space]), now)
        self._done("settle")

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
        if "code" in verdict:
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
        for n in [n for n in outbox if _includes(numbers, n)]:
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


class Engine:
    """One tab that leads, or the service worker: rounds with the server."""

    def __init__(self, device: Device, clock: Callable[[], int]) -> None:
        """Begin without having greeted; `clock` is the true time in ms."""
        self._device = device
        self._clock = clock
        self._greeted = False
        self._limit = 500
        self.page_rows = 2000
        self._skew: list[tuple[int, int]] = []
        self._distrusted: dict[str, int] = {}

    def now(self) -> int:
        """Return what the device's clock shows."""
        return self._device.now(self._clock())

    def round(self) -> Round:
        """Greet, send what waits, fetch what is new. Raises Offline; what was exchanged is kept."""
        for _ in range(3):
            if not self._greeted:
                yield from self._hello()
            yield from self._push()
            gone = yield from self._pull()
            if gone:
                yield from self._leave(gone)
            if self._greeted:
                break

    def _head(self) -> Json:
        disk = self._device.disk
        return {
            "proto": 1,
            "schema": self._device.schema,
            "device_id": disk.device,
            "client_now": self.now(),
        }

    def _hello(self) -> Round:
        device, asked = self._device, self.now()
        sent = {space: device.disk.sent.get(space, 0) for space in device.disk.cursors}
        lost = {space: pairs for space, pairs in device.disk.lost.items() if pairs}
        answer = yield "hello", self._head() | {"sent": sent, "lost": lost}
        device.greet(answer, self._measure(answer, asked), self.now())
        self._greeted = True

    def _push(self) -> Round:
        put: set[str] = set()
        while True:
            waiting = [one for one in self._device.unsent() if one.op["op"] not in put]
            batch = waiting[: self._limit]
            if not batch:
                return
            asked = self.now()
            ops = [one.op for one in batch]
            answer = yield "push", self._head() | {"ops": ops}
            self._measure(answer, asked)
            self._device.settle(answer, self.now())
            put |= {op["op"] for op in ops}

    def _pull(self) -> Generator[Request, Json, list[str]]:
        gone: set[str] = set()
        pages: dict[str, tuple[str, list[Any]]] = {}
        while True:
            cursors = {
                space: pages[space][0] if space in pages else cursor
                for space, cursor in self._device.disk.cursors.items()
                if space not in gone
            }
            asked = self.now()
            answer = yield (
                "pull",
                self._head() | {"spaces": cursors, "limit": self.page_rows, "check": True},
            )
            self._measure(answer, asked)
            gone |= {each["id"] for each in answer["gone"]}
            more = self._take_in(answer, cursors, pages, gone)
            if not more or not self._greeted:
                return sorted(gone)

    def _take_in(
        self,
        answer: Json,
        cursors: Mapping[str, str],
        pages: dict[str, tuple[str, list[Any]]],
        gone: set[str],
    ) -> bool:
        """Return whether there is more to fetch."""
        more = False
        for pulled in answer["spaces"]:
            space, asked = pulled["id"], cursors.get(pulled["id"])
            if asked is None:
                continue
            if asked == "" or space in pages:
                rows = [*(pages[space][1] if space in pages else []), *pulled["rows"]]
                pages[space] = pulled["cur"], rows
                if not pulled["more"]:
                    del pages[space]
                    self._device.take(space, "", rows, pulled["cur"], self.now())
            else:
                self._device.take(
                    space, asked, pulled["rows"], pulled["cur"], self.now(), more=pulled["more"]
                )
            more |= pulled["more"] or not self._agrees(pulled)
        # One that was taken and given back meanwhile leaves first; the next round fetches it.
        fresh = [
            grant
            for grant in answer["added"]
            if grant["id"] not in cursors and grant["id"] not in gone
        ]
        if answer["added"]:
            self._device.admit(answer["added"])
        for each in answer["reset"]:
            self._device.distrust(each["id"])
            # It may have lost what it once answered; hello will tell.
            self._greeted = False
        return more or bool(fresh) or bool(answer["reset"])

    def _agrees(self, pulled: Json) -> bool:
        """Compare what is held with what the server counts; a difference begins the space anew."""
        space = pulled["id"]
        if pulled["more"] or "check" not in pulled:
            return True
        if self._device.disk.cursors.get(space) != pulled["cur"]:
            return True  # Another tab went on; its own comparison counts.
        if fingerprint(self._device.disk.base[space].values()) == pulled["check"]:
            return True
        if self.now() - self._distrusted.get(space, -_DISTRUST_MS) < _DISTRUST_MS:
            return True
        self._distrusted[space] = self.now()
        self._device.distrust(space)
        return False

    def _leave(self, spaces: list[str]) -> Round:
        # What was written meanwhile goes first; then the spaces leave the device.
        yield from self._push()
        for space in spaces:
            self._device.purge(space)

    def _measure(self, answer: Json, asked: int) -> int:
        """Return how far the server's clock is ahead, from the quickest of the last answers."""
        rtt = max(0, self.now() - asked)
        self._skew = [*self._skew[-7:], (answer["server_now"] - asked - rtt // 2, rtt)]
        return min(self._skew, key=lambda pair: pair[1])[0]


def _includes(ranges: list[list[int]], n: int) -> bool:
    return any(first <= n <= last for first, last in ranges)


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

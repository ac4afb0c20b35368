"""Rounds with the server: greet, push, pull."""

from collections.abc import Callable, Generator, Mapping
from typing import Any

from mos.ops.sim.device.device import Device
from mos.ops.sim.device.disk import fingerprint
from mos.ops.sim.reference import Json

_DISTRUST_MS = 3_600_000

Request = tuple[str, Json]
Round = Generator[Request, Json, None]


class Offline(Exception):
    """No answer came, or none that could be read; it may have been applied all the same."""


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

"""One seed in virtual time: devices, the network between, the real server and the reference.

Everything happens in one thread and in an order that the plan alone decides. Each answer of the
server is compared with the reference's, each change of a device's disk is looked at, and at the end
everything heals and the whole is compared.
"""

import hashlib
import heapq
from collections.abc import Awaitable, Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any

from mos.ops.sim.checks import Ledger, Violation
from mos.ops.sim.device import Crashed, Device, Disk, Engine, Offline, Round, seq_of
from mos.ops.sim.domain import KINDS
from mos.ops.sim.pair import Pair
from mos.ops.sim.plan import START_MS, Plan, made_id, record_id
from mos.ops.sim.reference import Json, Reference, Who
from mos.ops.sim.rights import Rights
from mos.ops.sim.server import Server

TIMEOUT_MS = 20_000
_OK: list[Any] = ["ok", 1, 1]
# How many rounds each device needs at most once everything works again.
_LIVELY = 5

# Requests of one round: more would be a loop.
_PATIENCE = 200

_Call = Callable[[], Awaitable[None]]
_Ask = Callable[[str, Json, Who, int], Awaitable[Json]]


@dataclass
class _Meeting:
    """A round under way in one tab."""

    round: Round
    fates: Iterator[list[Any]]
    asked: int = 0


@dataclass
class _Person:
    """A device with its tabs, as the world holds it."""

    device: Device
    number: int
    engines: dict[int, Engine] = field(default_factory=dict)
    meetings: dict[int, _Meeting] = field(default_factory=dict)
    image: Disk | None = None


@dataclass(frozen=True)
class _Trip:
    """One request on its way."""

    person: _Person
    tab: int
    meeting: _Meeting
    kind: str
    body: Json


class World:
    """Runs one plan. `run` raises Violation when something does not hold."""

    def __init__(self, server: Server, plan: Plan) -> None:
        """Make the devices; nothing has happened yet."""
        self.server = server
        self.plan = plan
        self.spaces = [made_id(START_MS, 1000 + number, 0) for number in range(plan["spaces"])]
        self.reference = Reference(self.spaces, KINDS)
        self.ledger = Ledger(self.reference)
        self.pair = Pair(server, self.reference, self.ledger)
        self.now = START_MS
        self._server_ahead_ms = 0
        self.trace: list[str] = []
        self._heap: list[tuple[int, int, _Call]] = []
        self._order = count()
        self._makers = count(1)
        self._ids: dict[int, Iterator[int]] = {}
        accounts = [made_id(START_MS, 2000 + number, 0) for number in plan["accounts"]]
        self.rights = Rights(accounts, self.spaces)
        self.people = [
            _Person(Device(f"d{number}", account, self._new_disk(), self._watch), number)
            for number, account in enumerate(accounts)
        ]

    def _new_disk(self) -> Disk:
        maker = next(self._makers)
        self._ids[maker] = count()
        device = made_id(START_MS, maker, 0)
        return Disk(device, device.replace("-", "")[16:])

    # ── time

    @property
    def server_now(self) -> int:
        """What the server's clock shows, ms."""
        return self.now + self._server_ahead_ms

    def _at(self, ms: int, call: _Call) -> None:
        heapq.heappush(self._heap, (ms, next(self._order), call))

    async def _drain(self) -> None:
        while self._heap:
            at, _, call = heapq.heappop(self._heap)
            self.now = max(self.now, at)
            await call()

    def _note(self, *words: object) -> None:
        self.trace.append(" ".join(map(str, (self.now - START_MS, *words))))

    async def run(self) -> str:
        """Run the plan and its end; return a digest of all that happened."""
        await self.server.begin(self.spaces)
        try:
            self._sign_in()
            for step in self.plan["steps"]:
                self._at(START_MS + step["at"], lambda step=step: self._do(step))  # type: ignore[misc]
            await self._drain()
            await self._heal()
            self.ledger.check_end(
                await self.server.state(), [p.device for p in self.people], self.now
            )
        except Violation as violation:
            violation.trace = self.trace
            raise
        finally:
            await self.server.end()
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def _sign_in(self) -> None:
        """Every device begins with the spaces that its person may see, and nothing in them."""
        for person in self.people:
            person.device.admit(
                {"id": space, "permissions": sorted(words)}
                for space, words in self.rights.now[person.device.account].items()
            )

    # ── steps

    async def _do(self, step: Json) -> None:
        self._note(step["do"], *(step.get(key, "") for key in "ds"))
        act: Callable[..., Awaitable[None]] = getattr(self, f"_do_{step['do']}")
        if "d" in step:
            await act(self.people[step["d"]], step)
        else:
            await act(step)

    async def _do_forget(self, person: _Person, _step: Json) -> None:
        """Let the tabs start again in peace."""
        person.engines.clear()

    async def _do_clock(self, person: _Person, step: Json) -> None:
        ahead = person.device.ahead_ms + step["by"]
        person.device.ahead_ms = max(-_MAX_SKEW, min(_MAX_SKEW, ahead))

    async def _do_server_clock(self, step: Json) -> None:
        """Set the server's clock ahead or back, as an administrator or a time server does."""
        ahead = self._server_ahead_ms + step["by"]
        self._server_ahead_ms = max(-_MAX_SERVER_SKEW, min(_MAX_SERVER_SKEW, ahead))

    async def _do_upgrade_server(self, _step: Json) -> None:
        self.pair.upgrade()

    async def _do_upgrade_app(self, person: _Person, _step: Json) -> None:
        """Let the device's app be the next release's: every tab begins anew, what waits is kept."""
        self._crash(person)
        person.device.schema = 2

    async def _do_grant(self, person: _Person, step: Json) -> None:
        account, space = person.device.account, self.spaces[step["s"]]
        self.rights.change(account, space, step["words"], self.server_now)

    async def _do_save(self, _step: Json) -> None:
        await self.pair.save()

    async def _do_freeze(self, step: Json) -> None:
        await self.pair.set_state(self.spaces[step["s"]], 1 if step["on"] else 0)

    async def _do_write(self, person: _Person, step: Json) -> None:
        device, space, drafts = person.device, self.spaces[step["s"]], step["ops"]
        # A screen offers only what may be done there; what was allowed a moment ago it still does.
        if space not in device.disk.cursors:
            return
        now = device.now(self.now)
        maker = int(device.disk.actor, 16) >> 40 & 0xFFFFF
        ops = []
        for draft in drafts:
            op = draft | {"op": made_id(now, maker, next(self._ids[maker]) + 1)}
            ops.append(op | {"rec": record_id(op["rec"])} if "rec" in op else op)
        if "group" in step:
            ops = [op | {"g": ops[0]["op"]} for op in ops]
        try:
            written = device.write(space, ops, now)
        except Crashed:
            self._crash(person)
            return
        self.ledger.wrote(device, written, self.now)

    async def _do_resolve(self, person: _Person, step: Json) -> None:
        """Let somebody choose in the conflict that they see, if they see one."""
        space, rec = self.spaces[step["s"]], record_id(step["rec"])
        conflict, active = (
            person.device.conflict(space, rec),
            person.device.active(space, rec).get("ver"),
        )
        if conflict.get("state") != "open":
            return
        seen = sorted(conflict["candidates"])
        choose = {"active": active, "first": seen[0], "last": seen[-1]}[step["choose"]]
        draft = {"k": "resolve", "coll": "order", "rec": step["rec"], "base": active}
        draft |= {"seen": seen, "choose": choose, "why": "asked the doctor"}
        await self._do_write(person, step | {"ops": [draft]})

    async def _do_crash(self, person: _Person, _step: Json) -> None:
        self._crash(person)

    def _crash(self, person: _Person) -> None:
        """Kill every tab of the device; its disk stays."""
        person.device.crash_after(None)
        person.engines.clear()
        person.meetings.clear()
        self.ledger.looked(person.device, "boot", "")

    async def _do_wipe(self, person: _Person, _step: Json) -> None:
        person.engines.clear()
        person.meetings.clear()
        new = self._new_disk()
        self.ledger.lost(person.device)
        person.device.lose_storage(new.device, new.actor)

    async def _do_image(self, person: _Person, _step: Json) -> None:
        """Take an image of the device's disk."""
        person.image = deepcopy(person.device.disk)

    async def _do_put_back(self, person: _Person, _step: Json) -> None:
        """Let the device's disk be what it was when its image was taken."""
        if person.image is not None:
            self._copy_into(person, person.image)
            person.image = None

    async def _do_twin(self, person: _Person, step: Json) -> None:
        """Clone another device's disk onto this one, which had one of its own: both go on as it."""
        other = self.people[step["of"]].device
        person.device.account, person.device.schema = other.account, other.schema
        self._copy_into(person, deepcopy(other.disk))

    def _copy_into(self, person: _Person, disk: Disk) -> None:
        person.engines.clear()
        person.meetings.clear()
        person.device.crash_after(None)
        person.device.disk = disk
        self.ledger.copied(person.device)

    async def _do_compact(self, step: Json) -> None:
        await self.pair.tend("compact", self.spaces[step["s"]], self.server_now)

    async def _do_archive(self, step: Json) -> None:
        await self.pair.tend("archive", self.spaces[step["s"]], self.server_now)

    async def _do_erase(self, step: Json) -> None:
        await self.pair.tend("erase", self.spaces[step["s"]], self.server_now)

    async def _do_restore(self, _step: Json) -> None:
        await self.pair.restore(self.server_now)

    def _watch(self, device: Device, what: str, space: str) -> None:
        self._note(device.name, what, space[-4:], device.disk.clock)
        self.ledger.looked(device, what, space)

    # ── meetings

    async def _do_sync(self, person: _Person, step: Json) -> None:
        tab = step.get("tab", 0)
        if tab in person.meetings:
            return
        if tab not in person.engines:
            person.engines[tab] = Engine(person.device, lambda: self.now)
        engine = person.engines[tab]
        engine.page_rows = step.get("limit", 2000)
        if "crash" in step:
            person.device.crash_after(step["crash"])
        meeting = _Meeting(engine.round(), iter(step["net"]))
        person.meetings[tab] = meeting
        try:
            kind, body = next(meeting.round)
        except (StopIteration, Crashed) as end:
            self._end(person, tab, end)
            return
        self._send(_Trip(person, tab, meeting, kind, body))

    async def _go_on(self, trip: _Trip, answer: Json | None) -> None:
        """Let a round go on with an answer, or without one: None when none came."""
        person, meeting = trip.person, trip.meeting
        if person.meetings.get(trip.tab) is not meeting:
            return  # The tab was killed meanwhile.
        try:
            if answer is None:
                kind, body = meeting.round.throw(Offline())
            else:
                kind, body = meeting.round.send(answer)
        except (StopIteration, Offline, Crashed) as end:
            self._end(person, trip.tab, end)
            return
        self._send(replace(trip, kind=kind, body=body))

    def _end(self, person: _Person, tab: int, end: Exception) -> None:
        self._note(person.device.name, "ends", type(end).__name__)
        if isinstance(end, Crashed):
            self._crash(person)
        else:
            del person.meetings[tab]

    def _send(self, trip: _Trip) -> None:
        """Let a request travel, as its fate will have it."""
        trip.meeting.asked += 1
        if trip.meeting.asked > _PATIENCE:
            raise Violation("P23", f"{trip.person.device.name} asks and asks", self.trace)
        fault, there, back, *later = next(trip.meeting.fates, _OK)
        reach, lost = self._reaching(trip, back), self._reaching(trip, None)
        give_up = partial(self._go_on, trip, None)
        now = self.now
        match fault:
            case "no_request":
                arrivals: list[tuple[int, _Call]] = [(TIMEOUT_MS, give_up)]
            case "no_answer":
                arrivals = [(there, lost), (TIMEOUT_MS, give_up)]
            case "cut":
                arrivals = [(there, lost), (there + back, give_up)]
            case "late":
                arrivals = [(TIMEOUT_MS, give_up), (TIMEOUT_MS + later[0], lost)]
            case "twice":
                arrivals = [(there, reach), (there + later[0], lost)]
            case "undone":
                arrivals = [(there, partial(self._undo, trip)), (there + back, give_up)]
            case _:
                arrivals = [(there, reach)]
        for after, call in arrivals:
            self._at(now + after, call)

    def _reaching(self, trip: _Trip, back: int | None) -> _Call:
        """Return what happens where a request arrives; no answer leaves it if `back` is None."""

        async def reach() -> None:
            answer = await self._serve(trip)
            if back is not None:
                self._at(self.now + back, partial(self._go_on, trip, answer))

        return reach

    async def _undo(self, trip: _Trip) -> None:
        await self._serve(trip, self.pair.ask_undone)

    async def _serve(self, trip: _Trip, ask: _Ask | None = None) -> Json:
        kind, body, account = trip.kind, trip.body, trip.person.device.account
        who = self.rights.who(account, body["device_id"], self.server_now, body["schema"])
        answer = await (ask or self.pair.ask)(kind, body, who, self.server_now)
        self._note("server", kind, _short(answer))
        return answer

    # ── the end

    async def _heal(self) -> None:
        """Let everything work again; every device must come to rest by itself."""
        for person in self.people:
            person.device.crash_after(None)
            person.engines.clear()
        for space in self.spaces:
            if self.reference.spaces[space].state == 1:
                await self.pair.set_state(space, 0)
        for _ in range(_LIVELY):
            heads = self._standing()
            for person in self.people:
                await self._do_sync(person, {"net": []})
                await self._drain()
            if self._standing() == heads:
                return
        raise Violation("P23", "the devices did not come to rest", self.trace)

    def _standing(self) -> object:
        return (
            [(space, one.head) for space, one in self.reference.spaces.items()],
            [
                repr((person.device.disk.cursors, person.device.unsent(), person.device.disk.sent))
                for person in self.people
            ],
        )


_MAX_SKEW = 3 * 24 * 3_600_000
_MAX_SERVER_SKEW = 3_600_000


def _short(answer: Json) -> str:
    words = [f"{one['s']}:{one.get('seq', '')}" for one in answer.get("results", [])]
    words += [
        f"{one['id'][-4:]}={seq_of(one['cur'])}" for one in answer.get("spaces", []) if "cur" in one
    ]
    words += [f"{key}{len(answer[key])}" for key in ("gone", "reset", "added") if answer.get(key)]
    return ",".join(words)

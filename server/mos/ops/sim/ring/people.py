"""What people plan, tap and change in a day; and the tablets that send it when they can."""

import asyncio
import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import aiohttp
import msgspec

from mos.kernel.ids import named_id, new_id
from mos.kernel.zones import zone
from mos.ops.sim.ring.home import ZONE, Device, Home
from mos.ops.sim.ring.service import PushService
from mos.sync import hlc

_PLACE = zone(ZONE)
_PATIENCE = aiohttp.ClientTimeout(total=5)
# So many ask at once. Where one of them waits in vain, the others of this step would, too.
_AT_ONCE = 8
_OPS_AT_ONCE = 100
_HOURS = (7, 8, 9, 12, 14, 17, 19, 21)
_TAKEN_FOR = timedelta(minutes=20)
# A refusal that a correct server may give here: there is nothing to change any more.
_FINE = {"applied", "dup", "superseded"}


@dataclass(frozen=True)
class Planned:
    """An occurrence that somebody planned."""

    space: UUID
    occ: str
    reminder: UUID
    at: datetime
    grace: timedelta
    checkable: bool


@dataclass(frozen=True)
class Act:
    """Something that the server has said yes to, at `at` (virtual)."""

    coll: str
    op: UUID
    of: str  # the occurrence, or for a retract the op that it takes back
    said_at: datetime
    at: datetime


@dataclass
class People:
    """Everybody, what they mean to do, and what the server has taken of it."""

    home: Home
    service: PushService
    dice: Random
    day: datetime  # its midnight
    planned: dict[str, Planned] = field(default_factory=dict)
    acts: dict[str, list[Act]] = field(default_factory=lambda: defaultdict(list))
    # What a change of plans has touched: there several ends are right.
    replanned: set[UUID] = field(default_factory=set)
    paused: set[UUID] = field(default_factory=set)
    handled: set[str] = field(default_factory=set)  # alerts that a person took or closed
    refused: list[str] = field(default_factory=list)
    _later: list[tuple[datetime, int, Device, str, dict[str, Any]]] = field(default_factory=list)
    _number: int = 0

    # ── before the day

    def plan(self, now: datetime) -> None:
        """Let supporters plan everybody's day."""
        for phone in self.home.phones[::2]:
            for space in phone.spaces:
                for _ in range(self.dice.choice((1, 2, 2))):
                    self._plan(phone, space, now)
        for tablet in self.home.tablets:
            if self.dice.random() < 0.2:
                tablet.offline_until = now + timedelta(hours=self.dice.uniform(1, 14))

    def _plan(self, phone: Device, space: UUID, now: datetime) -> None:
        reminder = new_id(now)
        hours = self.dice.sample(_HOURS, 3)
        times = [f"{hour:02}:{self.dice.choice((0, 5, 15, 30)):02}" for hour in sorted(hours)]
        grace = self.dice.choice((10, 30, 60))
        checkable = self.dice.random() < 0.85
        groups = {
            "title": "Frukost",
            "category": "meal",
            "checkable": checkable,
            "grace": grace,
            "criticality": self.dice.choice(("normal", "important", "critical")),
            "minutes": 0,
            "ring": {"start": True, "again": True, "before": self.dice.choice((None, 10))},
            "rule": _rule(times),
        }
        self._set(phone, (space, "reminder", reminder), groups, now)
        for time in times:
            at = _at(self.day, time)
            occ = f"{reminder}@{self.day.astimezone(_PLACE).date()}T{time}"
            each = Planned(space, occ, reminder, at, timedelta(minutes=grace), checkable)
            self.planned[occ] = each
            self._mean(each)

    def _mean(self, each: Planned) -> None:
        """Decide what the resident will do about an occurrence."""
        tablet = next(t for t in self.home.tablets if t.spaces == [each.space])
        dice, delay = self.dice, timedelta(minutes=self.dice.choice((-15, 0, 0, 3, 8, 20, 45, 120)))
        roll = dice.random()
        if dice.random() < 0.5:
            self._do(each.at, tablet, "rang", {"occ": each.occ, "how": "sound"})
        if roll < 0.55:
            self._do(each.at + delay, tablet, "completion", {"occ": each.occ, "st": "done"})
        elif roll < 0.65:
            self._do(each.at + abs(delay), tablet, "snooze", {"occ": each.occ})
        elif roll < 0.72:
            self._do(each.at + delay, tablet, "undone", {"occ": each.occ, "st": "done"})

    def _do(self, at: datetime, device: Device, coll: str, v: dict[str, Any]) -> None:
        self._number += 1
        heapq.heappush(self._later, (at, self._number, device, coll, v))

    # ── during the day

    def act(self, now: datetime) -> None:
        """Let everybody do what they meant to do by now; it waits in their outboxes."""
        while self._later and self._later[0][0] <= now:
            at, _, device, coll, v = heapq.heappop(self._later)
            if coll == "undone":
                done = self._say(device, "completion", v, at)
                self._say(device, "retract", {"of": str(done)}, at + timedelta(seconds=30))
            elif coll == "snooze":
                self._say(device, coll, v | {"until": _moment(at + timedelta(minutes=10))}, at)
            else:
                self._say(device, coll, v, at)
        for _ in range(max(1, len(self.home.tablets) // 100)):
            self._change_something(now)

    def _change_something(self, now: datetime) -> None:
        dice = self.dice
        phone = dice.choice(self.home.phones)
        roll = dice.random()
        if roll < 0.15:
            space = dice.choice(phone.spaces)
            self.paused.add(space)
            pause = dice.choice(([], [{"from": str(self.day.astimezone(_PLACE).date())}]))
            profile = (space, "profile", named_id(space, "profile"))
            self._set(phone, profile, {"pause": pause}, now)
        elif roll < 0.4:
            each = dice.choice(list(self.planned.values()))
            self.replanned.add(each.reminder)
            phone = self.home.phones_of(each.space)[0]
            change: dict[str, Any] = dice.choice((
                {"deleted": True}, {"deleted": False}, {"grace": 20},
                {"rule": _rule([f"{dice.choice(_HOURS):02}:10"])},
            ))  # fmt: skip
            self._set(phone, (each.space, "reminder", each.reminder), change, now)
        elif roll < 0.8:
            self._take_an_alert(now)

    def _take_an_alert(self, now: datetime) -> None:
        shown = [heard for heard in self.service.heard[-40:] if heard.kind == "alert"]
        if not shown:
            return
        heard = self.dice.choice(shown)
        phone = next(p for p in self.home.phones if p.subscription == heard.subscription)
        owner = self._space_of(phone, heard.subject)
        if owner is None:
            return
        self.handled.add(heard.subject)
        if self.dice.random() < 0.6:
            until = _moment(now + _TAKEN_FOR)
            taken = {"by": str(phone.account), "at": _moment(now), "again_at": until}
            groups: dict[str, Any] = {"taken": taken}
        else:
            groups = {"closed": {"at": _moment(now), "why": "by_hand"}}
        self._set(phone, (owner, "alert", UUID(heard.subject)), groups, now)

    def _space_of(self, phone: Device, alert: str) -> UUID | None:
        for each in self.planned.values():
            if each.space in phone.spaces and alert == str(
                named_id(each.space, f"alert/{each.occ}")
            ):
                return each.space
        return None

    # ── ops

    def _set(
        self, device: Device, name: tuple[UUID, str, UUID], groups: Any, now: datetime
    ) -> None:
        """Change a record (space, collection, id)."""
        space, coll, rec = name
        op = {"k": "set", "space": space, "coll": coll, "rec": rec, "f": groups}
        self._write(device, op | {"op": new_id(now)}, now)

    def _say(self, device: Device, coll: str, v: dict[str, Any], now: datetime) -> UUID:
        op = new_id(now)
        said = {
            "k": "event",
            "space": device.spaces[0],
            "coll": coll,
            "v": {"at": _moment(now)} | v,
        }
        self._write(device, said | {"op": op}, now)
        return op

    @staticmethod
    def _write(device: Device, op: dict[str, Any], now: datetime) -> None:
        device.written += 1
        device.hlc = hlc.send(device.hlc, int(now.timestamp() * 1000), device.id.hex[16:])
        device.outbox.append(op | {"n": device.written, "hlc": device.hlc})

    # ── to the server

    async def send(self, session: aiohttp.ClientSession, url: str, now: datetime) -> None:
        """Let every device that is online send what waits; what the server did not answer stays.

        It takes as long as one device's patience at most: all of them wait at the same time.
        """
        room = asyncio.Semaphore(_AT_ONCE)
        stands_still = asyncio.Event()

        async def one(device: Device) -> None:
            async with room:
                try:
                    while device.outbox and not stands_still.is_set():
                        if not await self._send_some(session, url, device, now):
                            break
                except TimeoutError:
                    stands_still.set()

        await asyncio.gather(
            *(
                one(device)
                for device in [*self.home.tablets, *self.home.phones]
                if device.outbox and (device.offline_until is None or device.offline_until <= now)
            )
        )

    async def _send_some(
        self, session: aiohttp.ClientSession, url: str, device: Device, now: datetime
    ) -> bool:
        """Return whether the server answered. Raises TimeoutError where it stands still."""
        some = device.outbox[:_OPS_AT_ONCE]
        body = {
            "proto": 1, "schema": 1, "device_id": device.id, "client_now": _moment(now),
            "ops": some,
        }  # fmt: skip
        headers = {"x-mos": "1", "cookie": f"mos={device.token}"}
        try:
            async with session.post(
                f"{url}/sync/v1/push", data=msgspec.json.encode(body),
                headers=headers | {"content-type": "application/json"}, timeout=_PATIENCE,
            ) as answer:  # fmt: skip
                said = await answer.read()
                if answer.status != 200:
                    if answer.status < 500 and answer.status != 429:
                        self.refused.append(f"push: {answer.status} {said[:200]!r}")
                    return False
        except TimeoutError:
            raise
        except (OSError, aiohttp.ClientError):
            return False
        results = {each["op"]: each for each in msgspec.json.decode(said)["results"]}
        for op in some:
            self._judged(op, results[str(op["op"])], now)
        device.outbox = [
            op
            for op in device.outbox
            if results.get(str(op["op"]), {}).get("s", "retry") == "retry"
        ]
        return True

    def _judged(self, op: dict[str, Any], result: dict[str, Any], now: datetime) -> None:
        if result["s"] == "retry":
            return
        if result["s"] not in _FINE:
            self.refused.append(f"{op['coll']}: {result}")
        elif op["k"] == "event":
            of = op["v"].get("occ") or op["v"]["of"]
            said_at = datetime.fromisoformat(op["v"]["at"])
            self.acts[of].append(Act(op["coll"], op["op"], of, said_at, now))


def _rule(times: list[str]) -> dict[str, Any]:
    return {
        "zone": ZONE, "kind": "weekly",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "times": times, "start": "2026-01-01",
    }  # fmt: skip


def _at(day: datetime, time: str) -> datetime:
    hour, minute = map(int, time.split(":"))
    return day + timedelta(hours=hour, minutes=minute)


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")

"""A home with a clock of its own: people tap, time passes, a worker ticks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from builders import Home, a_device, a_home, a_relation, an_account
from push_service import Browser, PushService, push_service

from mos.care.actions import devices
from mos.care.model import Actor, Role
from mos.care.store import Beat
from mos.db import Scope
from mos.dispatch import vapid, webpush
from mos.dispatch.channels.messengers import Messengers, open_messengers
from mos.kernel.ids import new_id
from mos.kernel.zones import zone
from mos.privacy import seals
from mos.sync import actions, hlc
from mos.sync.model import Author, Pushed, PushHead
from mos.wiring import COLLECTIONS
from mos.worker.loop import Worker

if TYPE_CHECKING:
    from conftest import Database

STOCKHOLM = zone("Europe/Stockholm")
# The day that worlds begin on.
DAY = "2026-11-27"
EVERYTHING = frozenset({"plan.view", "plan.edit", "outcome.record", "alert.take"})
OF_MEDICATION = frozenset({"medication.view", "medication.edit", "outcome.record", "alert.take"})


def occ_of(reminder: UUID, time: str, day: str = DAY) -> str:
    """Return the name of the occurrence at a wall time."""
    return f"{reminder}@{day}T{time}"


@dataclass
class World:
    """One home. `now` stands still until a test moves it."""

    database: "Database"
    home: Home
    service: PushService
    post: webpush.Post
    messengers: Messengers
    now: datetime
    worker: Worker
    tablet: UUID
    tablet_browser: Browser
    devices: dict[UUID, UUID] = field(default_factory=dict)
    # Who may do something else than everything, in the residents' days.
    reach: dict[UUID, frozenset[str]] = field(default_factory=dict)
    # And in their medication.
    of_medication: dict[UUID, frozenset[str]] = field(default_factory=dict)
    _n: dict[UUID, int] = field(default_factory=dict)
    _clock: str = hlc.NEVER

    @property
    def space(self) -> UUID:
        """The first resident's space."""
        return self.home.space

    # ── time
    def local(self, text: str, place: ZoneInfo = STOCKHOLM) -> datetime:
        """Return the instant of a wall time, "2026-11-27T08:00" or "08:00" of the present day."""
        if "T" not in text:
            text = f"{self.now.astimezone(place).date()}T{text}"
        return datetime.fromisoformat(text).replace(tzinfo=place).astimezone(UTC)

    async def at(self, text: str, place: ZoneInfo = STOCKHOLM) -> None:
        """Let it be that wall time, and the worker tick until what it sent has ended."""
        self.now = self.local(text, place)
        await self.tick()

    async def later(self, **span: float) -> None:
        """Let time pass, and the worker tick."""
        self.now += timedelta(**span)
        await self.tick()

    async def tick(self) -> None:
        """Tick, and let what was sent end and be settled."""
        await self.worker.tick(self.now)
        await self.worker.idle()
        await self.worker.tick(self.now)
        assert not self.worker.ailing

    # ── people
    async def push(
        self,
        *ops: dict[str, Any],
        by: UUID,
        device: UUID | None = None,
        verdict: str = "applied",
    ) -> Pushed:
        """Push ops of one person, as from one of their devices; all must get this verdict."""
        device = device or self.devices.setdefault(by, new_id(self.now))
        author = Author(
            org=self.home.org,
            account=by,
            session=by,
            device=device,
            reach={
                resident.space: self.reach.get(by, EVERYTHING) for resident in self.home.residents
            }
            | {
                resident.medication: self.of_medication.get(by, OF_MEDICATION)
                for resident in self.home.residents
            },
        )
        raws = []
        for op in ops:
            self._clock = hlc.send(self._clock, int(self.now.timestamp() * 1000), device.hex[16:])
            self._n[device] = self._n.get(device, 0) + 1
            stamped = {"op": new_id(self.now), "n": self._n[device], "hlc": self._clock} | op
            raws.append(msgspec.Raw(msgspec.json.encode(stamped)))
        head = PushHead(1, 1, device, self.now, raws)
        async with self.database.app.transaction() as db:
            answer = await actions.push(db, author, head, COLLECTIONS, self.now)
        assert [r.s for r in answer.results] == [verdict] * len(ops), answer.results
        return answer

    async def plan(
        self, *times: str, id: UUID | None = None, space: UUID | None = None, **groups: Any
    ) -> UUID:
        """Let the caregiver plan a reminder, every day at `times` unless a `rule` is given."""
        reminder = id or new_id(self.now)
        everyday = {
            "zone": "Europe/Stockholm",
            "kind": "weekly",
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "times": list(times),
            "start": "2026-01-01",
        }
        whole = {
            "title": "Frukost",
            "category": "meal",
            "checkable": True,
            "grace": 30,
            "criticality": "normal",
            "minutes": 0,
            "ring": {"start": True, "again": True, "before": None},
            "rule": everyday,
        } | groups
        await self.set("reminder", reminder, whole, space=space)
        return reminder

    async def set(
        self,
        coll: str,
        rec: UUID,
        groups: dict[str, Any],
        *,
        by: UUID | None = None,
        space: UUID | None = None,
    ) -> None:
        """Let somebody, else the caregiver, change a record."""
        op = {"k": "set", "space": space or self.space, "coll": coll, "rec": rec, "f": groups}
        await self.push(op, by=by or self.home.caregiver)

    def event(self, coll: str, space: UUID | None = None, **v: Any) -> dict[str, Any]:
        """Return an event's op, of now."""
        v = {"at": self.moment(self.now)} | v
        where = {"space": space or self.space, "coll": coll}
        return {"op": new_id(self.now), "k": "event", "v": v} | where

    async def say(
        self, coll: str, *, by: UUID | None = None, space: UUID | None = None, **v: Any
    ) -> UUID:
        """Let somebody, else the resident on the tablet, say something; return the op."""
        resident = self.home.resident.account
        op = self.event(coll, space, **v)
        device = self.tablet if by in (None, resident) else None
        await self.push(op, by=by or resident, device=device)
        return op["op"]

    async def beat(self, *, kiosk: bool = True) -> None:
        """Let the tablet send a heartbeat."""
        resident = self.home.resident.account
        actor = Actor(
            org=self.home.org,
            account=resident,
            role=Role.RESIDENT,
            session=resident,
            device=self.tablet,
        )
        async with self.database.app.transaction(Scope(self.home.org)) as db:
            await devices.heartbeat(db, actor, Beat(kiosk=kiosk), self.now)

    @staticmethod
    def moment(at: datetime) -> str:
        """Return a moment as devices write it."""
        return at.isoformat().replace("+00:00", "Z")

    async def supporter(self, *, primary: bool = False, unit: bool = False) -> tuple[UUID, Browser]:
        """Add a supporter with a phone; of the resident, or of the whole unit."""
        account = await an_account(self.database, self.home.org, "caregiver", name="Sam")
        await a_relation(
            self.database,
            self.home.org,
            account,
            space=None if unit else self.space,
            unit=self.home.unit if unit else None,
            is_primary=primary,
        )
        return account, (await self.phone(account))[1]

    async def phone(self, account: UUID) -> tuple[UUID, Browser]:
        """Give somebody a device with push."""
        device, browser = (
            await a_device(self.database, self.home.org, account),
            self.service.subscribe(),
        )
        await self.database.sql(
            "UPDATE device SET push_endpoint = $2, push_p256dh = $3, push_auth = $4 "
            "WHERE device_id = $1",
            device, browser.endpoint, browser.p256dh, browser.auth,
        )  # fmt: skip
        return device, browser

    # ── what came of it
    async def due(self) -> list[str]:
        """Return the wall times that wait in `due`, in order."""
        rows = await self.database.sql("SELECT occ FROM due ORDER BY at, occ")
        return [row["occ"].partition("@")[2] for row in rows]

    async def state(self, occ: str | None = None) -> str:
        """Return the state of an occurrence, else of the only one."""
        return (await self.occurrence(occ))["state"]

    async def occurrence(self, occ: str | None = None) -> dict[str, Any]:
        """Return an occurrence's row, else the only one."""
        rows = await self.database.sql(
            "SELECT * FROM occurrence WHERE $1::text IS NULL OR occ = $1", occ
        )
        assert len(rows) == 1, rows
        return rows[0]

    async def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts as the space's records show them, oldest first."""
        rows = await self.database.sql("SELECT doc FROM rec WHERE coll = 'alert' ORDER BY seq")
        return [row["doc"] for row in rows]

    def rings(self) -> list[str]:
        """Return the occurrences that the tablet was pushed, in order."""
        return [told["occ"] for told in self.tablet_browser.told if told["kind"] == "ring"]


@asynccontextmanager
async def a_world(
    database: "Database", now: str = f"{DAY}T07:00", *, residents: int = 1
) -> AsyncIterator[World]:
    """Yield a home at that wall time: a resident with a tablet, a caregiver, a worker."""
    home = await a_home(database, residents=residents)
    key = vapid.load_or_make(database.settings.secrets / "vapid.pem")
    seal = seals.load(database.settings.secrets / "seal.key")
    async with (
        push_service() as service,
        webpush.open_post(key, database.settings) as post,
        open_messengers(database.settings, seal) as messengers,
    ):
        worker = Worker(database.app, database.engine, post, messengers)
        tablet = UUID(int=0)
        world = World(
            database, home, service, post, messengers, datetime(2026, 1, 1, tzinfo=UTC), worker,
            tablet, Browser("", ""),
        )  # fmt: skip
        world.now = world.local(now)
        world.tablet, world.tablet_browser = await world.phone(home.resident.account)
        try:
            yield world
        finally:
            await worker.close()

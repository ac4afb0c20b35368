"""What the two nurses order, as their devices push it: every rule is the product's."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from mos.care.model import Actor, Role
from mos.db import Db, Scope
from mos.kernel.ids import new_id
from mos.sync import hlc
from mos.sync.actions import push
from mos.sync.model import PROTO, SCHEMA, PushHead
from mos.web.sync_author import Writer, author_of
from mos.wiring import COLLECTIONS

# What was ordered long ago rings, and is told, from now on alone: the engine never looks back.
_QUIET = {name: replace(each, applied=None) for name, each in COLLECTIONS.items()}


@dataclass(frozen=True)
class Order:
    """An order, and the ids that its nurses' devices gave to what they wrote of it.

    `ver` is the version that came first: of an order that takes two people their decision.
    """

    space: UUID
    rec: UUID
    v: dict[str, Any]
    proposal: UUID
    ver: UUID


class Nurse:
    """A nurse with a device of their own."""

    def __init__(self, org: UUID, account: UUID, at: datetime) -> None:
        """Let the device be new `at` that moment."""
        self._device = new_id(at)
        self._actor = Actor(
            org=org, account=account, role=Role.NURSE, session=new_id(at), device=self._device
        )
        self._clock = hlc.NEVER
        self._sent: dict[UUID, int] = {}

    def wrote(self, at: datetime, op: UUID, order: Order, **what: Any) -> dict[str, Any]:
        """Return an op about an order that this device wrote `at` that moment."""
        self._clock = hlc.send(self._clock, int(at.timestamp() * 1000), self._device.hex[16:])
        self._sent[order.space] = self._sent.get(order.space, 0) + 1
        return {
            "op": op,
            "n": self._sent[order.space],
            "space": order.space,
            "hlc": self._clock,
            "coll": "order",
            "rec": order.rec,
            **what,
        }

    async def send(
        self, db: Db, ops: list[dict[str, Any]], now: datetime, *, verdicts: list[str], quiet: bool
    ) -> dict[UUID, int]:
        """Push, received at `now`; return where each space stands then. `quiet`: rings nothing.

        Raises RuntimeError where the verdicts are others: then it would be no demo of the rules.
        """
        raws = [msgspec.Raw(msgspec.json.encode(op)) for op in ops]
        head = PushHead(PROTO, SCHEMA, self._device, now, raws)
        await db.scope(Scope(self._actor.org))
        collections = _QUIET if quiet else COLLECTIONS
        author = await author_of(db, Writer(self._actor), head, collections, now)
        answer = await push(db, author, head, collections, now)
        if [result.s for result in answer.results] != verdicts:
            raise RuntimeError(f"the demo's orders were not taken: {answer.results}")
        return answer.heads


async def order(
    db: Db, nurses: tuple[Nurse, Nurse], orders: Iterable[Order], at: datetime
) -> dict[UUID, int]:
    """Let one nurse order all, and the other sign where it takes two; return the spaces' heads."""
    one, other = nurses
    ordered = list(orders)
    ops = [
        one.wrote(at, each.proposal, each, k="safety", base=None, trunk=None, v=each.v)
        for each in ordered
    ]
    verdicts = ["conflict" if each.v["double"] else "applied" for each in ordered]
    heads = await one.send(db, ops, at, verdicts=verdicts, quiet=True)
    signed = [
        other.wrote(
            at, each.ver, each, k="resolve", base=None, seen=[each.proposal],
            choose=each.proposal, why="Kontrollerat mot ordinationen",
        )
        for each in ordered
        if each.v["double"]
    ]  # fmt: skip
    verdicts = ["applied"] * len(signed)
    return heads | await other.send(db, signed, at, verdicts=verdicts, quiet=True)


async def disagree(  # noqa: PLR0917  who, about what, and when each of them wrote
    db: Db,
    nurses: tuple[Nurse, Nurse],
    about: Order,
    changes: tuple[dict[str, Any], dict[str, Any]],
    wrote: tuple[datetime, datetime],
    now: datetime,
) -> None:
    """Let two nurses change one order, neither having seen the other: the second only proposes."""
    told = (["applied"], ["conflict"])
    for nurse, change, at, verdicts in zip(nurses, changes, wrote, told, strict=True):
        v = about.v | change
        op = nurse.wrote(
            at, new_id(at), about, k="safety", base=about.ver, trunk=about.ver, v=v
        )  # fmt: skip
        await nurse.send(db, [op], now, verdicts=verdicts, quiet=False)

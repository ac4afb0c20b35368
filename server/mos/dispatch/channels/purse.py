"""What a metered channel may still cost this month.

A message is paid for before it is sent, under the row's lock, so that several workers together keep
the cap. What turns out not to have been sent is given back; what nobody knows of stays paid.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from mos.db import Db
from mos.dispatch import store
from mos.dispatch.channels.message import Service
from mos.dispatch.channels.result import Result
from mos.dispatch.store import Spent

# After these nobody knows whether the gateway has sent the message.
_PERHAPS_SENT = frozenset({"timeout", "unclear"})
_NOTICE_EXPIRES = timedelta(days=2)
# Of the cap, in percent: there is time left to raise it, or to see what costs so much.
_NEAR = 80


class Wanted(Struct, frozen=True):
    """A message that would cost something. What is critical goes whatever the cap says."""

    key: int
    org: UUID
    is_critical: bool


class Paid(Struct, frozen=True):
    """What was paid for a message in advance."""

    org: UUID
    month: int
    cost: int


async def pay(
    db: Db,
    channel: str,
    wanted: Sequence[Wanted],
    services: Mapping[UUID, Service],
    now: datetime,
) -> dict[int, Paid]:
    """Pay for these messages in order; return what was paid by key. The absent are held back."""
    month = month_of(now)
    orgs = sorted({each.org for each in wanted if each.org in services})
    if not orgs:
        return {}
    before = {row.org: row for row in await store.lock_spend(db, channel, month, orgs)}
    spent = {org: before[org].cost for org in orgs}
    paid: dict[int, Paid] = {}
    held: set[UUID] = set()
    for each in wanted:
        if each.org not in services:
            continue
        price, cap = int(services[each.org].settings.get("price", 0)), services[each.org].cap
        if cap is not None and spent[each.org] + price > cap:
            held.add(each.org)
            if not each.is_critical:
                continue
        spent[each.org] += price
        paid[each.key] = Paid(each.org, month, price)
    counts: dict[UUID, int] = defaultdict(int)
    for one in paid.values():
        counts[one.org] += 1
    rows = [
        Spent(org, month, counts[org], spent[org] - before[org].cost, org in held) for org in orgs
    ]
    await store.add_spend(db, channel, rows, now)
    newly = [org for org in sorted(held) if before[org].capped_at is None]
    near = [
        org
        for org in orgs
        if org not in held and _comes_near(services[org].cap, before[org].cost, spent[org])
    ]
    expires = now + _NOTICE_EXPIRES
    if newly:
        await store.tell_of_cap(db, "cap", channel, month, newly, expires_at=expires, now=now)
    if near:
        await store.tell_of_cap(db, "near", channel, month, near, expires_at=expires, now=now)
    return paid


def _comes_near(cap: int | None, before: int, after: int) -> bool:
    return cap is not None and before * 100 < cap * _NEAR <= after * 100


async def settle(db: Db, channel: str, ended: Sequence[tuple[Paid, Result]], now: datetime) -> None:
    """Correct what was paid by what the messages did cost."""
    change: dict[tuple[UUID, int], list[int]] = defaultdict(lambda: [0, 0])
    for paid, result in ended:
        total = change[paid.org, paid.month]
        if result.outcome == "sent":
            total[1] += 0 if result.cost is None else result.cost - paid.cost
        elif result.code not in _PERHAPS_SENT:
            total[0] -= 1
            total[1] -= paid.cost
    rows = [
        Spent(org, month, parts, cost)
        for (org, month), (parts, cost) in sorted(change.items())
        if parts or cost
    ]
    if rows:
        await store.add_spend(db, channel, rows, now)


def month_of(now: datetime) -> int:
    """Return the month of a moment, in UTC: 202611."""
    at = now.astimezone(UTC)
    return at.year * 100 + at.month

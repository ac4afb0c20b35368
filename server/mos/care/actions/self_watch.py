"""What MOS says of its own watch: what was expected and told, and how the chain stands."""

from datetime import datetime

from msgspec import Struct

from mos.care.actions import permit
from mos.care.model import Actor
from mos.db import Db
from mos.dispatch import watch, windows
from mos.dispatch.store.windows import how_it_watches, windows_of
from mos.kernel.errors import NotFound


class Gap(Struct, frozen=True):
    """Fifteen minutes from `from_at` in which something was neither told nor excused."""

    from_at: datetime
    expected: int
    missing: int


class Leg(Struct, frozen=True):
    """How a leg of the chain stands: when it last came through, and in how many milliseconds."""

    state: watch.Stands
    at: datetime | None
    took_ms: int | None


class SelfWatch(Struct, frozen=True, kw_only=True):
    """An organisation's last 24 hours until `until`, in numbers, and the whole server's chain.

    `until` is None before the first window was judged. `told` holds those told for a reason not
    (`excused`) too, so `expected` less `told` is missing; `late` of them came more than five
    minutes after their time. `gaps` are the windows with something missing, the latest first.
    """

    until: datetime | None
    expected: int
    told: int
    late: int
    excused: int
    missing: int
    gaps: list[Gap]
    chain: Leg
    push: Leg


async def self_watch(db: Db, actor: Actor, now: datetime) -> SelfWatch:
    """Return how the organisation's last 24 hours were told. Raises Forbidden, NotFound."""
    await permit.require_reach(db, actor, now)
    stands = await how_it_watches(db)
    if stands is None:
        raise NotFound("There is nothing to watch yet.")
    rows = await windows_of(db, actor.org, windows.begin_of(now - windows.SHOWN_FOR))
    return SelfWatch(
        until=stands.judged_until,
        expected=sum(row.expected for row in rows),
        told=sum(row.told + row.excused for row in rows),
        late=sum(row.late for row in rows),
        excused=sum(row.excused for row in rows),
        missing=sum(row.missing for row in rows),
        gaps=[Gap(row.from_at, row.expected, row.missing) for row in rows if row.missing],
        chain=Leg(
            watch.chain_stands(stands.through_at, stands.missed),
            stands.through_at,
            stands.took_ms,
        ),
        push=Leg(
            watch.push_stands(stands.through_at, stands.push_at, stands.push_missed),
            stands.push_at,
            stands.push_ms,
        ),
    )

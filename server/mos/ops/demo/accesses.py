"""Who has seen whom in the weeks before: the demo's access log begins with something in it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.kernel.ids import named_id

_sql = Queries(__package__)
_ADD = _sql.command("add_accesses")

_DAYS = 38
# Two of the four caregivers work by day, one in the evening; hours are those of UTC.
_SHIFTS = ((7, 0), (9, 1), (15, 2))


class _Seen(Struct, frozen=True):
    space: UUID
    account: UUID
    kind: str
    what: str
    at: datetime


async def add_accesses(
    db: Db,
    org: UUID,
    residents: Mapping[str, UUID],
    accounts: Mapping[str, UUID],
    now: datetime,
) -> None:
    """Log what a quiet home's staff and relatives saw and did until `now`."""
    lines = [each for each in _seen(residents, accounts, now) if each.at < now]
    await db.run(
        _ADD,
        org=org,
        ids=[named_id(org, f"access/{number}") for number in range(len(lines))],
        spaces=[each.space for each in lines],
        accounts=[each.account for each in lines],
        kinds=[each.kind for each in lines],
        classes=[each.what for each in lines],
        moments=[each.at for each in lines],
    )


def _seen(
    residents: Mapping[str, UUID], accounts: Mapping[str, UUID], now: datetime
) -> Iterator[_Seen]:
    caregivers = [accounts[key] for key in ("sara", "jonas", "fatima", "mikael")]
    nurses = [accounts[key] for key in ("ingrid", "henrik")]
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(_DAYS, -1, -1):
        day = today - timedelta(days=back)
        for number, (key, space) in enumerate(residents.items()):
            for hour, shift in _SHIFTS:
                who = caregivers[(back + shift) % len(caregivers)]
                at = day + timedelta(hours=hour, minutes=4 + 7 * number)
                yield _Seen(space, who, "read", "day", at)
                if (back + number) % 3 == 0:
                    yield _Seen(space, who, "changed", "completion", at + timedelta(minutes=2))
            if number % 2 == 0:
                at = day + timedelta(hours=8, minutes=10 + number)
                yield _Seen(space, nurses[back % 2], "read", "medication", at)
            if key == "elsa" and back % 4 == 1:
                yield _Seen(space, accounts["karin"], "read", "day", day + timedelta(hours=18))

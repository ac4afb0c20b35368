"""Who is called in the demo home: a template, one resident's own ladder, and nurses on call."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mos.care.actions import duty
from mos.care.model import Actor, Role
from mos.db import Db
from mos.dispatch.model import Audience, Ladder, Step
from mos.dispatch.rules import write_steps
from mos.dispatch.store import save_ladders, save_template
from mos.kernel.ids import named_id, new_id


def _steps(*steps: tuple[Audience, int]) -> tuple[Step, ...]:
    return tuple(Step(tell, timedelta(minutes=after)) for tell, after in steps)


# Whose medicine a nurse hears of before everybody does.
WATCHED = "amir"
_MEDICINE = Ladder(
    "medication",
    None,
    _steps((Audience.PRIMARY, -15), (Audience.ON_CALL, 0), (Audience.ALL, 30)),
)
_CRITICAL = Ladder(
    None,
    "critical",
    _steps((Audience.PRIMARY, -5), (Audience.UNIT, 0), (Audience.ON_CALL, 5), (Audience.ALL, 15)),
)


def ladder_record(space: UUID) -> tuple[UUID, dict[str, Any]]:
    """Return the id and the groups of the record of that one resident's ladder."""
    groups = {
        "for": {"category": _MEDICINE.category, "criticality": _MEDICINE.criticality},
        "steps": write_steps(_MEDICINE.steps),
    }
    return named_id(space, f"ladder/{_MEDICINE.category}/*"), groups


async def call(  # noqa: PLR0917  a home needs all of them
    db: Db, org: UUID, unit: UUID, watched: UUID, accounts: Mapping[str, UUID], now: datetime
) -> None:
    """Let `watched`, the space of one resident, the organisation and two nurses have all that."""
    admin = Actor(
        org=org, account=accounts["admin"], role=Role.ADMIN, session=new_id(now), device=None,
        strong_at=now,
    )  # fmt: skip
    await save_ladders(db, org, [(watched, _MEDICINE)])
    await save_template(db, org, _CRITICAL, by=accounts["admin"], now=now)
    weekdays: list[Any] = ["mon", "tue", "wed", "thu", "fri"]
    first = now.date() - timedelta(days=14)
    nurses = [accounts["ingrid"], accounts["henrik"]]
    for rota in (
        duty.NewRota(
            name="Kväll och natt", weekdays=weekdays, from_="16:00", to="07:00", accounts=nurses,
            valid_from=first, holidays="sunday",
        ),
        duty.NewRota(
            name="Helg", weekdays=["sat", "sun"], from_="07:00", to="07:00", accounts=nurses,
            valid_from=first, holidays="sunday", turn="day",
        ),
    ):  # fmt: skip
        await duty.add_rota(db, admin, unit, rota, now)

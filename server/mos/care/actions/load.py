"""How much rings and calls, and what reached nobody."""

from datetime import datetime, timedelta
from uuid import UUID

from mos.care import rules, store
from mos.care.actions import permit
from mos.care.actions.ladders import require_days
from mos.care.model import Actor
from mos.db import Db
from mos.dispatch import store as engine
from mos.kernel.zones import instant_of, zone

_LONGEST = 31


async def alarm_load(
    db: Db, actor: Actor, space: UUID, days: int, now: datetime
) -> rules.AlarmLoad:
    """Return a resident's rings and alerts on the last whole days, in the organisation's zone.

    What is about medication counts for those alone who see it. Raises Invalid or NotFound.
    """
    require_days(days, _LONGEST)
    spaces = list(await permit.seen_spaces(db, actor, space, now))
    await db.widen(spaces)
    place = await _zone(db, actor.org)
    between = _days(place, days, now)
    return _load(await engine.load_of_spaces(db, actor.org, spaces, between, zone=place))


async def own_alarm_load(db: Db, actor: Actor, days: int, now: datetime) -> rules.AlarmLoad:
    """Return what the actor heard on the last whole days, in the organisation's zone."""
    require_days(days, _LONGEST)
    spaces = [access.space for access in await store.access(db, actor, now)]
    await db.widen(spaces)
    place = await _zone(db, actor.org)
    between = _days(place, days, now)
    rows = await engine.load_of_account(db, actor.org, actor.account, spaces, between, zone=place)
    return _load(rows)


async def dead_letters(db: Db, actor: Actor, now: datetime) -> list[engine.DeadLetter]:
    """Return what failed for good while its alert is open, where the actor manages."""
    reach = await permit.require_reach(db, actor, now)
    days = [each.space for each in await store.residents_within(db, actor.org, reach)]
    spaces = [*days, *(store.medication_of(space) for space in days)]
    await db.widen(spaces)
    return await engine.dead_letters(db, actor.org, spaces)


async def _zone(db: Db, org: UUID) -> str:
    return (await store.organisation(db, org)).zone


def _days(place: str, days: int, now: datetime) -> list[engine.Between]:
    """Return the last whole days before `now` in a zone, the oldest first."""
    today = now.astimezone(zone(place)).date()
    whole = [today - timedelta(days=back) for back in range(days, 0, -1)]
    return [
        engine.Between(
            day, instant_of(day, 0, place), instant_of(day + timedelta(days=1), 0, place)
        )
        for day in whole
    ]


def _load(rows: list[engine.Load]) -> rules.AlarmLoad:
    return rules.alarm_load([(row.day, row.rings, row.alerts, row.at_night) for row in rows])

"""Rotas: who is on call for a unit, two weeks ahead at least."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from mos.care import rules, store
from mos.care.actions import permit
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Name, named
from mos.care.model import Actor
from mos.db import Db
from mos.kernel.errors import Invalid, NotFound
from mos.kernel.ids import new_id

# How far ahead duty is known, and from when on a rota's turn to be renewed comes.
AHEAD = timedelta(days=15)
RENEW_BELOW = timedelta(days=14)
_LONGEST_ASKED = 35
# Turns are counted from a rota's first day, each time.
_FURTHEST = timedelta(days=3660)

Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class NewRota(Struct, frozen=True, rename={"from_": "from"}, forbid_unknown_fields=True):
    """A rota as somebody writes it (docs/api.md). Wall times are in the unit's zone."""

    name: Name
    weekdays: Annotated[list[rules.Weekday], Meta(min_length=1, max_length=7)]
    from_: Clock
    to: Clock
    accounts: Annotated[list[UUID], Meta(min_length=1, max_length=100)]
    valid_from: date
    valid_to: date | None = None
    holidays: rules.Holidays = "usual"
    turn: rules.Turn = "week"


class Replacement(Struct, frozen=True, forbid_unknown_fields=True):
    """Who has the turn instead; None: nobody."""

    account: UUID | None


async def list_rotas(db: Db, actor: Actor, unit: UUID, now: datetime) -> list[store.Rota]:
    """Return the rotas of a unit that the actor manages."""
    await permit.managed_unit(db, actor, unit, now)
    return await store.rotas_of_units(db, actor.org, [unit])


async def add_rota(db: Db, actor: Actor, unit: UUID, wanted: NewRota, now: datetime) -> store.Rota:
    """Add a rota to a unit that the actor manages. Raises Invalid."""
    home = await permit.managed_unit(db, actor, unit, now)
    await require_step_up(db, actor, now)
    rota = _rota(new_id(now), home, wanted, [], now)
    return await _keep(db, actor.org, rota, now)


async def change_rota(
    db: Db, actor: Actor, rota_id: UUID, wanted: NewRota, now: datetime
) -> store.Rota:
    """Replace a rota's rule; its changed days stay. Raises Invalid or NotFound."""
    before, home = await _managed(db, actor, rota_id, now)
    return await _keep(db, actor.org, _rota(rota_id, home, wanted, before.changes, now), now)


async def remove_rota(db: Db, actor: Actor, rota_id: UUID, now: datetime) -> None:
    """Remove a rota: nobody has duty by it any more."""
    await _managed(db, actor, rota_id, now)
    await store.remove_rota(db, actor.org, rota_id)


async def change_day(  # noqa: PLR0913  one more than five
    db: Db, actor: Actor, rota_id: UUID, day: date, *, instead: Replacement, now: datetime
) -> store.Rota:
    """Let somebody else have the turn that begins on `day`. Raises Invalid or NotFound."""
    rota, _ = await _managed(db, actor, rota_id, now)
    if instead.account is not None:
        await _require_called(db, actor.org, rota.unit, [instead.account], now, field="account")
    change = store.RotaChange(day, instead.account)
    await store.change_day(db, actor.org, rota_id, change, by=actor.account, now=now)
    return await _renewed(db, actor.org, rota, now)


async def unchange_day(db: Db, actor: Actor, rota_id: UUID, day: date, now: datetime) -> store.Rota:
    """Let the rule decide about `day` again. Raises NotFound."""
    rota, _ = await _managed(db, actor, rota_id, now)
    if not await store.unchange_day(db, actor.org, rota_id, day):
        raise permit.no_such("change")
    return await _renewed(db, actor.org, rota, now)


async def unit_duty(
    db: Db, actor: Actor, unit: UUID, days: int, now: datetime
) -> list[store.OnDuty]:
    """Return who has duty in a unit that the actor manages, for so many days."""
    await permit.managed_unit(db, actor, unit, now)
    until = now + _span(days)
    return await store.duty_of_units(db, actor.org, [unit], now=now, until=until)


async def own_duty(db: Db, actor: Actor, days: int, now: datetime) -> list[store.OnDuty]:
    """Return the actor's own turns, for so many days."""
    until = now + _span(days)
    return await store.duty_of_account(db, actor.org, actor.account, now=now, until=until)


async def renew(db: Db, org: UUID, units: Sequence[UUID], now: datetime) -> None:
    """Materialise the duties of these units' rotas two weeks ahead."""
    rotas = await store.rotas_of_units(db, org, units)
    await _materialise(db, org, rotas, now)


async def _managed(
    db: Db, actor: Actor, rota_id: UUID, now: datetime
) -> tuple[store.Rota, store.Unit]:
    await permit.require_reach(db, actor, now)
    rota = await store.rota_for_update(db, actor.org, rota_id)
    if rota is None:
        raise permit.no_such("rota")
    try:
        home = await permit.managed_unit(db, actor, rota.unit, now)
    except NotFound:
        raise permit.no_such("rota") from None
    await require_step_up(db, actor, now)
    return rota, home


async def _keep(db: Db, org: UUID, rota: store.Rota, now: datetime) -> store.Rota:
    await _require_called(db, org, rota.unit, rota.accounts, now, field="accounts")
    await store.save_rota(db, org, rota, now)
    await _materialise(db, org, [rota], now)
    return rota


async def _renewed(db: Db, org: UUID, rota: store.Rota, now: datetime) -> store.Rota:
    """Return a rota whose days have changed, its duties in step."""
    fresh = await store.rota_for_update(db, org, rota.id) or rota
    await _materialise(db, org, [fresh], now)
    return fresh


async def _materialise(db: Db, org: UUID, rotas: Sequence[store.Rota], now: datetime) -> None:
    until = now + AHEAD
    found = [
        (rota, duty)
        for rota in rotas
        for duty in rules.duties(
            rota.rule,
            {change.day: change.account for change in rota.changes},
            rota.zone,
            since=now,
            until=until,
        )
    ]
    names = [rota.id for rota in rotas]
    await store.replace_duty(db, org, names, found, now)
    await store.extend_rotas(db, org, names, until)


async def _require_called(  # noqa: PLR0913  one more than five
    db: Db, org: UUID, unit: UUID, accounts: Sequence[UUID], now: datetime, *, field: str
) -> None:
    if await store.not_called(db, org, unit, accounts, now):
        raise Invalid(
            "Somebody on call needs the permission alert.take for the whole unit.",
            field=field,
            code="not_called",
        )


def _rota(
    rota: UUID, unit: store.Unit, wanted: NewRota, changes: list[store.RotaChange], now: datetime
) -> store.Rota:
    if abs(wanted.valid_from - now.date()) > _FURTHEST:
        raise Invalid("A rota begins within ten years.", field="valid_from")
    if wanted.valid_to is not None and wanted.valid_to < wanted.valid_from:
        raise Invalid("The last day comes before the first.", field="valid_to", code="backwards")
    return store.Rota(
        id=rota,
        unit=unit.id,
        zone=unit.zone,
        name=named(wanted.name),
        weekdays=sorted(set(wanted.weekdays), key=rules.WEEKDAYS.index),
        from_=wanted.from_,
        to=wanted.to,
        holidays=wanted.holidays,
        turn=wanted.turn,
        accounts=wanted.accounts,
        valid_from=wanted.valid_from,
        valid_to=wanted.valid_to,
        changes=changes,
    )


def _span(days: int) -> timedelta:
    if not 1 <= days <= _LONGEST_ASKED:
        raise Invalid(f"Ask for 1 to {_LONGEST_ASKED} days.", field="days")
    return timedelta(days=days)

"""Who is on call, by rotas; and when people rest."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from mos.care.rules import Duty, Holidays, Rule, Turn, Weekday
from mos.care.store.rows import Id
from mos.db import Db, Queries

_sql = Queries(__package__, "duty.sql")


class RotaChange(Struct, frozen=True):
    """Whoever has the turn that begins on a day, instead; None: nobody."""

    day: date
    account: UUID | None


class Rota(Struct, frozen=True, rename={"from_": "from"}):
    """Who takes turns on call for a unit, with the days on which somebody else has the turn.

    Wall times are in the unit's `zone`.
    """

    id: UUID
    unit: UUID
    zone: str
    name: str
    weekdays: list[Weekday]
    from_: str
    to: str
    holidays: Holidays
    turn: Turn
    accounts: list[UUID]
    valid_from: date
    valid_to: date | None
    changes: list[RotaChange]

    @property
    def rule(self) -> Rule:
        """The rule by which turns come."""
        return Rule(
            self.weekdays, self.from_, self.to, self.holidays, self.turn, self.accounts,
            self.valid_from, self.valid_to,
        )  # fmt: skip


class OnDuty(Struct, frozen=True, rename={"from_": "from"}):
    """One turn on call: by which rota, for which unit and its zone, whose, from when to when."""

    rota: UUID
    name: str
    unit: UUID
    zone: str
    account: UUID
    from_: datetime
    to: datetime


class UnitOf(Struct, frozen=True):
    """A unit, with its organisation."""

    org: UUID
    unit: UUID


class QuietHours(Struct, frozen=True, rename={"from_": "from"}):
    """When somebody rests, wall times in a zone. `to` not after `from` is the next morning."""

    from_: str
    to: str
    zone: str


_ROTAS_OF_UNITS = _sql.query("rotas_of_units", Rota)
_ROTA_FOR_UPDATE = _sql.query("rota_for_update", Rota)
_SAVE_ROTA = _sql.command("save_rota")
_REMOVE_ROTA = _sql.command("remove_rota")
_CHANGE_DAY = _sql.command("change_day")
_UNCHANGE_DAY = _sql.command("unchange_day")
_NOT_CALLED = _sql.query("not_called", Id)
_REPLACE_DUTY = _sql.command("replace_duty")
_EXTEND_ROTAS = _sql.command("extend_rotas")
_SHORT_ROTAS = _sql.query("short_rotas", UnitOf)
_DUTY_OF_UNITS = _sql.query("duty_of_units", OnDuty)
_DUTY_OF_ACCOUNT = _sql.query("duty_of_account", OnDuty)
_QUIET_HOURS = _sql.query("quiet_hours", QuietHours)
_SAVE_QUIET_HOURS = _sql.command("save_quiet_hours")


async def rotas_of_units(db: Db, org: UUID, units: Sequence[UUID]) -> list[Rota]:
    """Return the rotas of these units, by name."""
    return await db.all(_ROTAS_OF_UNITS, org=org, units=units)


async def rota_for_update(db: Db, org: UUID, rota: UUID) -> Rota | None:
    """Return a rota, locked until the transaction ends, or None."""
    return await db.one(_ROTA_FOR_UPDATE, org=org, rota=rota)


async def save_rota(db: Db, org: UUID, rota: Rota, now: datetime) -> None:
    """Add or change a rota; its changed days are left as they are."""
    await db.run(
        _SAVE_ROTA,
        org=org,
        rota=rota.id,
        unit=rota.unit,
        name=rota.name,
        weekdays=rota.weekdays,
        from_time=rota.from_,
        to_time=rota.to,
        holidays=rota.holidays,
        turn=rota.turn,
        accounts=rota.accounts,
        valid_from=rota.valid_from,
        valid_to=rota.valid_to,
        now=now,
    )


async def remove_rota(db: Db, org: UUID, rota: UUID) -> None:
    """Remove a rota with its changed days and its duties."""
    await db.run(_REMOVE_ROTA, org=org, rota=rota)


async def change_day(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, rota: UUID, change: RotaChange, *, by: UUID, now: datetime
) -> None:
    """Let somebody else, or nobody, have the turn that begins on a day."""
    await db.run(
        _CHANGE_DAY, org=org, rota=rota, day=change.day, account=change.account, by=by, now=now
    )


async def unchange_day(db: Db, org: UUID, rota: UUID, day: date) -> bool:
    """Let the rule decide about a day again; return whether it had been changed."""
    return await db.run(_UNCHANGE_DAY, org=org, rota=rota, day=day) > 0


async def not_called(
    db: Db, org: UUID, unit: UUID, accounts: Sequence[UUID], now: datetime
) -> set[UUID]:
    """Return which of these accounts may not take alerts of the whole unit."""
    rows = await db.all(_NOT_CALLED, org=org, unit=unit, accounts=accounts, now=now)
    return {row.id for row in rows}


async def replace_duty(
    db: Db, org: UUID, rotas: Sequence[UUID], duties: Sequence[tuple[Rota, Duty]], now: datetime
) -> None:
    """Let these be all the duties of these rotas that have not ended yet."""
    await db.run(
        _REPLACE_DUTY,
        org=org,
        of=rotas,
        rotas=[rota.id for rota, _ in duties],
        units=[rota.unit for rota, _ in duties],
        accounts=[duty.account for _, duty in duties],
        from_ats=[duty.from_at for _, duty in duties],
        to_ats=[duty.to_at for _, duty in duties],
        now=now,
    )


async def extend_rotas(db: Db, org: UUID, rotas: Sequence[UUID], until: datetime) -> None:
    """Remember how far ahead the duties of these rotas are known."""
    await db.run(_EXTEND_ROTAS, org=org, rotas=rotas, until=until)


async def short_rotas(db: Db, before: datetime, limit: int) -> list[UnitOf]:
    """Return units with a rota whose duty is known less far than `before`, in every organisation.

    For the worker alone: nobody else sees more than one organisation.
    """
    return await db.all(_SHORT_ROTAS, before=before, limit=limit)


async def duty_of_units(
    db: Db, org: UUID, units: Sequence[UUID], *, now: datetime, until: datetime
) -> list[OnDuty]:
    """Return who has duty in these units from `now` until `until`, in order."""
    return await db.all(_DUTY_OF_UNITS, org=org, units=units, now=now, until=until)


async def duty_of_account(
    db: Db, org: UUID, account: UUID, *, now: datetime, until: datetime
) -> list[OnDuty]:
    """Return somebody's own turns from `now` until `until`, in order."""
    return await db.all(_DUTY_OF_ACCOUNT, org=org, account=account, now=now, until=until)


async def quiet_hours(db: Db, org: UUID, account: UUID) -> QuietHours | None:
    """Return when somebody rests; None: never."""
    return await db.one(_QUIET_HOURS, org=org, account=account)


async def save_quiet_hours(db: Db, org: UUID, account: UUID, hours: QuietHours | None) -> None:
    """Let somebody rest then; None: never."""
    await db.run(
        _SAVE_QUIET_HOURS,
        org=org,
        account=account,
        start=hours and hours.from_,
        end=hours and hours.to,
        zone=hours and hours.zone,
    )

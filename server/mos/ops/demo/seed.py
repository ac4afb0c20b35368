"""Writes the demo home into an empty database, in one transaction. Deletes nothing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher

from mos.care.store import medication_of
from mos.db import Db, Queries, Scope, connect
from mos.kernel.ids import named_id, new_id
from mos.kernel.zones import zone
from mos.ops.demo.history import DAYS, GRACE, History, Reminder, history
from mos.ops.demo.people import (
    ORGANISATION,
    PASSWORD,
    PEOPLE,
    RESIDENTS,
    SUPPORTERS,
    UNIT,
    ZONE,
    Resident,
)
from mos.ops.demo.plans import PLANS, Planned
from mos.plan.model.rule import decode_rule

_sql = Queries(__package__)
_ADD_ORGANISATION = _sql.command("add_organisation")
_ADD_UNIT = _sql.command("add_unit")
_ADD_ACCOUNTS = _sql.command("add_accounts")
_ADD_PASSWORDS = _sql.command("add_passwords")
_ADD_SPACES = _sql.command("add_spaces")
_ADD_RESIDENTS = _sql.command("add_residents")
_ADD_RELATIONS = _sql.command("add_relations")
_ADD_RECORDS = _sql.command("add_records")
_ADD_OCCURRENCES = _sql.command("add_occurrences")
_ADD_HORIZONS = _sql.command("add_horizons")
_MARK_INSTALLATION = _sql.command("mark_installation")

# The sixteen last digits of a hybrid clock name its maker; this is the demo's.
_ACTOR = "00000000000de300"


@dataclass
class _Record:
    rec: UUID
    coll: str
    kind: str
    doc: dict[str, Any]
    at: datetime
    author: UUID | None = None


@dataclass
class _Home:
    """What one resident's space will hold."""

    resident: Resident
    space: UUID
    account: UUID
    history: History
    records: list[_Record] = field(default_factory=list)


async def seed(dsn: str, now: datetime) -> None:
    """Make the demo home as the owner behind `dsn`; `now` is aware.

    Raises UniqueViolation where an installation exists already; nothing is then changed.
    """
    pool = await connect(dsn, size=1)
    try:
        async with pool.transaction(Scope()) as db:
            await _seed(db, now)
    finally:
        await pool.close()


async def _seed(db: Db, now: datetime) -> None:
    await db.run(_MARK_INSTALLATION, password=PASSWORD, now=now)
    began = (now - timedelta(days=DAYS + 10)).replace(hour=12, minute=0, second=0, microsecond=0)
    org, unit = new_id(began), new_id(began)
    accounts = {person.key: new_id(began) for person in PEOPLE}
    homes = [_home(resident, accounts, began, now) for resident in RESIDENTS]
    await db.run(_ADD_ORGANISATION, org=org, name=ORGANISATION, zone=ZONE, now=began)
    await db.run(_ADD_UNIT, org=org, unit=unit, name=UNIT, zone=ZONE, now=began)
    await _people(db, org, accounts, began)
    await db.run(
        _ADD_SPACES,
        org=org,
        ids=[home.space for home in homes] + [medication_of(home.space) for home in homes],
        ofs=[None for _ in homes] + [home.space for home in homes],
        heads=[len(home.records) for home in homes] + [0 for _ in homes],
    )
    await db.run(
        _ADD_RESIDENTS,
        org=org,
        unit=unit,
        spaces=[home.space for home in homes],
        medications=[medication_of(home.space) for home in homes],
        accounts=[home.account for home in homes],
        flats=[home.resident.flat for home in homes],
    )
    await _relations(db, org, unit, accounts, {h.resident.key: h.space for h in homes}, began)
    await _records(db, org, homes)
    await _occurrences(db, org, homes)
    await db.run(
        _ADD_HORIZONS,
        org=org,
        spaces=[home.space for home in homes],
        untils=[home.history.until for home in homes],
    )


async def _people(db: Db, org: UUID, accounts: dict[str, UUID], began: datetime) -> None:
    await db.run(
        _ADD_ACCOUNTS,
        org=org,
        ids=[accounts[person.key] for person in PEOPLE],
        roles=[person.role for person in PEOPLE],
        names=[person.name for person in PEOPLE],
        emails=[person.email for person in PEOPLE],
        now=began,
    )
    await db.run(
        _ADD_PASSWORDS,
        org=org,
        ids=[new_id(began) for _ in PEOPLE],
        accounts=[accounts[person.key] for person in PEOPLE],
        # One hash for all: the password is printed anyway, and each hashing takes its time.
        secret=PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD),
        now=began,
    )


async def _relations(  # noqa: PLR0917  a row needs all of them
    db: Db,
    org: UUID,
    unit: UUID,
    accounts: dict[str, UUID],
    spaces: dict[str, UUID],
    began: datetime,
) -> None:
    rows: list[tuple[UUID, UUID | None, UUID | None, str, bool, str]] = []
    for person in SUPPORTERS:
        account, permissions = accounts[person.key], " ".join(person.permissions)
        if person.of is not None:
            rows.append((account, spaces[person.of], None, permissions, False, person.consent))
        elif person.permissions:
            rows.append((account, None, unit, permissions, False, ""))
        rows += [(account, spaces[key], None, permissions, True, "") for key in person.primary_for]
    who, where, which, what, primary, consent = zip(*rows, strict=True)
    await db.run(
        _ADD_RELATIONS,
        org=org,
        ids=[new_id(began) for _ in rows],
        accounts=who,
        spaces=where,
        units=which,
        permissions=what,
        primaries=primary,
        consents=consent,
        now=began,
    )


def _home(resident: Resident, accounts: dict[str, UUID], began: datetime, now: datetime) -> _Home:
    start = began.astimezone(zone(ZONE)).date().isoformat()
    plan = [_reminder(planned, start, began) for planned in PLANS[resident.key]]
    happened = history(resident, [reminder for reminder, _ in plan], now)
    home = _Home(resident, new_id(began), accounts[resident.key], happened)
    home.records.append(
        _Record(named_id(home.space, "profile"), "profile", "set", _profile(resident), began)
    )
    home.records += [
        _Record(reminder.id, "reminder", "set", doc, began, accounts["sara"])
        for reminder, doc in plan
    ]
    staff = [accounts[key] for key in ("sara", "jonas", "fatima", "mikael")]
    for index, was in enumerate(happened.happened):
        if was.outcome is None or was.outcome == "shown" or was.answered_at is None:
            continue
        by = home.account if was.by_resident else staff[(was.at.toordinal() + index // 9) % 4]
        v = {"occ": was.occ, "at": _moment(was.answered_at), "st": was.outcome}
        home.records.append(
            _Record(
                new_id(was.answered_at),
                "completion",
                "event",
                {"v": v, "by": str(by)},
                was.answered_at,
                by,
            )
        )
    home.records.sort(key=lambda record: record.at)
    return home


def _profile(resident: Resident) -> dict[str, Any]:
    return {
        "name": resident.name,
        "flat": resident.flat,
        "face": resident.face,
        "zone": ZONE,
        "language": "sv",
        "level": resident.level,
        "weekdays": "all",
        "theme": "auto",
        "night": {"from": "23:00", "to": "06:00"},
        "parts": {"morning": "06:00", "day": "10:00", "evening": "18:00", "night": "23:00"},
        "sound": "soft",
        "pause": [],
        **resident.profile,
    }


def _reminder(planned: Planned, start: str, began: datetime) -> tuple[Reminder, dict[str, Any]]:
    value: dict[str, Any] = {"zone": ZONE, "start": start}
    value |= planned.rule or {
        "kind": "weekly",
        "days": list(planned.days),
        "times": list(planned.times),
    }
    doc = {
        "title": planned.title,
        "category": planned.category,
        "label": "",
        "symbol": planned.symbol,
        "note": planned.note,
        "minutes": planned.minutes,
        "checkable": planned.checkable,
        "grace": None,
        "criticality": planned.criticality,
        "ring": {"start": True, "again": planned.checkable, "before": planned.before},
        "rule": value,
        "deleted": False,
    }
    return Reminder(new_id(began), planned, decode_rule(value)), doc


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


async def _records(db: Db, org: UUID, homes: list[_Home]) -> None:
    rows = [
        (home.space, record, seq)
        for home in homes
        for seq, record in enumerate(home.records, start=1)
    ]
    await db.run(
        _ADD_RECORDS,
        org=org,
        spaces=[space for space, _, _ in rows],
        recs=[record.rec for _, record, _ in rows],
        colls=[record.coll for _, record, _ in rows],
        kinds=["system" if record.kind == "set" else "event" for _, record, _ in rows],
        seqs=[seq for _, _, seq in rows],
        docs=[record.doc for _, record, _ in rows],
        hlcs=[
            f"{int(record.at.timestamp() * 1000):012x}{seq % 65536:04x}{_ACTOR}"
            for _, record, seq in rows
        ],
        authors=[record.author for _, record, _ in rows],
        ats=[record.at for _, record, _ in rows],
    )


async def _occurrences(db: Db, org: UUID, homes: list[_Home]) -> None:
    rows = [(home.space, was) for home in homes for was in home.history.happened]
    await db.run(
        _ADD_OCCURRENCES,
        org=org,
        spaces=[space for space, _ in rows],
        occs=[was.occ for _, was in rows],
        reminders=[was.reminder.id for _, was in rows],
        ats=[was.at for _, was in rows],
        ends=[was.at + timedelta(minutes=was.reminder.planned.minutes) for _, was in rows],
        categories=[was.reminder.planned.category for _, was in rows],
        criticalities=[was.reminder.planned.criticality for _, was in rows],
        checkables=[was.reminder.planned.checkable for _, was in rows],
        misseds=[was.at + GRACE for _, was in rows],
        outcomes=[was.outcome for _, was in rows],
        closeds=[was.answered_at for _, was in rows],
    )

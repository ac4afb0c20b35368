"""Writes the demo home into an empty database, in one transaction. Deletes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher

from mos.care import store as care
from mos.care.model import Role
from mos.care.store import medication_of
from mos.db import Db, Queries, Scope, connect
from mos.dispatch.model import Answer
from mos.dispatch.store import add_answers
from mos.kernel.ids import named_id, new_id
from mos.kernel.zones import zone
from mos.medication.model import as_needed_of
from mos.medication.rules import plan_of
from mos.ops.demo.accesses import add_accesses
from mos.ops.demo.calls import WATCHED, call, ladder_record
from mos.ops.demo.history import DAYS, History, Past, Reminder, as_needed, history
from mos.ops.demo.nurses import Nurse, Order, disagree, order
from mos.ops.demo.orders import AT_ODDS, ORDERS, Ordered
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
from mos.privacy.keyring import Keyring
from mos.sync.sealing import clear_of, records_of
from mos.wiring import COLLECTIONS

_sql = Queries(__package__)
_ADD_ORGANISATION = _sql.command("add_organisation")
_ADD_UNIT = _sql.command("add_unit")
_ADD_PASSWORDS = _sql.command("add_passwords")
_ADD_RECORDS = _sql.command("add_records")
_COUNT_RECORDS = _sql.command("count_records")
_ADD_OCCURRENCES = _sql.command("add_occurrences")
_ADD_HORIZONS = _sql.command("add_horizons")
_MARK_INSTALLATION = _sql.command("mark_installation")

# The sixteen last digits of a hybrid clock name its maker; this is the demo's.
_ACTOR = "00000000000de300"
# When the two nurses wrote what is at odds; both devices meet the server as the demo begins.
_WROTE = (timedelta(minutes=50), timedelta(minutes=40))


@dataclass
class _Record:
    space: UUID
    rec: UUID
    coll: str
    kind: str
    doc: dict[str, Any]
    at: datetime
    author: UUID | None = None


@dataclass
class _Home:
    """What one resident's two spaces will hold."""

    resident: Resident
    space: UUID
    account: UUID
    orders: list[Order]
    history: History
    records: list[_Record] = field(default_factory=list)

    @property
    def spaces(self) -> tuple[UUID, UUID]:
        """Return the spaces of the day and of the medication."""
        return self.space, medication_of(self.space)


async def seed(dsn: str, now: datetime, keyring: Keyring) -> None:
    """Make the demo home as the owner behind `dsn`, sealed by `keyring`; `now` is aware.

    Raises UniqueViolation where an installation exists already; nothing is then changed.
    """
    pool = await connect(dsn, size=1, keyring=keyring)
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
    lived_in = [
        care.Resident(
            home.space, home.account, home.resident.name, home.resident.flat, unit, "sv", None
        )
        for home in homes
    ]
    await care.add_residents(db, org, lived_in)
    await _relations(db, org, unit, accounts, {h.resident.key: h.space for h in homes}, began)
    nurses = Nurse(org, accounts["ingrid"], began), Nurse(org, accounts["henrik"], began)
    heads = await order(db, nurses, [each for home in homes for each in home.orders], began)
    await db.scope(Scope(org, tuple(space for home in homes for space in home.spaces)))
    await _records(db, org, homes, heads)
    await _occurrences(db, org, homes)
    await _doses(db, org, homes, now)
    (watched,) = (home.space for home in homes if home.resident.key == WATCHED)
    await call(db, org, unit, watched, accounts, now)
    spaces = {home.resident.key: home.space for home in homes}
    await add_accesses(db, org, spaces, accounts, now)
    await db.run(
        _ADD_HORIZONS,
        org=org,
        spaces=[space for home in homes for space in home.spaces],
        untils=[home.history.until for home in homes for _ in home.spaces],
    )
    (at_odds,) = (home for home in homes if home.resident.key == AT_ODDS.resident)
    changes = AT_ODDS.first, AT_ODDS.second
    wrote = now - _WROTE[0], now - _WROTE[1]
    await disagree(db, nurses, at_odds.orders[0], changes, wrote, now)


async def _people(db: Db, org: UUID, accounts: dict[str, UUID], began: datetime) -> None:
    people = [
        care.Account(
            accounts[person.key], Role(person.role), person.name, person.email, "sv", disabled=False
        )
        for person in PEOPLE
    ]
    await care.add_accounts(db, org, people, began)
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
    def given(
        account: UUID, space: UUID | None, words: Sequence[str], consent: str = "", *, first: bool
    ) -> care.Relation:
        where = unit if space is None else None
        return care.Relation(
            new_id(began), account, space, where, list(words), first, consent, began, None
        )

    rows: list[care.Relation] = []
    for person in SUPPORTERS:
        account, words = accounts[person.key], person.permissions
        if person.of is not None:
            rows.append(given(account, spaces[person.of], words, person.consent, first=False))
        elif words:
            rows.append(given(account, None, words, first=False))
        rows += [given(account, spaces[key], words, first=True) for key in person.primary_for]
    await care.add_relations(db, org, rows)


def _home(resident: Resident, accounts: dict[str, UUID], began: datetime, now: datetime) -> _Home:
    start = began.astimezone(zone(ZONE)).date().isoformat()
    space = new_id(began)
    plan = [_reminder(space, planned, start, began) for planned in PLANS[resident.key]]
    orders = [_order(space, ordered, start, began) for ordered in ORDERS[resident.key]]
    rings = [reminder for reminder, _ in plan]
    rings += [ring for each in orders if (ring := _ring(each)) is not None]
    happened = history(resident, rings, now)
    home = _Home(resident, space, accounts[resident.key], orders, happened)
    home.records.append(
        _Record(space, named_id(space, "profile"), "profile", "set", _profile(resident), began)
    )
    home.records += [
        _Record(space, reminder.id, "reminder", "set", doc, began, accounts["sara"])
        for reminder, doc in plan
    ]
    if resident.key == WATCHED:
        rec, groups = ladder_record(space)
        home.records.append(_Record(space, rec, "ladder", "set", groups, began, accounts["sara"]))
    staff = [accounts[key] for key in ("sara", "jonas", "fatima", "mikael")]
    for index, was in enumerate(happened.happened):
        by = home.account if was.by_resident else staff[(was.at.toordinal() + index // 9) % 4]
        home.records += _answered(was, by)
    for each in orders:
        home.records += _needed(each, resident, staff, now)
    home.records.sort(key=lambda record: record.at)
    return home


# What staff wrote where something was not simply done.
_WHY = {"refused": "Ville vänta till senare.", "asleep": "Sov gott.", "partly": "Orkade hälften."}


def _answered(was: Past, by: UUID) -> list[_Record]:
    if was.outcome is None or was.outcome == "shown" or was.answered_at is None:
        return []
    v = {"occ": was.occ, "at": _moment(was.answered_at), "st": was.outcome}
    if was.outcome in _WHY:
        v["note"] = _WHY[was.outcome]
    if was.reminder.ver is not None:
        v["ver"] = str(was.reminder.ver)
    return [_completion(was.reminder.space, v, was.answered_at, by)]


def _needed(order: Order, resident: Resident, staff: list[UUID], now: datetime) -> list[_Record]:
    """Return the doses that were given as needed, if the order is such."""
    if as_needed_of(order.v) is None:
        return []
    records = []
    for at in as_needed(resident.key, now.astimezone(zone(ZONE))):
        occ = f"{order.rec}@{at:%Y-%m-%dT%H:%M}"
        given = at.astimezone(UTC)
        v = {"occ": occ, "at": _moment(given), "st": "done", "ver": str(order.ver), "prn": True}
        records.append(_completion(order.space, v, given, staff[at.toordinal() % len(staff)]))
    return records


def _completion(space: UUID, v: dict[str, Any], at: datetime, by: UUID) -> _Record:
    return _Record(space, new_id(at), "completion", "event", {"v": v, "by": str(by)}, at, by)


def _order(space: UUID, ordered: Ordered, start: str, began: datetime) -> Order:
    proposal = new_id(began)
    ver = new_id(began) if ordered.double else proposal
    return Order(medication_of(space), new_id(began), ordered.value(start, ZONE), proposal, ver)


def _ring(order: Order) -> Reminder | None:
    """Return what an order lets ring; None for what is given as needed."""
    plan = plan_of({"active": {"v": order.v}})
    if plan is None:
        return None
    planned = Planned(
        plan["title"],
        plan["category"],
        plan["symbol"],
        tuple(plan["rule"]["times"]),
        plan["minutes"],
        criticality=plan["criticality"],
    )
    grace = timedelta(minutes=plan["grace"])
    return Reminder(order.space, order.rec, planned, decode_rule(plan["rule"]), grace, order.ver)


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


def _reminder(
    space: UUID, planned: Planned, start: str, began: datetime
) -> tuple[Reminder, dict[str, Any]]:
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
    return Reminder(space, new_id(began), planned, decode_rule(value)), doc


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


async def _records(db: Db, org: UUID, homes: list[_Home], heads: dict[UUID, int]) -> None:
    """Add the records, numbered from where each space stands."""
    places = Counter(heads)
    records = await records_of(db, org, {each for home in homes for each in home.spaces}, make=True)
    rows = []
    for record in (record for home in homes for record in home.records):
        places[record.space] += 1
        rows.append((record, places[record.space]))
    await db.run(
        _ADD_RECORDS,
        org=org,
        spaces=[record.space for record, _ in rows],
        recs=[record.rec for record, _ in rows],
        colls=[record.coll for record, _ in rows],
        kinds=["system" if record.kind == "set" else "event" for record, _ in rows],
        seqs=[seq for _, seq in rows],
        docs=[
            records.groups(
                each.space, each.coll, each.rec, each.doc, clear_of(COLLECTIONS, each.coll)
            )
            for each, _ in rows
        ],
        hlcs=[
            f"{int(record.at.timestamp() * 1000):012x}{seq % 65536:04x}{_ACTOR}"
            for record, seq in rows
        ],
        authors=[record.author for record, _ in rows],
        ats=[record.at for record, _ in rows],
    )
    await db.run(_COUNT_RECORDS, org=org)


async def _doses(db: Db, org: UUID, homes: list[_Home], now: datetime) -> None:
    """Let the engine know what was given: one more dose may be one too many."""
    given = [
        (record.space, record.doc["v"]["occ"], Answer(record.rec, record.doc["v"]["st"], record.at))
        for home in homes
        for record in home.records
        if record.space != home.space
    ]
    await add_answers(db, org, given, now)


async def _occurrences(db: Db, org: UUID, homes: list[_Home]) -> None:
    rows = [was for home in homes for was in home.history.happened]
    await db.run(
        _ADD_OCCURRENCES,
        org=org,
        spaces=[was.reminder.space for was in rows],
        occs=[was.occ for was in rows],
        reminders=[was.reminder.id for was in rows],
        ats=[was.at for was in rows],
        ends=[was.at + timedelta(minutes=was.reminder.planned.minutes) for was in rows],
        categories=[was.reminder.planned.category for was in rows],
        criticalities=[was.reminder.planned.criticality for was in rows],
        checkables=[was.reminder.planned.checkable for was in rows],
        misseds=[was.at + was.reminder.grace for was in rows],
        outcomes=[was.outcome for was in rows],
        closeds=[was.answered_at for was in rows],
    )

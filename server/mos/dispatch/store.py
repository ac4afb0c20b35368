"""Every statement of the engine, one typed function each. The transaction is the caller's."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import (
    Alert,
    AlertKind,
    Answer,
    Audience,
    ClosedWhy,
    Occurrence,
    Planned,
    PlanScope,
)

# Who holds this permission in a relation may be called.
_MAY_TAKE = "alert.take"

# How long a taken delivery is left to its worker: longer than any attempt may last.
LEASE = timedelta(seconds=30)

_sql = Queries(__package__)


class Claimed(Struct, frozen=True):
    """A row of `due` that is now this worker's, and the first answer that came before its time."""

    org: UUID
    space: UUID
    occ: str
    reminder: UUID
    at: datetime
    first_at: datetime
    ends_at: datetime
    category: str
    criticality: str
    checkable: bool
    grace_s: int
    ring_start: bool
    ring_again: bool
    answer_op: UUID | None
    answer_outcome: str | None
    answer_at: datetime | None


class Horizon(Struct, frozen=True):
    """How far ahead a space is materialised."""

    space: UUID
    until: datetime


class Space(Struct, frozen=True):
    """A space, with its organisation."""

    org: UUID
    space: UUID


class Taken(Struct, frozen=True):
    """A delivery that this worker is to attempt now. No `endpoint`: nowhere to send it."""

    org: UUID
    delivery: int
    space: UUID
    kind: str
    subject: str
    device: UUID
    attempts: int
    expires_at: datetime
    endpoint: str | None
    p256dh: bytes | None
    auth: bytes | None


class Settled(Struct, frozen=True):
    """What an attempt came to: done with (`next_at` None), or to be tried again."""

    org: UUID
    delivery: int
    attempts: int
    state: str
    next_at: datetime | None
    error: str


class AlertCall(Struct, frozen=True):
    """An alert to open."""

    org: UUID
    space: UUID
    alert: UUID
    kind: AlertKind
    occ: str | None
    ladder: str
    grace_s: int
    from_at: datetime


class AlertName(Struct, frozen=True):
    """Which alert."""

    org: UUID
    space: UUID
    alert: UUID


class Taking(Struct, frozen=True):
    """Somebody says "Jag tar det": who, when and until when. All None: given back."""

    space: UUID
    alert: UUID
    by: UUID | None
    at: datetime | None
    again_at: datetime | None


class _Name(Struct, frozen=True):
    space_id: UUID
    occ: str


class _AnswerRow(Struct, frozen=True):
    space: UUID
    occ: str
    op: UUID
    outcome: str
    at: datetime


class _RetractedRow(Struct, frozen=True):
    space: UUID
    occ: str | None


class _Op(Struct, frozen=True):
    op: UUID


class _Mine(Struct, frozen=True):
    is_mine: bool


class _Moment(Struct, frozen=True):
    at: datetime | None


class _Planner(Struct, frozen=True):
    hash: str
    merge: str


_NESTED_LOOPS = _sql.query("nested_loops", _Planner)
_LOCK_HORIZONS = _sql.query("lock_horizons", Horizon)
_EXTEND_HORIZONS = _sql.command("extend_horizons")
_SHORT_HORIZONS = _sql.query("short_horizons", Space)
_ARCHIVED_HORIZONS = _sql.query("archived_horizons", Space)
_FORGET_HORIZONS = _sql.command("forget_horizons")
_REPLACE_DUE = _sql.command("replace_due")
_CLAIM_DUE = _sql.query("claim_due", Claimed)
_CLAIM_NAMED = _sql.query("claim_named", Claimed)
_ADD_OCCURRENCES = _sql.query("add_occurrences", _Name)
_SAVE_OCCURRENCES = _sql.command("save_occurrences")
_OCCURRENCES_TO_LOOK_AT = _sql.query("occurrences_to_look_at", Occurrence)
_OCCURRENCES_NAMED = _sql.query("occurrences_named", Occurrence)
_OCCURRENCES_OF_REMINDERS = _sql.query("occurrences_of_reminders", Occurrence)
_OCCURRENCES_SNOOZED_BY = _sql.query("occurrences_snoozed_by", Occurrence)
_ADD_ANSWERS = _sql.command("add_answers")
_RETRACT_ANSWERS = _sql.query("retract_answers", _RetractedRow)
_RETRACTED_OPS = _sql.query("retracted_ops", _Op)
_FIRST_ANSWERS = _sql.query("first_answers", _AnswerRow)
_OPEN_ALERTS = _sql.command("open_alerts")
_CLOSE_ALERTS_OF = _sql.query("close_alerts_of", AlertName)
_CLOSE_ALERTS = _sql.query("close_alerts", AlertName)
_CLOSE_ALERTS_IN = _sql.query("close_alerts_in", AlertName)
_CLOSE_SILENT_ALERTS = _sql.query("close_silent_alerts", AlertName)
_TAKE_ALERTS = _sql.query("take_alerts", AlertName)
_ALERTS_TO_WALK = _sql.query("alerts_to_walk", Alert)
_SAVE_ALERTS = _sql.command("save_alerts")
_UNRECORDED_SPACES = _sql.query("unrecorded_spaces", Space)
_UNRECORDED_ALERTS = _sql.query("unrecorded_alerts", Alert)
_MARK_RECORDED = _sql.command("mark_recorded")
_TRY_RECORDER = _sql.query("try_recorder", _Mine)
_RING = _sql.command("ring")
_TELL = _sql.command("tell")
_WITHDRAW = _sql.command("withdraw")
_EXPIRE_DELIVERIES = _sql.command("expire_deliveries")
_TAKE_DELIVERIES = _sql.query("take_deliveries", Taken)
_SETTLE_DELIVERIES = _sql.command("settle_deliveries")
_SEE_DELIVERIES = _sql.command("see_deliveries")
_PRUNE_DEVICES = _sql.command("prune_devices")
_BEAT = _sql.command("beat")
_FORGET_WORKERS = _sql.command("forget_workers")
_NEXT_MOMENT = _sql.query("next_moment", _Moment)


def _columns(rows: Sequence[Any], names: Iterable[str]) -> dict[str, list[Any]]:
    """Turn rows into one array for each column, as `unnest` takes them."""
    return {name: [getattr(row, name) for row in rows] for name in names}


# What the engine may change of an occurrence, and what it never does.
_KEY = ("org", "space", "occ")
_CHANGING = (
    "at", "ends_at", "category", "criticality", "checkable", "grace_s", "ring_start", "ring_again",
    "state", "outcome", "from_at", "missed_at", "told_at", "late_at", "closed_at", "closed_by",
    "snoozed_until", "snoozed_by", "silent_at", "rung", "step", "next_at",
)  # fmt: skip
_LATER = frozenset({"told_at", "snoozed_until", "snoozed_by"})


async def nested_loops(db: Db) -> None:
    """Keep the planner from hash joins until the transaction ends."""
    await db.one(_NESTED_LOOPS)


# ───────────────────────────────────────────────────────────── what will come due
async def lock_horizons(
    db: Db, org: UUID, spaces: Sequence[UUID], now: datetime
) -> dict[UUID, datetime]:
    """Return how far each space is materialised; locks their plans until the transaction ends."""
    rows = await db.all(_LOCK_HORIZONS, org=org, spaces=sorted(spaces), now=now)
    return {row.space: row.until for row in rows}


async def extend_horizons(db: Db, org: UUID, spaces: Sequence[UUID], until: datetime) -> None:
    """Remember that `spaces` are materialised until `until`."""
    await db.run(_EXTEND_HORIZONS, org=org, spaces=spaces, until=until)


async def short_horizons(db: Db, *, before: datetime, limit: int) -> list[Space]:
    """Return spaces of residents that are materialised less far than `before`."""
    return await db.all(_SHORT_HORIZONS, before=before, limit=limit)


async def archived_horizons(db: Db, limit: int) -> list[Space]:
    """Return spaces that are materialised although their resident is archived."""
    return await db.all(_ARCHIVED_HORIZONS, limit=limit)


async def forget_horizons(db: Db, org: UUID, spaces: Sequence[UUID]) -> None:
    """Forget how far `spaces` are materialised: the next look plans them anew, or never."""
    await db.run(_FORGET_HORIZONS, org=org, spaces=spaces)


async def replace_due(db: Db, scope: PlanScope, plan: Sequence[Planned], now: datetime) -> None:
    """Make `due` hold exactly `plan` for the reminders in `scope`, from its `since` on."""
    await db.run(
        _REPLACE_DUE,
        org=scope.org,
        scope_spaces=[space for space, _ in scope.reminders],
        scope_reminders=[reminder for _, reminder in scope.reminders],
        spaces=[row.space for row in plan],
        occs=[row.occ for row in plan],
        reminders=[row.reminder for row in plan],
        ats=[row.at for row in plan],
        first_ats=[row.first_at for row in plan],
        ends_ats=[row.ends_at for row in plan],
        categories=[row.category for row in plan],
        criticalities=[row.criticality for row in plan],
        checkables=[row.checkable for row in plan],
        graces=[row.grace_s for row in plan],
        ring_starts=[row.ring_start for row in plan],
        ring_agains=[row.ring_again for row in plan],
        add_froms=[scope.add_from[row.space] for row in plan],
        since=scope.since,
        now=now,
    )


# ───────────────────────────────────────────────────────────── occurrences
async def claim_due(db: Db, now: datetime, limit: int) -> list[Claimed]:
    """Take up to `limit` of what is due away from `due`; nobody else gets the same."""
    return await db.all(_CLAIM_DUE, now=now, limit=limit)


async def claim_named(
    db: Db, org: UUID, names: Sequence[tuple[UUID, str]], before: datetime
) -> list[Claimed]:
    """Take these (space, occ) away from `due`, if their time comes by `before`."""
    return await db.all(
        _CLAIM_NAMED,
        org=org,
        spaces=[space for space, _ in names],
        occs=[occ for _, occ in names],
        before=before,
    )


async def add_occurrences(db: Db, rows: Sequence[Occurrence]) -> set[tuple[UUID, str]]:
    """Store what was claimed; return the names (space, occ) of those that were not there before."""
    # Nobody has been told and nothing is snoozed yet.
    born = [name for name in _CHANGING if name not in _LATER]
    columns = _columns(rows, (*_KEY, "reminder", *born))
    return {(row.space_id, row.occ) for row in await db.all(_ADD_OCCURRENCES, **columns)}


async def save_occurrences(db: Db, rows: Sequence[Occurrence]) -> None:
    """Store what became of occurrences that this transaction has locked."""
    await db.run(_SAVE_OCCURRENCES, **_columns(rows, (*_KEY, *_CHANGING)))


async def occurrences_to_look_at(db: Db, now: datetime, limit: int) -> list[Occurrence]:
    """Return and lock up to `limit` whose moment has come, past those that others hold."""
    return await db.all(_OCCURRENCES_TO_LOOK_AT, now=now, limit=limit)


async def occurrences_named(db: Db, names: Iterable[tuple[UUID, UUID, str]]) -> list[Occurrence]:
    """Return and lock the occurrences of these names (organisation, space, occ)."""
    rows = sorted(set(names))
    return await db.all(
        _OCCURRENCES_NAMED,
        orgs=[org for org, _, _ in rows],
        spaces=[space for _, space, _ in rows],
        occs=[occ for _, _, occ in rows],
    )


async def occurrences_of_reminders(db: Db, scope: PlanScope) -> list[Occurrence]:
    """Return and lock what a change of these reminders may concern: neither closed nor missed."""
    return await db.all(
        _OCCURRENCES_OF_REMINDERS,
        org=scope.org,
        scope_spaces=[space for space, _ in scope.reminders],
        scope_reminders=[reminder for _, reminder in scope.reminders],
        since=scope.since,
    )


async def occurrences_snoozed_by(
    db: Db, org: UUID, spaces: Sequence[UUID], ops: Sequence[UUID]
) -> list[Occurrence]:
    """Return and lock the occurrences whose latest snooze is one of `ops`."""
    return await db.all(_OCCURRENCES_SNOOZED_BY, org=org, spaces=spaces, ops=ops)


# ───────────────────────────────────────────────────────────── answers
async def add_answers(db: Db, org: UUID, answers: Sequence[tuple[UUID, str, Answer]]) -> None:
    """Remember answers (space, occ, answer); the same op twice is one."""
    await db.run(
        _ADD_ANSWERS,
        org=org,
        spaces=[space for space, _, _ in answers],
        ops=[answer.op for _, _, answer in answers],
        occs=[occ for _, occ, _ in answers],
        outcomes=[answer.outcome for _, _, answer in answers],
        ats=[answer.at for _, _, answer in answers],
    )


async def retract_answers(
    db: Db, org: UUID, ops: Iterable[tuple[UUID, UUID]]
) -> list[tuple[UUID, str]]:
    """Take ops (space, op) back; return the occurrences (space, occ) that they had answered."""
    rows = sorted(set(ops))
    changed = await db.all(
        _RETRACT_ANSWERS,
        org=org,
        spaces=[space for space, _ in rows],
        ops=[op for _, op in rows],
    )
    return [(row.space, row.occ) for row in changed if row.occ is not None]


async def retracted_ops(
    db: Db, org: UUID, spaces: Sequence[UUID], ops: Sequence[UUID]
) -> set[UUID]:
    """Return which of `ops` have been taken back."""
    return {row.op for row in await db.all(_RETRACTED_OPS, org=org, spaces=spaces, ops=ops)}


async def first_answers(
    db: Db, org: UUID, names: Sequence[tuple[UUID, str]]
) -> dict[tuple[UUID, str], Answer]:
    """Return the answer that counts for each occurrence (space, occ) that has one."""
    rows = await db.all(
        _FIRST_ANSWERS,
        org=org,
        spaces=[space for space, _ in names],
        occs=[occ for _, occ in names],
    )
    return {(row.space, row.occ): Answer(row.op, row.outcome, row.at) for row in rows}


# ───────────────────────────────────────────────────────────── alerts
async def open_alerts(db: Db, calls: Sequence[AlertCall], now: datetime) -> None:
    """Open alerts, or open them again; see the statement for what stays closed."""
    await db.run(
        _OPEN_ALERTS,
        orgs=[call.org for call in calls],
        spaces=[call.space for call in calls],
        alerts=[call.alert for call in calls],
        kinds=[call.kind for call in calls],
        occs=[call.occ for call in calls],
        ladders=[call.ladder for call in calls],
        graces=[call.grace_s for call in calls],
        from_ats=[call.from_at for call in calls],
        now=now,
    )


async def close_alerts_of(
    db: Db, rows: Sequence[tuple[Occurrence, ClosedWhy]], now: datetime
) -> list[AlertName]:
    """Close the open alerts of these occurrences; return which that were."""
    return await db.all(
        _CLOSE_ALERTS_OF,
        orgs=[row.org for row, _ in rows],
        spaces=[row.space for row, _ in rows],
        occs=[row.occ for row, _ in rows],
        whys=[why for _, why in rows],
        now=now,
    )


async def close_alerts(
    db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]], why: ClosedWhy, now: datetime
) -> list[AlertName]:
    """Close these alerts (space, alert); return those that were open."""
    return await db.all(
        _CLOSE_ALERTS,
        org=org,
        spaces=[space for space, _ in alerts],
        alerts=[alert for _, alert in alerts],
        why=why,
        now=now,
    )


async def close_alerts_in(
    db: Db, org: UUID, spaces: Sequence[UUID], now: datetime
) -> list[AlertName]:
    """Close whatever is open in these spaces; return which alerts that were."""
    return await db.all(_CLOSE_ALERTS_IN, org=org, spaces=spaces, now=now)


async def close_silent_alerts(
    db: Db, rows: Sequence[tuple[UUID, UUID]], now: datetime
) -> list[AlertName]:
    """Close the alerts of silent devices in these spaces (organisation, space)."""
    return await db.all(
        _CLOSE_SILENT_ALERTS,
        orgs=[org for org, _ in rows],
        spaces=[space for _, space in rows],
        now=now,
    )


async def take_alerts(
    db: Db, org: UUID, takings: Sequence[Taking], now: datetime
) -> list[AlertName]:
    """Let people take alerts or give them back; return those that exist."""
    return await db.all(
        _TAKE_ALERTS,
        org=org,
        spaces=[taking.space for taking in takings],
        alerts=[taking.alert for taking in takings],
        bys=[taking.by for taking in takings],
        taken_ats=[taking.at for taking in takings],
        resumes_ats=[taking.again_at for taking in takings],
        now=now,
    )


async def alerts_to_walk(db: Db, now: datetime, limit: int) -> list[Alert]:
    """Return and lock up to `limit` alerts whose moment has come, past those that others hold."""
    return await db.all(_ALERTS_TO_WALK, now=now, limit=limit)


async def save_alerts(db: Db, alerts: Sequence[Alert]) -> None:
    """Store where alerts stand on their ladders; their records lag from here on."""
    names = (
        "org", "space", "alert", "rung", "step", "next_at", "taken_by", "taken_at", "resumes_at",
    )  # fmt: skip
    await db.run(_SAVE_ALERTS, **_columns(alerts, names))


async def unrecorded_spaces(db: Db, limit: int) -> list[Space]:
    """Return spaces with an alert whose record lags."""
    return await db.all(_UNRECORDED_SPACES, limit=limit)


async def unrecorded_alerts(db: Db, org: UUID, spaces: Sequence[UUID]) -> list[Alert]:
    """Return the alerts of `spaces` whose records lag. Locks nothing: see `mark_recorded`."""
    return await db.all(_UNRECORDED_ALERTS, org=org, spaces=spaces)


async def mark_recorded(
    db: Db, org: UUID, recorded: Sequence[tuple[Alert, dict[str, Any]]]
) -> None:
    """Remember what these alerts' records show; what changed since it was read still lags."""
    await db.run(
        _MARK_RECORDED,
        org=org,
        spaces=[alert.space for alert, _ in recorded],
        alerts=[alert.alert for alert, _ in recorded],
        revisions=[alert.revision for alert, _ in recorded],
        docs=[doc for _, doc in recorded],
    )


async def try_recorder(db: Db, org: UUID) -> bool:
    """Say whether this transaction alone now writes the records of the organisation's alerts."""
    row = await db.one(_TRY_RECORDER, org=org)
    return row is not None and row.is_mine


# ───────────────────────────────────────────────────────────── deliveries
async def ring(db: Db, rows: Sequence[tuple[Occurrence, datetime]], now: datetime) -> None:
    """Queue deliveries to the residents' devices, each until the moment beside it."""
    await db.run(
        _RING,
        orgs=[row.org for row, _ in rows],
        spaces=[row.space for row, _ in rows],
        occs=[row.occ for row, _ in rows],
        steps=[row.step for row, _ in rows],
        expires=[expires for _, expires in rows],
        now=now,
    )


async def tell(
    db: Db, rows: Sequence[tuple[Alert, Audience]], *, expires_at: datetime, now: datetime
) -> None:
    """Queue deliveries to the supporters whom these steps tell."""
    await db.run(
        _TELL,
        orgs=[alert.org for alert, _ in rows],
        spaces=[alert.space for alert, _ in rows],
        alerts=[str(alert.alert) for alert, _ in rows],
        steps=[alert.step for alert, _ in rows],
        audiences=[audience for _, audience in rows],
        expires=[expires_at for _ in rows],
        permission=_MAY_TAKE,
        now=now,
    )


async def withdraw(
    db: Db, subjects: Sequence[tuple[UUID, UUID, str]], *, expires_at: datetime, now: datetime
) -> None:
    """Drop what waits for these subjects (organisation, space, name); clear it from screens."""
    await db.run(
        _WITHDRAW,
        orgs=[org for org, _, _ in subjects],
        spaces=[space for _, space, _ in subjects],
        subjects=[subject for _, _, subject in subjects],
        expires=expires_at,
        now=now,
    )


async def expire_deliveries(db: Db, channel: str, now: datetime, limit: int) -> int:
    """Settle what came too late to be of use; return how many."""
    return await db.run(_EXPIRE_DELIVERIES, channel=channel, now=now, limit=limit)


async def take_deliveries(
    db: Db, channel: str, now: datetime, *, limit: int, resting: Sequence[str] = ()
) -> list[Taken]:
    """Take up to `limit` deliveries to attempt now, none to the origins in `resting`."""
    return await db.all(
        _TAKE_DELIVERIES,
        channel=channel,
        now=now,
        lease=now + LEASE,
        limit=limit,
        resting=resting,
    )


async def settle_deliveries(db: Db, rows: Sequence[Settled], now: datetime) -> None:
    """Store what attempts came to."""
    await db.run(
        _SETTLE_DELIVERIES,
        orgs=[row.org for row in rows],
        deliveries=[row.delivery for row in rows],
        attempts=[row.attempts for row in rows],
        states=[row.state for row in rows],
        next_ats=[row.next_at for row in rows],
        errors=[row.error for row in rows],
        now=now,
    )


async def see_deliveries(
    db: Db, org: UUID, rows: Sequence[tuple[UUID, str, UUID]], now: datetime
) -> None:
    """Settle the rings (space, occ, device) that a device says it has made."""
    await db.run(
        _SEE_DELIVERIES,
        org=org,
        spaces=[space for space, _, _ in rows],
        occs=[occ for _, occ, _ in rows],
        devices=[device for _, _, device in rows],
        now=now,
    )


async def prune_devices(db: Db, rows: Sequence[tuple[UUID, UUID, str]], now: datetime) -> None:
    """Remember that subscriptions (organisation, device, endpoint) are gone."""
    await db.run(
        _PRUNE_DEVICES,
        orgs=[org for org, _, _ in rows],
        devices=[device for _, device, _ in rows],
        endpoints=[endpoint for _, _, endpoint in rows],
        now=now,
    )


# ───────────────────────────────────────────────────────────── workers
async def beat(db: Db, worker: UUID, now: datetime) -> None:
    """Say that `worker` is alive."""
    await db.run(_BEAT, worker=worker, now=now)


async def forget_workers(db: Db, before: datetime) -> None:
    """Forget workers that have not been alive since `before`."""
    await db.run(_FORGET_WORKERS, before=before)


async def next_moment(db: Db) -> datetime | None:
    """Return when the engine has something to do next, or None."""
    row = await db.one(_NEXT_MOMENT)
    return row.at if row is not None else None

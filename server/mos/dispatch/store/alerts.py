"""Alerts, and where they stand on their ladders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import Alert, AlertKind, ClosedWhy, Heard, Occurrence
from mos.dispatch.store.rows import columns

_sql = Queries(__package__, "alerts.sql")


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
    category: str = ""
    criticality: str = "important"
    about: dict[str, Any] = {}


class AlertName(Struct, frozen=True):
    """Which alert."""

    org: UUID
    space: UUID
    alert: UUID


class Taking(Struct, frozen=True):
    """Somebody says "Jag tar det": who, when and until when. All None: given back.

    `to`: whom they ask to take it instead.
    """

    space: UUID
    alert: UUID
    by: UUID | None
    at: datetime | None
    again_at: datetime | None
    to: UUID | None = None


_OPEN_ALERTS = _sql.command("open_alerts")
_KNOWN_ALERTS = _sql.query("known_alerts", AlertName)
_CLOSE_ALERTS_OF = _sql.query("close_alerts_of", AlertName)
_CLOSE_ALERTS = _sql.query("close_alerts", AlertName)
_REOPEN_ALERTS = _sql.command("reopen_alerts")
_RECORD_AGAIN = _sql.command("record_again")
_CLOSE_ALERTS_IN = _sql.query("close_alerts_in", AlertName)
_CLOSE_SILENT_ALERTS = _sql.query("close_silent_alerts", AlertName)
_TAKE_ALERTS = _sql.query("take_alerts", Alert)
_ALERTS_TO_WALK = _sql.query("alerts_to_walk", Alert)
_GO_ON = _sql.command("go_on")
_SET_ALERTS_ASIDE = _sql.command("set_alerts_aside")
_SAVE_ALERTS = _sql.command("save_alerts")


async def known_alerts(
    db: Db, org: UUID, names: Sequence[tuple[UUID, UUID]]
) -> set[tuple[UUID, UUID]]:
    """Return which of these (space, alert) there are."""
    spaces = [space for space, _ in names]
    alerts = [alert for _, alert in names]
    rows = await db.all(_KNOWN_ALERTS, org=org, spaces=spaces, alerts=alerts)
    return {(row.space, row.alert) for row in rows}


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
        abouts=[call.about for call in calls],
        categories=[call.category for call in calls],
        criticalities=[call.criticality for call in calls],
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


async def reopen_alerts(
    db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]], now: datetime
) -> None:
    """Open these alerts (space, alert) again where somebody closed them by hand."""
    await db.run(
        _REOPEN_ALERTS,
        org=org,
        spaces=[space for space, _ in alerts],
        alerts=[alert for _, alert in alerts],
        now=now,
    )


async def record_again(db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]]) -> None:
    """Let the records of these alerts (space, alert) say anew whether they are closed."""
    await db.run(
        _RECORD_AGAIN,
        org=org,
        spaces=[space for space, _ in alerts],
        alerts=[alert for _, alert in alerts],
    )


async def close_alerts_in(
    db: Db, org: UUID, spaces: Sequence[UUID], now: datetime
) -> list[AlertName]:
    """Close whatever is open in these spaces; return which alerts that were."""
    return await db.all(_CLOSE_ALERTS_IN, org=org, spaces=spaces, now=now)


async def close_silent_alerts(
    db: Db, rows: Sequence[tuple[UUID, UUID]], heard: Heard, now: datetime
) -> list[AlertName]:
    """Close the alerts of silent devices in these spaces (organisation, space).

    What was heard of a device ends what it answers: see the statement.
    """
    return await db.all(
        _CLOSE_SILENT_ALERTS,
        heard=heard,
        orgs=[org for org, _ in rows],
        spaces=[space for _, space in rows],
        now=now,
    )


async def take_alerts(db: Db, org: UUID, takings: Sequence[Taking], now: datetime) -> list[Alert]:
    """Let people take alerts, hand them over or give them back; return those that exist."""
    return await db.all(
        _TAKE_ALERTS,
        org=org,
        spaces=[taking.space for taking in takings],
        alerts=[taking.alert for taking in takings],
        bys=[taking.by for taking in takings],
        taken_ats=[taking.at for taking in takings],
        handed_tos=[taking.to for taking in takings],
        resumes_ats=[taking.again_at for taking in takings],
        now=now,
    )


async def alerts_to_walk(db: Db, now: datetime, limit: int) -> list[Alert]:
    """Return and lock up to `limit` alerts whose moment has come, past those that others hold."""
    return await db.all(_ALERTS_TO_WALK, now=now, limit=limit)


async def save_alerts(db: Db, alerts: Sequence[Alert]) -> None:
    """Store where alerts stand on their ladders; their records lag from here on."""
    names = (
        "org", "space", "alert", "rung", "step", "next_at", "taken_by", "taken_at",
        "handed_to", "resumes_at",
    )  # fmt: skip
    # Wrapped: of lists of lists the driver would make an array of two dimensions.
    walked = [{"steps": alert.steps} for alert in alerts]
    await db.run(_SAVE_ALERTS, **columns(alerts, names), walked=walked)


async def go_on(db: Db, subjects: Sequence[tuple[UUID, UUID, str]], now: datetime) -> None:
    """Let alerts (organisation, space, name) go on at once where nobody was reached by their step.

    Their deliveries have just ended without success, and are settled.
    """
    await db.run(
        _GO_ON,
        orgs=[org for org, _, _ in subjects],
        spaces=[space for _, space, _ in subjects],
        subjects=[subject for _, _, subject in subjects],
        now=now,
    )


async def set_alerts_aside(db: Db, rows: Sequence[Alert], until: datetime) -> None:
    """Leave these alone until then: they could not be followed."""
    await db.run(
        _SET_ALERTS_ASIDE,
        orgs=[row.org for row in rows],
        spaces=[row.space for row in rows],
        alerts=[row.alert for row in rows],
        until=until,
    )

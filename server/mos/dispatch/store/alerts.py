"""Alerts, and where they stand on their ladders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import Alert, AlertKind, ClosedWhy, Occurrence
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
    about: dict[str, Any] = {}


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


_OPEN_ALERTS = _sql.command("open_alerts")
_CLOSE_ALERTS_OF = _sql.query("close_alerts_of", AlertName)
_CLOSE_ALERTS = _sql.query("close_alerts", AlertName)
_REOPEN_ALERTS = _sql.command("reopen_alerts")
_CLOSE_ALERTS_IN = _sql.query("close_alerts_in", AlertName)
_CLOSE_SILENT_ALERTS = _sql.query("close_silent_alerts", AlertName)
_TAKE_ALERTS = _sql.query("take_alerts", AlertName)
_ALERTS_TO_WALK = _sql.query("alerts_to_walk", Alert)
_SAVE_ALERTS = _sql.command("save_alerts")


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
    await db.run(_SAVE_ALERTS, **columns(alerts, names))

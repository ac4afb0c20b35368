"""The records of alerts in their residents' spaces: which lag, and who writes them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import Alert
from mos.dispatch.store.rows import Space

_sql = Queries(__package__, "records.sql")


class _Mine(Struct, frozen=True):
    is_mine: bool


_UNRECORDED_SPACES = _sql.query("unrecorded_spaces", Space)
_UNRECORDED_ALERTS = _sql.query("unrecorded_alerts", Alert)
_MARK_RECORDED = _sql.command("mark_recorded")
_TRY_RECORDER = _sql.query("try_recorder", _Mine)


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

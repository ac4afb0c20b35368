"""How organisations reach the services behind channels."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries

_sql = Queries(__package__, "channels.sql")


class ChannelRow(Struct, frozen=True):
    """An organisation's settings of a channel; the secret is sealed."""

    org: UUID
    settings: dict[str, Any]
    secret: bytes | None
    cap: int | None


class ChannelSet(Struct, frozen=True):
    """What an organisation has set for one channel; the secret is sealed."""

    channel: str
    settings: dict[str, Any]
    secret: bytes | None
    cap: int | None
    updated_at: datetime
    updated_by: UUID


class ChannelSpend(Struct, frozen=True):
    """What a channel has cost in a month; `cost` in hundredths."""

    channel: str
    parts: int
    cost: int
    capped_at: datetime | None


_CHANNEL_ROWS = _sql.query("channel_rows", ChannelSet)
_SPEND_OF = _sql.query("spend_of", ChannelSpend)
_SAVE_CHANNEL = _sql.command("save_channel")
_CAP_LIFTED = _sql.command("cap_lifted")
_REMOVE_CHANNEL = _sql.command("remove_channel")
_CHANNELS_OF = _sql.query("channels_of", ChannelRow)


async def channels_of(db: Db, channel: str, orgs: Sequence[UUID]) -> list[ChannelRow]:
    """Return what these organisations have set for a channel."""
    return await db.all(_CHANNELS_OF, channel=channel, orgs=orgs)


async def channel_rows(db: Db, org: UUID) -> list[ChannelSet]:
    """Return what an organisation has set."""
    return await db.all(_CHANNEL_ROWS, org=org)


async def spend_of(db: Db, org: UUID, month: int) -> list[ChannelSpend]:
    """Return what an organisation's channels have cost in a month (202611)."""
    return await db.all(_SPEND_OF, org=org, month=month)


async def save_channel(
    db: Db, org: UUID, row: ChannelSet, *, keeps_secret: bool, month: int
) -> None:
    """Write an organisation's settings of a channel; `keeps_secret`: of them the secret stays."""
    await db.run(
        _SAVE_CHANNEL,
        org=org,
        channel=row.channel,
        settings=row.settings,
        secret=row.secret,
        keeps_secret=keeps_secret,
        cap=row.cap,
        now=row.updated_at,
        by_account=row.updated_by,
    )
    await db.run(_CAP_LIFTED, org=org, channel=row.channel, month=month, cap=row.cap)


async def remove_channel(db: Db, org: UUID, channel: str) -> bool:
    """Remove an organisation's settings of a channel; return whether there were any."""
    return await db.run(_REMOVE_CHANNEL, org=org, channel=channel) > 0

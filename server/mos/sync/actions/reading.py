"""What a device hears: where its spaces stand, and what has changed there."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Raw

from mos.db import Db, Scope
from mos.sync import quarantine, rules, store, unread
from mos.sync.model import (
    Added,
    Check,
    Gone,
    Grant,
    Hello,
    HelloAnswer,
    Pull,
    Pulled,
    PulledSpace,
    Reset,
    SpaceHead,
)
from mos.sync.sealing import Records, records_of

# How much text one pull may carry; its last row may go over.
_PULL_BYTES = 1_048_576


async def pull(
    db: Db, org: UUID, grants: Mapping[UUID, Grant], request: Pull, now: datetime
) -> Pulled:
    """Return what changed in each space asked for, all in one snapshot.

    `grants` are the spaces that the actor may see. Sets the transaction's scope.
    """
    asked = {space: rules.cursor(text) for space, text in request.spaces.items() if space in grants}
    rows = await store.pull(db, org, asked, limit=request.limit, max_bytes=_PULL_BYTES)
    records = await records_of(db, org, {row.space for row in rows if row.rows})
    erased = {row.space for row in rows if row.is_erased}
    # Who asks in parts hears of new ones when greeted: here each part would list all the others.
    fresh = [] if request.part else [space for space in grants if space not in request.spaces]
    if fresh:
        # Told of an erased one, a device would fetch it, hear that it is gone, and so for ever.
        await db.scope(Scope(org, tuple(fresh)))
        erased_too = {head.space for head in await store.heads(db, org, fresh) if head.is_erased}
        fresh = [space for space in fresh if space not in erased_too]
    return Pulled(
        server_now=now,
        spaces=[
            _pulled(row, records, request.check)
            for row in rows
            if row.reset is None and not row.is_erased
        ],
        added=[_added(grants[space]) for space in fresh],
        gone=[Gone(space, "revoked") for space in request.spaces if space not in grants]
        + [Gone(space, "erased") for space in erased],
        reset=[
            Reset(row.space, row.reset, _snap(row.space))
            for row in rows
            if row.reset is not None and not row.is_erased
        ],
    )


async def hello(  # noqa: PLR0913, PLR0917  one more than five
    db: Db,
    org: UUID,
    account: UUID,
    grants: Mapping[UUID, Grant],
    request: Hello,
    now: datetime,
) -> HelloAnswer:
    """Return where each space stands and how far this device is acknowledged in it.

    And what `account` wrote that was refused, until they say that they have read it. Sets the
    transaction's scope. How long the device may keep what it has is the caller's to say.
    """
    lost = {space: ranges for space, ranges in request.lost.items() if space in grants}
    if lost or request.purged:
        # What it has purged the device may see no longer; the row is its own.
        said = sorted({*lost, *request.purged})
        await db.scope(Scope(org, tuple(said)))
        await quarantine.lock(db, org, said)
        await quarantine.purged(db, org, request.device_id, request.purged, now)
        await quarantine.give_up(db, org, request.device_id, lost, now)
    await db.scope(Scope(org, tuple(grants)))
    heads = await store.heads(db, org, list(grants), device=request.device_id)
    await unread.read(db, org, account, request.read)
    return HelloAnswer(
        server_now=now,
        lease_until=now,
        acked={head.space: head.last_n or 0 for head in heads if head.space in request.sent},
        missing={head.space: head.missing for head in heads if head.missing},
        spaces=[
            SpaceHead(
                head.space,
                grants[head.space].role,
                grants[head.space].permissions,
                grants[head.space].kind,
                f"{head.epoch}.{head.head_seq}",
                head.floor_seq,
                grants[head.space].of,
            )
            for head in heads
            if not head.is_erased
        ],
        refused=await unread.unread(db, org, account, grants.keys()),
    )


def _added(grant: Grant) -> Added:
    return Added(grant.id, grant.role, grant.permissions, grant.kind, _snap(grant.id), grant.of)


def _snap(space: UUID) -> str:
    return f"/sync/v1/snapshot/{space}"


def _pulled(
    row: store.PullRow,
    records: Records,
    check: bool,  # noqa: FBT001  the request's own word
) -> PulledSpace:
    return PulledSpace(
        id=row.space,
        rows=Raw(records.rows(row.space, row.rows) if row.rows else b"[]"),
        cur=rules.cursor_text(row.epoch, row.seq, row.tag, floor=row.floor),
        more=row.more,
        check=Check(row.live_n, str(row.live_sum), str(row.live_sq))
        if check and not row.more
        else UNSET,
    )

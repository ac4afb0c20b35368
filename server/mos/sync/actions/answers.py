"""What a device is answered to its push."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from msgspec import UNSET, structs

from mos.kernel.ids import named_id
from mos.sync import store
from mos.sync.model import CandidateWhy, Pushed, Result

# When a device asks again for whose refused ops there is no room. Not longer: it may wait as long
# before it pulls.
_AGAIN_MS = 60_000


def answer(items: list[dict[str, Any]], rows: list[store.PushRow], now: datetime) -> Pushed:
    """Return the verdict on each op, in order, and where the device and the spaces stand."""
    judged = {row.ord: row for row in rows if row.ord is not None and row.verdict != "system"}
    results: list[Result] = []
    first: dict[tuple[UUID, UUID], Result] = {}
    for ord_, item in enumerate(items, 1):
        key = item["space"], item["op"]
        result = _result(item, judged[ord_], first.get(key))
        first.setdefault(key, result)
        results.append(result)
    counted = [row for row in rows if row.ord is None and row.n is not None]
    missing = {row.space: row.doc for row in counted if row.doc is not None}
    return Pushed(
        server_now=now,
        results=results,
        restamped={
            items[ord_ - 1]["op"]: row.hlc
            for ord_, row in judged.items()
            if row.claimed is not None and row.hlc is not None and row.seq is not None
        },
        acked={row.space: row.n for row in counted if row.n is not None},
        # Of several the last stays: they come by place.
        heads={
            row.space: row.seq
            for row in rows
            if row.ord is None and row.doc is None and row.seq is not None
        },
        missing=missing or UNSET,
    )


def _result(item: dict[str, Any], row: store.PushRow, earlier: Result | None) -> Result:
    """Return the verdict on one op; `earlier` is that on the same op before it in this batch."""
    op: UUID = item["op"]
    if row.verdict == "dup" and earlier is not None and row.was is None:
        if earlier.s not in ("applied", "superseded", "conflict"):
            return earlier
        return structs.replace(earlier, s="dup", was=earlier.s)
    assert row.verdict is not None and row.verdict != "system"  # noqa: S101, PT018  it judges all
    if row.verdict == "stale_resolve":
        active, unseen = row.doc["active"], row.doc["unseen"]
        return Result(
            op,
            row.verdict,
            active=None if active is None else UUID(active),
            unseen=[UUID(one) for one in unseen],
        )
    if "conflict" in (row.verdict, row.was):
        return Result(
            op,
            row.verdict,
            seq=UNSET if row.seq is None else row.seq,
            was=UNSET if row.was is None else row.was,
            # Also of one that its author may no longer propose.
            rec=named_id(item["space"], f"conflict/{item['rec']}"),
            why=cast("CandidateWhy", row.code),
        )
    return Result(
        op,
        row.verdict,
        seq=UNSET if row.seq is None else row.seq,
        was=UNSET if row.was is None else row.was,
        code=UNSET if row.code is None else row.code,
        path=UNSET if row.code is None else item.get("path") or UNSET,
        after_ms=_AGAIN_MS if row.verdict == "retry" else UNSET,
    )

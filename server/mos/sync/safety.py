"""What synchronisation makes of a safety op before the database decides. Pure: no database.

The decision itself (docs/sync.md, "Safety") is `sync_decide` (migration 0015; 0002 has the first),
under the space's lock. It reads no value, only versions, digests and flags; those are made here.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from mos.kernel.ids import named_id, new_id
from mos.sync import hlc
from mos.sync.model import CONFLICT, Collection, Groups, ResolveOp, SafetyOp

_log = structlog.get_logger(__name__)

KINDS = ("safety", "resolve")

# As in sync_decide: what is older is confirmed by a person.
_FRESH_MS = 24 * 3_600_000


def digest(value: Groups) -> str:
    """Return what two equal values have in common: 32 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()[:32]


def canonical(value: Groups) -> bytes:
    """Return the text that two equal values share."""
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def _plain(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value


def needs_two(collection: Collection, value: Groups) -> bool:
    """Say whether it takes two people to make this value active. In doubt it does."""
    if collection.second is None:
        return False
    try:
        return collection.second({"v": value})
    except Exception as error:  # noqa: BLE001  whatever it is, it is one op's
        _log.exception(
            "second_failed", coll=collection.name, kind=type(error).__name__, exc_info=False
        )
        return True


def logged(
    op: SafetyOp | ResolveOp,
    collection: Collection,
    words: frozenset[str],
    digest_of: Callable[[UUID, Groups], str],
) -> Groups:
    """Return what is kept of an op in the log: what was written, and all that decides over it.

    `digest_of` says of a space and a value what equal values share.
    """
    if isinstance(op, ResolveOp):
        return {"base": op.base, "seen": op.seen, "choose": op.choose, "why": op.why}
    return {
        "v": op.v,
        "base": op.base,
        "trunk": op.trunk,
        "dig": digest_of(op.space, op.v),
        "confirm": collection.confirm in words,
        "second": needs_two(collection, op.v),
    }


def aged(made: str | None, now: datetime) -> bool:
    """Say whether an op is more than a day old although its clock, stamped anew, does not show it.

    `made` is when it was written (`rules.made`); where nobody knows, it may have been long ago.
    """
    return made is None or hlc.millis(made) < int(now.timestamp() * 1000) - _FRESH_MS


def beside(op: SafetyOp | ResolveOp, clock: str, now: datetime) -> dict[str, Any]:
    """Return what an item of sync_push carries for a safety op alone; `clock` is the op's own."""
    return {
        "conflict": named_id(op.space, f"conflict/{op.rec}"),
        "sys": new_id(now),
        "at": _moment(int(now.timestamp() * 1000)),
        "made": _moment(hlc.millis(clock)),
    }


def written(item: dict[str, Any], verdict: str, groups: Groups | None) -> dict[str, Any] | None:
    """Return what an op wrote as if it were an op of that alone, or None when it wrote nothing."""
    if groups is None:
        return None
    if verdict == "system":
        return {
            "coll": CONFLICT,
            "rec": item["conflict"],
            "op": item["sys"],
            "kind": "system",
            "val": groups,
        }
    return item | {"val": groups}


def _moment(millis: int) -> str:
    at = datetime.fromtimestamp(millis // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03}Z"

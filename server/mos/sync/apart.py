"""When a domain crashes over a batch: take the batch apart, so that one op holds up no other."""

from collections.abc import Awaitable
from typing import Protocol

import structlog
from msgspec import structs

from mos.sync.actions import HookFailed
from mos.sync.metrics import HOOK_FAILURES
from mos.sync.model import Pushed, PushHead

_log = structlog.get_logger(__name__)


class Apply(Protocol):
    """Pushes a batch in a transaction of its own; raises HookFailed when nothing of it stays."""

    def __call__(self, request: PushHead, *, set_aside: bool = False) -> Awaitable[Pushed]:
        """Push, or with `set_aside` keep the ops in quarantine as `hook_failed`."""


async def push_apart(apply: Apply, request: PushHead) -> Pushed:
    """Push a batch that made a hook fail, halved until only the ops at fault are left out.

    Each part stays once it is in; one sent again is `dup`. Raises whatever else `apply` raises.
    """
    if len(request.ops) == 1:
        return await _push_alone(apply, request)
    middle = len(request.ops) // 2
    parts = []
    for ops in (request.ops[:middle], request.ops[middle:]):
        part = structs.replace(request, ops=ops)
        try:
            parts.append(await apply(part))
        except HookFailed:
            parts.append(await push_apart(apply, part))
    return _joined(*parts)


async def _push_alone(apply: Apply, request: PushHead) -> Pushed:
    try:
        # Once more: it may have been the meeting with somebody else's batch.
        return await apply(request)
    except HookFailed as error:
        HOOK_FAILURES.labels(error.collection).inc()
        _log.exception(
            "hook_failed",
            coll=error.collection,
            kind=type(error.__cause__).__name__,
            exc_info=False,
        )
        return await apply(request, set_aside=True)


def _joined(first: Pushed, second: Pushed) -> Pushed:
    """Return the answer to two parts as that to one batch; places only ever grow."""
    return Pushed(
        server_now=second.server_now,
        results=first.results + second.results,
        restamped=first.restamped | second.restamped,
        acked=first.acked | second.acked,
        heads=first.heads | second.heads,
    )

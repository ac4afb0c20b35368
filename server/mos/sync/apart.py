"""When a domain crashes over a batch: take the batch apart, so that one op holds up no other."""

from collections.abc import Awaitable, Collection, Hashable, Sequence
from typing import Protocol
from uuid import UUID

import structlog
from msgspec import UNSET, Raw, structs

from mos.sync import rules
from mos.sync.actions import HookFailed
from mos.sync.metrics import HOOK_FAILURES
from mos.sync.model import Pushed, PushHead, Result

_log = structlog.get_logger(__name__)


class Apply(Protocol):
    """Pushes a batch in a transaction of its own; raises HookFailed when nothing of it stays."""

    def __call__(self, request: PushHead, *, set_aside: bool = False) -> Awaitable[Pushed]:
        """Push, or with `set_aside` keep the ops in quarantine as `hook_failed`."""


async def push_apart(apply: Apply, request: PushHead) -> Pushed:
    """Push a batch that made a hook fail, halved until only the ops at fault are left out.

    A group is never cut: it is left out whole. Each part stays once it is in; one sent again is
    `dup`. Raises whatever else `apply` raises.
    """
    halves = _halves(request.ops)
    if halves is None:
        return await _push_alone(apply, request)
    parts = []
    for places in halves:
        part = structs.replace(request, ops=[request.ops[place] for place in places])
        try:
            parts.append(await apply(part))
        except HookFailed:
            parts.append(await push_apart(apply, part))
    joined = _joined(*parts)
    ordered = sorted(zip((*halves[0], *halves[1]), joined.results, strict=True), key=_place)
    return structs.replace(joined, results=[result for _, result in ordered])


def _place(pair: tuple[int, Result]) -> int:
    return pair[0]


def _halves(ops: list[Raw]) -> tuple[Sequence[int], Sequence[int]] | None:
    """Return the places of two parts that cut through no group, or None where all is one thing.

    Where groups lie in one another, the one that begins first is the second part: it is what the
    others could not be cut from.
    """
    groups = [rules.group_of(rules.read(op)) for op in ops]
    middle = _middle(groups)
    if middle is not None:
        return range(middle), range(middle, len(ops))
    others = [place for place, group in enumerate(groups) if group != groups[0]]
    if not others:
        return None
    return others, [place for place, group in enumerate(groups) if group == groups[0]]


def _middle(groups: Sequence[Hashable | None]) -> int | None:
    """Return the place nearest to the middle that cuts through no group, or None."""
    last = {group: place for place, group in enumerate(groups)}
    cuts = []
    reaches = 0  # the last place that what came so far is bound to
    for place, group in enumerate(groups):
        if place > reaches:
            cuts.append(place)
        reaches = max(reaches, place if group is None else last[group])
    return min(cuts, key=lambda cut: abs(2 * cut - len(groups)), default=None)


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
        missing=_missing(first, unless=second.acked.keys()) | _missing(second) or UNSET,
    )


def _missing(pushed: Pushed, *, unless: Collection[UUID] = ()) -> dict[UUID, list[tuple[int, int]]]:
    known = {} if pushed.missing is UNSET else pushed.missing
    return {space: numbers for space, numbers in known.items() if space not in unless}

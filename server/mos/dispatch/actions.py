"""What people and plans do to occurrences and alerts, a batch at a time.

All of it happens in the caller's transaction.

A domain calls these in the transaction that accepts the change, so that what is planned, what was
answered and what rings are never at odds. Nothing is sent from here: the worker finds it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db
from mos.dispatch import engine, rules, store
from mos.dispatch.model import Answer, Planned, PlanScope
from mos.dispatch.store import AlertCall, AlertName, Taking
from mos.kernel.ids import named_id


class Snooze(Struct, frozen=True):
    """Somebody says "Påminn igen": the op, which occurrence, and until when."""

    space: UUID
    op: UUID
    occ: str
    until: datetime


class Help(Struct, frozen=True):
    """Somebody says "Behöver hjälp": the op, and the occurrence that it was said of, if any."""

    space: UUID
    op: UUID
    occ: str | None


class Rang(Struct, frozen=True):
    """A device says that it rang or showed an occurrence."""

    space: UUID
    occ: str
    device: UUID | None


# ───────────────────────────────────────────────────────────── the plan changes
async def replan(
    db: Db,
    scope: PlanScope,
    plan: Sequence[Planned],
    paused: set[tuple[UUID, str]],
    now: datetime,
) -> None:
    """Let what is due and what is open follow a changed plan.

    `paused` are occurrences (space, occ) that a pause silences: they are not in `plan`.
    """
    await store.replace_due(db, scope, plan, now)
    # A statement of its own: what a worker claimed while the first one waited is seen here.
    taken = await store.occurrences_of_reminders(db, scope)
    planned = {(row.space, row.occ): row for row in plan}
    moves = [
        rules.replanned(
            occurrence,
            planned.get((occurrence.space, occurrence.occ)),
            is_paused=(occurrence.space, occurrence.occ) in paused,
            now=now,
        )
        for occurrence in taken
    ]
    await engine.move(db, [step for step in moves if step is not None], now)


async def retire(db: Db, scope: PlanScope, now: datetime) -> None:
    """Let nothing of the scope's spaces be due, ring or alert any more."""
    await replan(db, scope, [], set(), now)
    spaces = sorted({space for space, _ in scope.reminders})
    await _hush(db, await store.close_alerts_in(db, scope.org, spaces, now), now)


# ───────────────────────────────────────────────────────────── people act
async def answer(
    db: Db, org: UUID, answers: Sequence[tuple[UUID, str, Answer]], now: datetime
) -> None:
    """Close occurrences (space, occ) with their outcomes.

    An answer that comes before its occurrence is due is remembered until then.
    """
    await store.add_answers(db, org, answers)
    await _settle(db, org, [(space, occ) for space, occ, _ in answers], now)


async def retract(db: Db, org: UUID, ops: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    """Take back answers, snoozes and calls for help (space, op), in whatever order they arrive."""
    answered = await store.retract_answers(db, org, ops)
    await _settle(db, org, answered, now)
    snoozed = await store.occurrences_snoozed_by(
        db, org, [space for space, _ in ops], [op for _, op in ops]
    )
    await engine.move(db, [rules.unsnoozed(occurrence, now) for occurrence in snoozed], now)
    helped = [(space, help_alert(space, op)) for space, op in ops]
    await _hush(db, await store.close_alerts(db, org, helped, "cancelled", now), now)


async def snooze(db: Db, org: UUID, snoozes: Sequence[Snooze], now: datetime) -> None:
    """Let occurrences ring again later. Of two snoozes of one occurrence the last one counts."""
    spaces, ops = [s.space for s in snoozes], [s.op for s in snoozes]
    gone = await store.retracted_ops(db, org, spaces, ops)
    wanted = {(s.space, s.occ): s for s in snoozes if s.op not in gone}
    await engine.claim_named(db, org, list(wanted), now)
    found = await store.occurrences_named(db, [(org, space, occ) for space, occ in wanted])
    steps = [
        rules.snoozed(o, wanted[o.space, o.occ].op, wanted[o.space, o.occ].until, now)
        for o in found
    ]
    moves = [step for step in steps if step is not None]
    await engine.move(db, moves, now)
    # The resident's other devices need not ring now either.
    snoozed = [step.after for step in moves]
    await engine.withdraw(db, [(o.org, o.space, o.occ) for o in snoozed], now)
    await _heard(db, [(org, space) for space in spaces], now)


async def call_for_help(db: Db, org: UUID, calls: Sequence[Help], now: datetime) -> None:
    """Open an alert at once for each call that has not been taken back."""
    gone = await store.retracted_ops(
        db, org, [call.space for call in calls], [call.op for call in calls]
    )
    alerts = [
        AlertCall(
            org=org,
            space=call.space,
            alert=help_alert(call.space, call.op),
            kind="help",
            occ=call.occ,
            ladder="help",
            grace_s=0,
            from_at=now,
        )
        for call in calls
        if call.op not in gone
    ]
    if alerts:
        await store.open_alerts(db, alerts, now)


async def rang(db: Db, org: UUID, rings: Sequence[Rang], now: datetime) -> None:
    """Remember that devices rang; whoever rang is not silent."""
    await engine.claim_named(db, org, [(r.space, r.occ) for r in rings], now)
    devices = [(r.space, r.occ, r.device) for r in rings if r.device is not None]
    await tell_of(db, [(org, r.space, r.occ) for r in rings], now)
    if devices:
        await store.see_deliveries(db, org, devices, now)


async def tell_of(db: Db, names: Sequence[tuple[UUID, UUID, str]], now: datetime) -> None:
    """Mark occurrences (organisation, space, occ) as told to a device."""
    found = await store.occurrences_named(db, names)
    moves = [rules.told(occurrence, now) for occurrence in found]
    await engine.move(db, [step for step in moves if step is not None], now)
    await _heard(db, [(org, space) for org, space, _ in names], now)


# ───────────────────────────────────────────────────────────── alerts
def help_alert(space: UUID, op: UUID) -> UUID:
    """Return the id of the alert that a call for help opens."""
    return named_id(space, f"alert/{op}")


def conflict_alert(space: UUID, conflict: UUID) -> UUID:
    """Return the id of the alert of a conflict."""
    return named_id(space, f"alert/{conflict}")


def double_alert(space: UUID, occ: str) -> UUID:
    """Return the id of the alert of what was given twice."""
    return named_id(space, f"alert/double/{occ}")


async def call(db: Db, calls: Sequence[AlertCall], now: datetime) -> None:
    """Open alerts, or open them again because of something new."""
    if calls:
        await store.open_alerts(db, calls, now)


async def settle(db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    """Close alerts (space, alert) whose matter is decided."""
    if alerts:
        await _hush(db, await store.close_alerts(db, org, alerts, "outcome", now), now)


async def take(db: Db, org: UUID, takings: Sequence[Taking], now: datetime) -> None:
    """Let supporters take alerts, which holds their ladders, or give them back."""
    await _hush(db, await store.take_alerts(db, org, takings, now), now)


async def close_by_hand(
    db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]], now: datetime
) -> None:
    """Close alerts (space, alert) because a person said so; they stay closed until taken back."""
    await _hush(db, await store.close_alerts(db, org, alerts, "by_hand", now), now)


async def reopen_by_hand(
    db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]], now: datetime
) -> None:
    """Take back that alerts (space, alert) were closed by hand: their ladders go on."""
    await store.reopen_alerts(db, org, alerts, now)


# ───────────────────────────────────────────────────────────── shared
async def _settle(db: Db, org: UUID, names: Sequence[tuple[UUID, str]], now: datetime) -> None:
    """Close or reopen occurrences by the answers that count now."""
    if not names:
        return
    found = await store.occurrences_named(db, [(org, space, occ) for space, occ in names])
    first = await store.first_answers(db, org, [(o.space, o.occ) for o in found])
    moves = [rules.answered(o, first.get((o.space, o.occ)), now) for o in found]
    await engine.move(db, [step for step in moves if step is not None], now)


async def _heard(db: Db, spaces: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    await _hush(db, await store.close_silent_alerts(db, sorted(set(spaces)), now), now)


async def _hush(db: Db, alerts: Sequence[AlertName], now: datetime) -> None:
    await engine.withdraw(db, [(row.org, row.space, str(row.alert)) for row in alerts], now)

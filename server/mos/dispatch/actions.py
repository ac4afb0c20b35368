"""What people and plans do to occurrences and alerts, a batch at a time.

All of it happens in the caller's transaction.

A domain calls these in the transaction that accepts the change, so that what is planned, what was
answered and what rings are never at odds. Nothing is sent from here: the worker finds it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from mos.db import Db
from mos.dispatch import engine, rules, store
from mos.dispatch.model import Answer, Heard, Ladder, Person, Planned, PlanScope, Told
from mos.dispatch.store import AlertCall, AlertName, Taking
from mos.kernel.ids import named_id

# Whoever is asked to take an alert has this long to say so.
_HAND_OVER = timedelta(minutes=5)


class Snooze(Struct, frozen=True):
    """Somebody says "Påminn igen": the op, which occurrence, and until when."""

    space: UUID
    op: UUID
    occ: str
    until: datetime


class Help(Struct, frozen=True):
    """Somebody says "Behöver hjälp" or "Vill inte": the op, and the occurrence it is of, if any."""

    space: UUID
    op: UUID
    occ: str | None


class Rang(Struct, frozen=True):
    """A device says that it rang or showed an occurrence."""

    space: UUID
    occ: str
    device: UUID | None


# ───────────────────────────────────────────────────────────── the plan changes
async def replan(  # noqa: PLR0913  what silences what
    db: Db,
    scope: PlanScope,
    plan: Sequence[Planned],
    paused: set[tuple[UUID, str]],
    now: datetime,
    *,
    answered: Collection[tuple[UUID, str]] = (),
) -> None:
    """Let what is due and what is open follow a changed plan.

    `paused` are occurrences (space, occ) that a pause silences, `answered` those that somebody has
    answered under the time that they had before: they are not in `plan`.
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
            is_answered=(occurrence.space, occurrence.occ) in answered,
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


async def choose_ladders(
    db: Db,
    org: UUID,
    ladders: Sequence[tuple[UUID, Ladder]],
    spaces: Sequence[UUID],
    now: datetime,
) -> None:
    """Let ladders (space, ladder) hold that somebody chose, at once for what is open in `spaces`.

    One without steps is taken away.
    """
    await store.save_ladders(db, org, ladders)
    await ladders_changed(db, org, spaces, now)


async def ladders_changed(db: Db, org: UUID, spaces: Sequence[UUID], now: datetime) -> None:
    """Let changed ladders hold at once for what is open in `spaces`."""
    await store.look_again(db, org, spaces, now)


# ───────────────────────────────────────────────────────────── people act
async def answer(
    db: Db, org: UUID, answers: Sequence[tuple[UUID, str, Answer]], now: datetime
) -> None:
    """Close occurrences (space, occ) with their outcomes.

    An answer that comes before its occurrence is due is remembered until then.
    """
    await store.add_answers(db, org, answers, now)
    await _settle(db, org, [(space, occ) for space, occ, _ in answers], now)


async def retract(
    db: Db, org: UUID, ops: Sequence[tuple[UUID, UUID]], now: datetime
) -> list[tuple[UUID, str]]:
    """Take back answers, snoozes and calls for help (space, op), in whatever order they arrive.

    Return the occurrences (space, occ) that an answer was taken from.
    """
    answered = await store.retract_answers(db, org, ops)
    await _settle(db, org, answered, now)
    snoozed = await store.occurrences_snoozed_by(
        db, org, [space for space, _ in ops], [op for _, op in ops]
    )
    await engine.move(db, [rules.unsnoozed(occurrence, now) for occurrence in snoozed], now)
    helped = [(space, help_alert(space, op)) for space, op in ops]
    await _hush(db, await store.close_alerts(db, org, helped, "cancelled", now), now)
    return answered


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
    await _heard(db, [(org, space) for space in spaces], "ring", now)


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
            # Why somebody calls is sealed in what they said.
            about={"help": str(call.op)},
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
    await tell_of(db, [(org, r.space, r.occ) for r in rings], now, heard="ring")
    if devices:
        await store.see_deliveries(db, org, devices, now)


async def hear(db: Db, org: UUID, spaces: Sequence[UUID], now: datetime) -> None:
    """Remember that a device that rings for these spaces lives: it is not silent any more."""
    await _heard(db, [(org, space) for space in spaces], "beat", now)


async def tell_of(
    db: Db, names: Sequence[tuple[UUID, UUID, str]], now: datetime, *, heard: Heard
) -> None:
    """Mark occurrences (organisation, space, occ) as told to a device."""
    found = await store.occurrences_named(db, names)
    moves = [rules.told(occurrence, now) for occurrence in found]
    await engine.move(db, [step for step in moves if step is not None], now)
    await _heard(db, [(org, space) for org, space, _ in names], heard, now)


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


def unentitled_alert(space: UUID, op: UUID) -> UUID:
    """Return the id of the alert of a dose that somebody gave who might not."""
    return named_id(space, f"alert/unentitled/{op}")


async def known_alerts(
    db: Db, org: UUID, names: Sequence[tuple[UUID, UUID]]
) -> set[tuple[UUID, UUID]]:
    """Return which of these (space, alert) were ever opened, recorded already or not."""
    return await store.known_alerts(db, org, names)


async def call(db: Db, calls: Sequence[AlertCall], now: datetime) -> None:
    """Open alerts, or open them again because of something new."""
    if calls:
        await store.open_alerts(db, calls, now)


async def settle(db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    """Close alerts (space, alert) whose matter is decided."""
    if alerts:
        await _hush(db, await store.close_alerts(db, org, alerts, "outcome", now), now)


async def take(db: Db, org: UUID, takings: Sequence[Taking], now: datetime) -> None:
    """Let supporters take alerts, which holds their ladders, hand them over, or give them back.

    Whoever is asked to take one hears of it at once; its ladder goes on unless they do so soon.
    Who may not be called for a resident is not asked: the alert stays with whoever meant to.
    """
    spaces = sorted({taking.space for taking in takings if taking.to is not None})
    people = await store.people_of(db, [(org, space, now) for space in spaces]) if spaces else {}
    checked = [_handed(taking, people, now) for taking in takings]
    taken = await store.take_alerts(db, org, checked, now)
    await _hush(db, [AlertName(each.org, each.space, each.alert) for each in taken], now)
    asked = [
        (each, Told(each.handed_to))
        for each in taken
        if each.handed_to is not None and each.closed_at is None
    ]
    if asked:
        await store.tell(db, asked, expires_at=now + _HAND_OVER, now=now)


def _handed(
    taking: Taking, people: Mapping[tuple[UUID, datetime], Sequence[Person]], now: datetime
) -> Taking:
    if taking.to is None or taking.by is None:
        return taking
    able = {person.account for person in people.get((taking.space, now), ()) if person.sees}
    if taking.to not in able or taking.to == taking.by:
        return replace(taking, to=None)
    return replace(taking, again_at=now + _HAND_OVER)


async def close_by_hand(
    db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]], now: datetime
) -> None:
    """Close alerts (space, alert) because a person said so; they stay closed until taken back."""
    await _hush(db, await store.close_alerts(db, org, alerts, "by_hand", now), now)
    await store.record_again(db, org, alerts)


async def reopen_by_hand(
    db: Db, org: UUID, alerts: Sequence[tuple[UUID, UUID]], now: datetime
) -> None:
    """Take back that alerts (space, alert) were closed by hand: their ladders go on."""
    await store.reopen_alerts(db, org, alerts, now)
    await store.record_again(db, org, alerts)


# ───────────────────────────────────────────────────────────── shared
async def _settle(db: Db, org: UUID, names: Sequence[tuple[UUID, str]], now: datetime) -> None:
    """Close or reopen occurrences by the answers that count now."""
    if not names:
        return
    # Else a worker that takes one of them just now would see no answer, and we no occurrence.
    await store.lock_due(db, org, names)
    found = await store.occurrences_named(db, [(org, space, occ) for space, occ in names])
    first = await store.first_answers(db, [(o.org, o.space, o.occ) for o in found])
    moves = [rules.answered(o, first.get((o.space, o.occ)), now) for o in found]
    await engine.move(db, [step for step in moves if step is not None], now)


async def _heard(db: Db, spaces: Sequence[tuple[UUID, UUID]], heard: Heard, now: datetime) -> None:
    await _hush(db, await store.close_silent_alerts(db, sorted(set(spaces)), heard, now), now)


async def _hush(db: Db, alerts: Sequence[AlertName], now: datetime) -> None:
    await engine.withdraw(db, [(row.org, row.space, str(row.alert)) for row in alerts], now)

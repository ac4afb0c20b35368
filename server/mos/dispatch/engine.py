"""The passes of the engine: take what is due, look at what is open, walk the alerts' ladders.

Each pass is one transaction of the caller's and a fixed number of statements, whatever the size of
its batch. Several workers may run the same pass at once; no row is seen by two.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from mos.db import Db
from mos.dispatch import metrics, rules, store
from mos.dispatch.apart import apart
from mos.dispatch.model import WATCH, Alert, AlertKind, AlertMove, Answer, Move, Occurrence
from mos.dispatch.store import AlertCall, Claimed
from mos.kernel.ids import named_id

# A ring is of use until the grace ends, an alert for as long as somebody may look at a screen.
_LEAST_RING = timedelta(minutes=10)
_ALERT_EXPIRES = timedelta(hours=12)
_CLOSE_EXPIRES = timedelta(hours=1)
# What could not be followed is looked at again after this long.
_ASIDE = timedelta(minutes=5)
# A device whose clock is ahead rings this much before the server would.
_AHEAD = timedelta(minutes=1)


async def claim(db: Db, now: datetime, limit: int) -> int:
    """Take up to `limit` due occurrences and ring for them; return how many were taken."""
    await store.by_index(db)
    claimed = await store.claim_due(db, now, limit)
    await _begin(db, claimed, now)
    return len(claimed)


async def claim_named(db: Db, org: UUID, names: Sequence[tuple[UUID, str]], now: datetime) -> None:
    """Take these occurrences (space, occ) now, if they are due: somebody knows of them already."""
    await _begin(db, await store.claim_named(db, org, names, now + _AHEAD), now)


async def _begin(db: Db, claimed: Sequence[Claimed], now: datetime) -> None:
    if not claimed:
        return
    of_people = [row for row in claimed if row.org != WATCH]
    metrics.CLAIMED.inc(len(of_people))
    for row in of_people:
        metrics.LATENESS.observe(max((now - row.first_at).total_seconds(), 0))
    ladders = await store.ladders_for(db, [(row.org, row.space) for row in claimed])
    # A statement of its own: what somebody answered while the rows were taken is seen here.
    answers = await store.first_answers(db, [(row.org, row.space, row.occ) for row in claimed])
    moves = [_begun(row, answers.get((row.space, row.occ)), ladders, now) for row in claimed]
    new = await store.add_occurrences(db, [move.after for move in moves])
    await _follow(db, [m for m in moves if (m.after.space, m.after.occ) in new], now)


def _begun(row: Claimed, answer: Answer | None, ladders: rules.Ladders, now: datetime) -> Move:
    occurrence = rules.born(row.org, row, now)
    if answer is not None:
        return rules.answered(occurrence, answer, now) or Move(occurrence)
    return rules.look(occurrence, ladders.of_occurrence(occurrence), now)


async def look(db: Db, now: datetime, limit: int) -> int:
    """Look at up to `limit` open occurrences whose moment has come; return how many."""
    await store.by_index(db)
    found = await store.occurrences_to_look_at(db, now, limit)
    if not found:
        return 0
    ladders = await store.ladders_for(db, [(each.org, each.space) for each in found])
    signs = await store.signs_of(db, [each for each in found if rules.asks_for_signs(each, now)])

    async def follow(some: Sequence[Occurrence]) -> None:
        moves = [
            rules.look(each, ladders.of_occurrence(each), now, signs[each.space, each.occ])
            for each in some
        ]
        await move(db, moves, now)

    if aside := await apart(db, found, follow, "occurrence"):
        await store.set_occurrences_aside(db, aside, now + _ASIDE)
    return len(found)


async def walk(db: Db, now: datetime, limit: int) -> int:
    """Take the next step of up to `limit` alerts whose moment has come; return how many."""
    await store.by_index(db)
    found = await store.alerts_to_walk(db, now, limit)
    if not found:
        return 0
    ladders = await store.ladders_for(db, [(alert.org, alert.space) for alert in found])

    async def follow(some: Sequence[Alert]) -> None:
        moves = [rules.walk(alert, ladders.of_alert(alert), now) for alert in some]
        await store.save_alerts(db, [step.after for step in moves])
        await _call(db, [step for step in moves if step.tell], now)

    if aside := await apart(db, found, follow, "alert"):
        await store.set_alerts_aside(db, aside, now + _ASIDE)
    return len(found)


async def _call(db: Db, moves: Sequence[AlertMove], now: datetime) -> None:
    """Tell whom these steps tell, as people's relations, duties and quiet hours are now."""
    if not moves:
        return
    for step in moves:
        metrics.ALERTS.labels(step.after.kind).inc()
    await store.tell_webhooks(
        db, [step.after for step in moves], expires_at=now + _ALERT_EXPIRES, now=now
    )
    asked = [(step.after.org, step.after.space, now) for step in moves]
    people = await store.people_of(db, asked)
    tellings = [
        (step.after, told)
        for step in moves
        for told in rules.told_by(
            step.tell, people[step.after.space, now], critical=rules.is_critical(step.after)
        )
    ]
    if tellings:
        await store.tell(db, tellings, expires_at=now + _ALERT_EXPIRES, now=now)


async def move(db: Db, moves: Sequence[Move], now: datetime) -> None:
    """Store what became of locked occurrences, and do what follows from it."""
    if moves:
        await store.save_occurrences(db, [step.after for step in moves])
        await _follow(db, moves, now)


async def _follow(db: Db, moves: Sequence[Move], now: datetime) -> None:
    rings = [
        (step.after, max(step.after.missed_at, now + _LEAST_RING)) for step in moves if step.ring
    ]
    if rings:
        await store.ring(db, rings, now)
    for step in moves:
        if "missed" in step.alerts:
            metrics.MISSED.labels(step.after.criticality).inc()
    calls = [alert_call(step.after, kind) for step in moves for kind in step.alerts]
    if calls:
        await store.open_alerts(db, calls, now)
    hushed = [(step.after, step.hush) for step in moves if step.hush is not None]
    if hushed:
        closed = await store.close_alerts_of(db, hushed, now)
        await withdraw(
            db,
            [
                *((row.org, row.space, row.occ) for row, _ in hushed),
                *((row.org, row.space, str(row.alert)) for row in closed),
            ],
            now,
        )


async def withdraw(db: Db, subjects: Sequence[tuple[UUID, UUID, str]], now: datetime) -> None:
    """Let nobody be told of these (organisation, space, occurrence or alert) any more."""
    if subjects:
        await store.withdraw(db, subjects, expires_at=now + _CLOSE_EXPIRES, now=now)


def alert_call(occurrence: Occurrence, kind: AlertKind) -> AlertCall:
    """Return the alert of this kind that an occurrence opens."""
    name = f"alert/silent/{occurrence.occ}" if kind == "silent" else f"alert/{occurrence.occ}"
    is_silent = kind == "silent"
    return AlertCall(
        org=occurrence.org,
        space=occurrence.space,
        alert=named_id(occurrence.space, name),
        kind=kind,
        occ=occurrence.occ,
        ladder="silent" if is_silent else occurrence.criticality,
        # A silent device counts from now, what is late from the end of its own grace.
        grace_s=0 if is_silent else occurrence.grace_s,
        from_at=occurrence.from_at,
        category=occurrence.category,
        criticality=occurrence.criticality,
    )

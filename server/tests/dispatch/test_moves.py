"""Whatever happens to an occurrence, and in whatever order, the database can hold it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from engine_world import a_world, occ_of
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mos.dispatch import rules
from mos.dispatch.model import OPEN, Answer, Event, Planned, State, Step

AT = datetime(2026, 11, 27, 7, tzinfo=UTC)
LADDERS = [rules.LADDERS["normal"], (Step(rules.LADDERS["help"][1].tell, timedelta(hours=2)),)]


def a_plan(**more):
    return Planned(
        space=UUID(int=1), occ="x", reminder=UUID(int=2), category="meal",
        **({"at": AT, "first_at": AT, "ends_at": AT} | more),
    )  # fmt: skip


plans = st.builds(
    a_plan,
    first_at=st.sampled_from([AT, AT - timedelta(minutes=10)]),
    ends_at=st.sampled_from([AT, AT + timedelta(minutes=50)]),
    criticality=st.sampled_from(["normal", "important", "critical"]),
    checkable=st.booleans(),
    grace_s=st.sampled_from([0, 900, 1800]),
    ring_start=st.booleans(),
    ring_again=st.booleans(),
)
happenings = st.lists(
    st.tuples(
        st.sampled_from(["look", "answer", "retract", "snooze", "unsnooze", "rang", "pause",
                         "cancel", "restore"]),
        st.sampled_from([0, 1, 5, 16, 31, 1500]),
    ),
    max_size=14,
)  # fmt: skip


def happen(what, occurrence, plan, steps, now):
    """Return what the engine would store, or None where nothing changes."""
    later = now + timedelta(minutes=10)
    did = {
        "look": lambda: rules.look(occurrence, steps, now),
        "answer": lambda: rules.answered(occurrence, Answer(uuid4(), "done", now), now),
        "retract": lambda: rules.answered(occurrence, None, now),
        "snooze": lambda: rules.snoozed(occurrence, uuid4(), later, now),
        "unsnooze": lambda: rules.unsnoozed(occurrence, now) if occurrence.snoozed_by else None,
        "rang": lambda: rules.told(occurrence, now),
        "pause": lambda: rules.replanned(occurrence, None, is_paused=True, now=now),
        "cancel": lambda: rules.replanned(occurrence, None, is_paused=False, now=now),
        "restore": lambda: rules.replanned(occurrence, plan, is_paused=False, now=now),
    }
    return did[what]()


@settings(max_examples=1500)
@given(plan=plans, story=happenings, steps=st.sampled_from(LADDERS))
def test_no_order_of_events_makes_a_move_that_the_database_refuses(plan, story, steps):
    legal = {(before, after) for before, _, after in rules.MOVES}
    now = plan.first_at
    occurrence = rules.look(rules.born(UUID(int=0), plan, now), steps, now).after
    assert occurrence.state not in (State.TOLD, State.PAUSED, State.CANCELLED)
    for what, wait in story:
        now += timedelta(minutes=wait)
        move = happen(what, occurrence, plan, steps, now)
        if move is None:
            continue
        before, occurrence = occurrence.state, move.after
        assert before is occurrence.state or (before, occurrence.state) in legal
        assert (occurrence.state is State.CLOSED) == (occurrence.outcome is not None)
        assert occurrence.state not in OPEN or occurrence.next_at is not None


@pytest.mark.parametrize(
    ("before", "after"), sorted({(before, after) for before, _, after in rules.MOVES})
)
def test_every_move_that_may_be_stored_can_come_about(before, after):
    """Each pair of the table is made by some event, so that none stands there for nothing."""
    base = replace(rules.born(UUID(int=0), a_plan(
        criticality="normal", checkable=True, grace_s=1800, ring_start=True, ring_again=True,
    ), AT), state=before)  # fmt: skip
    if before is State.CLOSED:
        base = replace(base, outcome="done", closed_by=uuid4())
    made = set()
    for checkable in (True, False):
        for told_at in (None, AT):
            for rung in (0, 1):
                for minutes in (-5, 0, 16, 31, 3000):
                    for what in ("look", "answer", "retract", "snooze", "rang", "pause", "cancel",
                                 "restore"):  # fmt: skip
                        each = replace(base, checkable=checkable, told_at=told_at, rung=rung)
                        plan = a_plan(
                            criticality="normal", checkable=checkable, grace_s=1800,
                            ring_start=True, ring_again=True,
                        )  # fmt: skip
                        move = happen(what, each, plan, LADDERS[0], AT + timedelta(minutes=minutes))
                        made |= {move.after.state} if move else set()
    assert after in made


async def test_the_databases_table_is_the_rules(database):
    rows = await database.sql("SELECT before, event, after FROM transition")

    stored = {(State(r["before"]), Event(r["event"]), State(r["after"])) for r in rows}
    assert stored == rules.MOVES


async def test_nobody_can_store_an_illegal_move(database):
    async with a_world(database) as world:
        occ = occ_of(await world.plan("08:00"), "08:00")
        await world.at("08:00")
        await world.say("completion", occ=occ, st="done")

        with pytest.raises(asyncpg.CheckViolationError, match="cannot become late from closed"):
            await database.sql(
                "UPDATE occurrence SET state = 'late', outcome = NULL, next_at = now()"
            )
        with pytest.raises(asyncpg.CheckViolationError, match="cannot become paused from nothing"):
            await database.sql(
                "INSERT INTO occurrence SELECT * FROM jsonb_populate_record(NULL::occurrence, "
                "(SELECT to_jsonb(o) || $1::jsonb FROM occurrence o))",
                {"occ": "x", "state": "paused", "outcome": None},
            )

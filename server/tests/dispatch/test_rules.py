"""The engine's decisions, without a database: every state, every event, every order of looking."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mos.dispatch import rules
from mos.dispatch.model import OPEN, Alert, Answer, Audience, Event, Planned, State

AT = datetime(2026, 11, 27, 7, tzinfo=UTC)
ENDED = set(State) - OPEN
NORMAL = rules.LADDERS["normal"]


def planned(**more):
    usual = {
        "space": UUID(int=1),
        "occ": f"{UUID(int=2)}@2026-11-27T08:00",
        "reminder": UUID(int=2),
        "at": AT,
        "first_at": AT,
        "ends_at": AT,
        "category": "meal",
        "criticality": "normal",
        "checkable": True,
        "grace_s": 1800,
        "ring_start": True,
        "ring_again": True,
    }
    return Planned(**(usual | more))


def an_occurrence(state=State.PLANNED, **more):
    occurrence = rules.born(UUID(int=0), planned(), AT)
    outcome = {"outcome": "done", "closed_by": uuid4()} if state is State.CLOSED else {}
    return replace(occurrence, state=state, **(outcome | more))


def minutes(number):
    return timedelta(minutes=number)


# ───────────────────────────────────────────────────────────── the table
def test_every_open_state_can_be_answered_missed_paused_and_cancelled():
    for state in OPEN:
        assert rules.after(state, Event.ANSWER) is State.CLOSED
        assert rules.after(state, Event.MISS) is State.MISSED
        assert rules.after(state, Event.PAUSE) is State.PAUSED
        assert rules.after(state, Event.CANCEL) is State.CANCELLED


def test_nothing_but_a_person_or_a_plan_opens_what_has_ended():
    opening = {
        (state, event)
        for (state, event), after in rules.TRANSITIONS.items()
        if state in ENDED and after in OPEN
    }

    assert {event for _, event in opening} == {Event.SNOOZE, Event.REOPEN, Event.RESTORE}


def test_every_state_is_reached():
    reached = set(rules.TRANSITIONS.values()) | {State.PLANNED}

    assert reached == set(State)


def test_an_event_that_means_nothing_changes_nothing():
    assert rules.after(State.CANCELLED, Event.LATE) is State.CANCELLED


# ───────────────────────────────────────────────────────────── looking
@given(
    plan=st.builds(
        planned,
        criticality=st.sampled_from(["normal", "important", "critical"]),
        grace_s=st.integers(0, 240 * 60),
        checkable=st.booleans(),
        ring_again=st.booleans(),
        ring_start=st.booleans(),
        ends_at=st.integers(0, 120).map(lambda length: AT + minutes(length)),
    ),
    gaps=st.lists(st.integers(1, 40), min_size=1, max_size=60),
)
def test_whenever_the_engine_looks_it_ends_and_tells_somebody_in_time(plan, gaps):
    occurrence = rules.born(UUID(int=0), plan, AT)
    now, opened, rings = AT, [], 0
    for gap in [0, *gaps, 24 * 60]:
        now += minutes(gap)
        step = rules.look(occurrence, NORMAL, now)
        occurrence = step.after
        opened += step.alerts
        rings += step.ring
        assert (occurrence.next_at is None) == (occurrence.state not in OPEN)
        assert occurrence.next_at is None or occurrence.next_at > now

    assert occurrence.state not in OPEN
    assert rings <= 4
    if plan.checkable:
        assert occurrence.state is State.MISSED
        assert opened[-1] == "missed"
        assert opened.count("missed") == 1
    else:
        assert occurrence.outcome == "shown" or opened == ["missed"]


@given(st.integers(0, 300))
def test_one_look_after_a_stop_ends_where_many_looks_end(stop):
    step_by_step = once = rules.born(UUID(int=0), planned(), AT)
    for minute in range(stop + 1):
        step_by_step = rules.look(step_by_step, NORMAL, AT + minutes(minute)).after
    once = rules.look(once, NORMAL, AT + minutes(stop)).after

    assert (once.state, once.rung) == (step_by_step.state, step_by_step.rung) or stop >= 30
    assert once.state == step_by_step.state
    assert once.next_at == step_by_step.next_at or once.silent_at is not None


def test_what_was_never_rung_because_nothing_ran_was_not_shown():
    occurrence = rules.born(UUID(int=0), planned(checkable=False), AT)

    step = rules.look(occurrence, NORMAL, AT + minutes(120))

    assert step.after.state is State.MISSED
    assert step.alerts == ("missed",)


def test_what_needs_no_answer_and_is_snoozed_after_it_was_missed_ends_too():
    missed = an_occurrence(State.MISSED, checkable=False, next_at=None)
    snoozed = rules.snoozed(missed, uuid4(), AT + minutes(70), AT + minutes(60)).after
    rung = rules.look(snoozed, NORMAL, AT + minutes(70)).after

    ended = rules.look(rung, NORMAL, AT + minutes(101)).after

    assert (ended.state, ended.outcome) == (State.CLOSED, "shown")


# ───────────────────────────────────────────────────────────── answers
@pytest.mark.parametrize("state", list(State))
def test_an_answer_closes_from_every_state(state):
    answer = Answer(uuid4(), "refused", AT + minutes(3))

    step = rules.answered(an_occurrence(state), answer, AT + minutes(4))

    assert (step.after.state, step.after.outcome) == (State.CLOSED, "refused")
    assert step.after.closed_at == AT + minutes(3)
    assert step.hush == "outcome"


def test_an_answer_from_a_clock_that_runs_ahead_closes_no_later_than_now():
    answer = Answer(uuid4(), "done", AT + timedelta(days=1))

    step = rules.answered(an_occurrence(State.TOLD), answer, AT + minutes(4))

    assert step.after.closed_at == AT + minutes(4)


def test_an_answer_taken_back_a_day_later_calls_nobody():
    closed = an_occurrence(State.CLOSED)

    step = rules.answered(closed, None, AT + timedelta(days=3))

    assert step.after.state is State.MISSED
    assert step.after.next_at is None
    assert step.alerts == ()


def test_what_ended_as_shown_is_not_opened_by_a_retraction():
    shown = an_occurrence(State.CLOSED, outcome="shown", closed_by=None)

    assert rules.answered(shown, None, AT) is None


# ───────────────────────────────────────────────────────────── alerts
def an_alert(**more):
    usual = {
        "org": UUID(int=0),
        "space": UUID(int=1),
        "alert": UUID(int=3),
        "kind": "late",
        "occ": "x",
        "ladder": "normal",
        "grace_s": 1800,
        "from_at": AT,
        "opened_at": AT + minutes(15),
    }
    return Alert(**(usual | more))


def test_the_ladders_keep_their_times():
    def calls(ladder, grace):
        alert, told = an_alert(ladder=ladder, grace_s=grace * 60), []
        for minute in range(grace // 2, 200):
            step = rules.walk(alert, rules.LADDERS[ladder], AT + minutes(minute))
            alert = step.after
            if step.tell:
                told.append((minute, step.tell[-1].tell))
        return told

    assert calls("normal", 30)[1:] == [(30, Audience.UNIT), (60, Audience.ALL)]
    assert calls("critical", 15)[1:] == [(15, Audience.UNIT), (30, Audience.ALL)]


def test_a_silent_device_while_something_critical_is_due_is_told_to_everybody_in_the_end():
    silent = an_alert(kind="silent", ladder="silent")

    assert rules.NONE_CHOSEN.of_alert(silent)[-1].tell is Audience.UNIT
    critical = replace(silent, criticality="critical")
    assert rules.NONE_CHOSEN.of_alert(critical)[-1].tell is Audience.ALL


def test_each_audience_is_wider_than_the_one_before():
    width = list(Audience)
    for steps in rules.LADDERS.values():
        for narrow, wide in pairwise(steps):
            assert narrow.after < wide.after
            assert width.index(narrow.tell) < width.index(wide.tell)


def test_every_criticality_has_rings_and_a_ladder():
    assert rules.RINGS.keys() == {"normal", "important", "critical"}
    assert rules.RINGS.keys() <= rules.LADDERS.keys()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(0, 200))
def test_an_alert_that_is_taken_calls_nobody_until_then_and_somebody_after(gaps, hold):
    taken_at = AT + minutes(16)
    resumes = taken_at + minutes(hold)
    alert = rules.walk(an_alert(), NORMAL, AT + minutes(15)).after
    alert = replace(alert, taken_by=uuid4(), taken_at=taken_at, resumes_at=resumes)
    now, told = taken_at, []
    for gap in [*gaps, 300]:
        now += minutes(gap)
        step = rules.walk(alert, NORMAL, now)
        alert = step.after
        if step.tell:
            assert now >= resumes
            told.append(step.tell)

    assert told
    assert alert.taken_by is None


def test_an_alert_found_days_later_is_told_once():
    step = rules.walk(an_alert(kind="missed"), NORMAL, AT + timedelta(days=3))

    assert [each.tell for each in step.tell] == [Audience.PRIMARY]
    assert step.after.next_at is None

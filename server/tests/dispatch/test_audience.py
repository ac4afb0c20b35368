"""Whom a step tells, by tables: audiences, what stands in for them, quiet hours, channels."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mos.dispatch import rules
from mos.dispatch.model import Audience, Person, Step, Told

CONTACT, WARD, DOCTOR, FRIEND = (UUID(int=n) for n in range(1, 5))


def person(account, **more):
    usual = {
        "is_primary": False, "covers_unit": False, "decides": False, "sees": True,
        "on_duty": False, "is_quiet": False, "channels": ("push",),
    }  # fmt: skip
    return Person(account=account, **(usual | more))


def home(**more):
    """A contact person, one of the unit, one who decides, and a friend; `more` by name."""
    return [
        person(CONTACT, **{"is_primary": True} | more.get("contact", {})),
        person(WARD, **{"covers_unit": True} | more.get("ward", {})),
        person(DOCTOR, **{"decides": True} | more.get("doctor", {})),
        person(FRIEND, **more.get("friend", {})),
    ]


def steps(*tells, by=()):
    return [Step(tell, timedelta(minutes=n), by) for n, tell in enumerate(tells)]


def called(tells, people, *, critical=False):
    return [told.account for told in rules.told_by(steps(*tells), people, critical=critical)]


A = Audience
EVERYBODY = [CONTACT, WARD, DOCTOR, FRIEND]
NO_CHANNEL = {"channels": ()}
QUIET = {"is_quiet": True}


@pytest.mark.parametrize(
    ("tells", "people", "expected"),
    [
        ([A.PRIMARY], home(), [CONTACT]),
        ([A.UNIT], home(), [CONTACT, WARD]),
        ([A.DECIDERS], home(), [DOCTOR]),
        ([A.ALL], home(), EVERYBODY),
        ([FRIEND], home(), [FRIEND]),
        ([A.ON_CALL], home(friend={"on_duty": True}), [FRIEND]),
        # Each step tells those of the steps before it again.
        ([FRIEND, A.PRIMARY], home(), [CONTACT, FRIEND]),
        # Nobody there, or nobody whom anything reaches: a wider audience stands in.
        ([A.PRIMARY], home()[1:], [WARD]),
        ([A.PRIMARY], home(contact=NO_CHANNEL), [CONTACT, WARD]),
        ([A.ON_CALL], home(), [CONTACT, WARD]),
        ([A.ON_CALL], home(friend={"on_duty": True, "channels": ()}), [CONTACT, WARD]),
        ([A.ON_CALL], home(ward=NO_CHANNEL), EVERYBODY),
        ([UUID(int=9)], home(), [CONTACT, WARD]),
        ([A.UNIT], [home()[0], *home()[2:]], [CONTACT, DOCTOR, FRIEND]),
        ([A.DECIDERS], home(doctor={"decides": False}), EVERYBODY),
        # What somebody may not see they are not told of.
        ([A.PRIMARY], home(contact={"sees": False}), [WARD]),
        ([A.ALL], home(friend={"sees": False}), [CONTACT, WARD, DOCTOR]),
        # Quiet hours.
        ([A.PRIMARY, A.UNIT], home(contact=QUIET), [WARD]),
        ([A.PRIMARY], home(contact=QUIET), [CONTACT]),
        ([A.ALL], home(contact=QUIET, friend=QUIET | {"on_duty": True}), [WARD, DOCTOR, FRIEND]),
        ([FRIEND, A.PRIMARY], home(friend=QUIET, contact=QUIET), [CONTACT]),
        # Somebody awake whom nothing reaches is nobody.
        ([A.UNIT], home(ward=QUIET, contact=NO_CHANNEL), [CONTACT, WARD]),
    ],
)
def test_a_step_tells_its_audience_and_never_nobody(tells, people, expected):
    assert called(tells, people) == expected


def test_quiet_hours_never_silence_what_is_critical():
    people = home(contact=QUIET, ward=QUIET, doctor=QUIET, friend=QUIET)

    assert called([A.UNIT], people, critical=True) == [CONTACT, WARD]
    assert called([A.PRIMARY, A.ALL], people, critical=True) == EVERYBODY


@given(
    tells=st.lists(st.sampled_from([*Audience, CONTACT, FRIEND, UUID(int=9)]), min_size=1),
    people=st.lists(
        st.builds(
            Person,
            account=st.uuids(),
            is_primary=st.booleans(),
            covers_unit=st.booleans(),
            decides=st.booleans(),
            sees=st.booleans(),
            on_duty=st.booleans(),
            is_quiet=st.booleans(),
            channels=st.sampled_from([(), ("push",), ("sms", "email")]),
        ),
        max_size=6,
    ),
    critical=st.booleans(),
)
def test_whoever_can_be_reached_somebody_is(tells, people, critical):
    told = {each.account for each in rules.told_by(steps(*tells), people, critical=critical)}

    reachable = {each.account for each in people if each.sees and each.channels}
    assert bool(told & reachable) == bool(reachable)
    assert told <= {each.account for each in people if each.sees}


def test_a_step_names_the_channels_that_a_person_has_and_else_leaves_it_to_them():
    people = home(contact={"channels": ("push", "sms")}, ward={"channels": ("email",)})

    assert rules.told_by(steps(A.UNIT, by=("sms", "webhook")), people, critical=True) == [
        Told(CONTACT, ("sms",)),
        Told(WARD, ()),
    ]


@pytest.mark.parametrize(
    ("someone", "is_meant", "why"),
    [
        ({"sees": False, "channels": ()}, True, rules.NotTold.NO_SIGHT),
        ({"channels": (), "is_quiet": True}, True, rules.NotTold.NO_CHANNEL),
        ({"is_quiet": True}, True, rules.NotTold.QUIET),
        # Quiet or not, this step is not theirs.
        ({"is_quiet": True}, False, rules.NotTold.LATER),
        ({}, False, rules.NotTold.LATER),
    ],
)
def test_why_somebody_is_not_told_is_the_first_thing_in_the_way(someone, is_meant, why):
    assert rules.why_not(person(FRIEND, **someone), is_meant=is_meant) is why


@pytest.mark.parametrize(
    ("from_", "to", "at", "quiet"),
    [
        ("22:00", "06:00", "2026-11-27T21:59+01:00", False),
        ("22:00", "06:00", "2026-11-27T22:00+01:00", True),
        ("22:00", "06:00", "2026-11-28T05:59+01:00", True),
        ("22:00", "06:00", "2026-11-28T06:00+01:00", False),
        ("12:00", "13:00", "2026-11-27T12:30+01:00", True),
        ("12:00", "13:00", "2026-11-27T11:30+01:00", False),
        ("12:00", "12:00", "2026-11-27T12:00+01:00", False),
        # Both nights that move the clocks: the wall decides.
        ("01:00", "03:00", "2026-10-25T02:30+02:00", True),
        ("01:00", "03:00", "2026-10-25T02:30+01:00", True),
        ("02:00", "03:00", "2026-03-29T03:00+02:00", False),
        (None, None, "2026-11-27T12:30+01:00", False),
    ],
)
def test_quiet_hours_are_wall_time_and_may_cross_midnight(from_, to, at, quiet):
    zone = None if from_ is None else "Europe/Stockholm"

    moment = datetime.fromisoformat(at).astimezone(UTC)

    assert rules.is_quiet(from_, to, zone, moment) is quiet

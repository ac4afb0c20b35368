"""What holds for every rule, whatever it says."""

from contextlib import suppress

import oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from random_rules import a_case

from mos.kernel.errors import Invalid
from mos.plan.model.rule import decode_rule
from mos.plan.rules.recurrence import occurrences

# Shrinks towards simpler rules, although it looks like a plain Random.
RANDOM = st.randoms(use_true_random=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
)


@settings(max_examples=100, deadline=None)
@given(RANDOM)
def test_a_rule_rings_when_the_clock_on_the_wall_says_so(random):
    rule, start, end = a_case(random)

    found = occurrences(decode_rule(rule), start=start, end=end)

    times = [(one.local, one.at.strftime("%Y-%m-%dT%H:%M:%SZ")) for one in found]
    assert times == oracle.occurrences(rule, start, end)


@settings(max_examples=200, deadline=None)
@given(RANDOM, st.floats(0, 1))
def test_a_window_cut_in_two_rings_the_same(random, share):
    rule, start, end = a_case(random)
    rule = decode_rule(rule)
    cut = start + (end - start) * share

    whole = occurrences(rule, start=start, end=end)

    assert whole == [
        *occurrences(rule, start=start, end=cut),
        *occurrences(rule, start=cut, end=end),
    ]


@settings(max_examples=200, deadline=None)
@given(RANDOM)
def test_occurrences_have_names_of_their_own_and_stand_in_order(random):
    rule, start, end = a_case(random)

    found = occurrences(decode_rule(rule), start=start, end=end)

    assert len({one.local for one in found}) == len(found)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert all(start <= one.at < end for one in found)


@settings(max_examples=300, deadline=None)
@given(RANDOM, st.data())
def test_whatever_is_written_into_a_rule_is_read_or_refused(random, data):
    rule, _, _ = a_case(random)
    field = data.draw(st.sampled_from([*sorted(rule), "other"]))
    rule[field] = data.draw(JSON)
    with suppress(Invalid):
        decode_rule(rule)

"""A stolen disk says nothing: a canary is looked for in the bytes of a real home's files."""

from disk import checkpoint, grepped
from real_up import Up

from mos.ops.demo.people import ORGANISATION
from mos.ops.demo.plans import PLANS


def test_no_title_of_the_demos_plans_is_in_any_file_of_its_home(tmp_path):
    titles = {planned.title for plans in PLANS.values() for planned in plans}
    notes = {planned.note for plans in PLANS.values() for planned in plans if planned.note}
    words = sorted(word for word in titles | notes if len(word) > 9)
    assert len(words) > 10
    up = Up(tmp_path / "home", "--demo")
    try:
        up.ready()
        checkpoint(up.data)
        assert grepped(up.data, words) == []
        # What is not sealed is found: so the search can find.
        assert grepped(up.data, [ORGANISATION])
    finally:
        up.stop()
    assert grepped(up.data, words) == []

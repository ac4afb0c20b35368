"""Every class of data has a time, and the evidence says whether it is kept."""

from datetime import UTC, date, datetime, timedelta

import pytest

from mos.ops.settings import ROOT
from mos.privacy.declaring import Term, in_words, table
from mos.privacy.retention import Last, document, overdue, state, terms_of
from mos.wiring import PERSONAL_DATA

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
TERM = Term("session", timedelta(days=90), "it ended", "for a reason")
DAY = timedelta(days=1)


def last(*, oldest=None, failed=0, done_at=NOW):
    return Last(
        name="session", day=date(2026, 11, 25), done_at=done_at, removed=0, failed=failed,
        oldest=oldest,
    )  # fmt: skip


@pytest.mark.parametrize("goes", ["", "never"])
def test_a_table_of_people_that_does_not_say_when_its_rows_go_is_refused(goes):
    with pytest.raises(ValueError, match="say when its rows go"):
        table("t", "It.", purpose="To.", goes=goes, account="a", link="a")
    with pytest.raises(ValueError, match="say when its rows go"):
        table("t", "It.", purpose="To.", goes=goes, hidden="hash")


def test_a_table_of_nobodys_needs_none():
    assert table("t", "It.", purpose="To.", goes="never", operation="a").goes == "never"


def test_what_goes_is_said_of_the_time_itself():
    of_people = table("t", "It.", purpose="To.", terms=(TERM,), goes="when removed", link="a")

    assert of_people.goes == "90 days after it ended; when removed"


def test_every_table_of_people_has_a_class_and_each_class_a_name_of_its_own():
    assert [each.name for each in PERSONAL_DATA if each.personal and not each.goes] == []
    names = [term.name for term in terms_of(PERSONAL_DATA)]
    assert len(names) == len(set(names)) > 10
    assert all(term.why for term in terms_of(PERSONAL_DATA))


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(days=90), "90 days"),
        (timedelta(days=1, hours=5), "1 day"),
        (timedelta(seconds=30), "30 seconds"),
        (timedelta(hours=2), "7200 seconds"),
    ],
)
def test_a_time_in_words(time, words):
    assert in_words(time) == words


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (None, "idle"),
        (last(), "kept"),
        (last(done_at=NOW - 2 * DAY), "kept"),
        (last(done_at=NOW - 2 * DAY - timedelta(seconds=1)), "idle"),
        (last(oldest=NOW - 92 * DAY), "kept"),
        (last(oldest=NOW - 92 * DAY - timedelta(seconds=1)), "late"),
        (last(oldest=NOW - 93 * DAY, failed=1), "late"),
        (last(failed=1), "failed"),
        (last(oldest=NOW + DAY), "kept"),
    ],
)
def test_a_class_is_kept_as_declared_or_it_is_said_why_not(known, said):
    assert state(TERM, known, NOW) == said


def test_what_should_be_gone_is_counted_from_when_it_should():
    assert overdue(TERM, NOW - 93 * DAY, NOW) == 3 * DAY
    assert overdue(TERM, NOW - 3 * DAY, NOW) == timedelta(0)
    assert overdue(TERM, None, NOW) == timedelta(0)


def test_the_document_is_what_the_tables_declare():
    kept = (ROOT / "docs/privacy/retention.md").read_text(encoding="utf-8")

    assert kept == document(PERSONAL_DATA), (
        "renew it: ./mos privacy retention --document > docs/privacy/retention.md"
    )

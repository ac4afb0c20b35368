"""Who may be erased, by whose rules."""

from datetime import UTC, datetime, timedelta

import pytest

from mos.care.model import Policy
from mos.care.rules import why_kept

NOW = datetime(2036, 6, 1, 12, tzinfo=UTC)
TEN_YEARS_AGO = datetime(2026, 6, 1, 12, tzinfo=UTC)
A_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("policy", "is_resident", "archived_at", "why"),
    [
        (Policy.FAMILY, True, None, None),
        (Policy.CARE_RECORD, True, None, "care_record_kept"),
        (Policy.CARE_RECORD, True, NOW - A_DAY, "care_record_kept"),
        (Policy.CARE_RECORD, True, TEN_YEARS_AGO + A_DAY, "care_record_kept"),
        (Policy.CARE_RECORD, True, TEN_YEARS_AGO - A_DAY, None),
        (Policy.CARE_RECORD, False, None, None),
    ],
)
def test_a_care_record_is_kept_ten_years_after_it_was_closed(policy, is_resident, archived_at, why):
    given = {"is_resident": is_resident, "archived_at": archived_at, "now": NOW}

    assert why_kept(policy, hold=None, **given) == why
    assert why_kept(policy, hold="Mål 12-26", **given) == "legal_hold"

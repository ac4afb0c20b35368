"""Whether somebody may be erased (Article 17 of the GDPR, and what limits it). Pure."""

from datetime import datetime, timedelta
from typing import Literal

from mos.care.model import Policy

# A care record is kept ten years from its last entry (patientdatalagen 2008:355, 3 kap. 17 §). An
# archived resident's is closed; twelve days more than ten times 365 make the years whole.
RECORD_KEPT = timedelta(days=3653)

Refusal = Literal["legal_hold", "care_record_kept"]


def why_kept(
    policy: Policy,
    *,
    hold: str | None,
    is_resident: bool,
    archived_at: datetime | None,
    now: datetime,
) -> Refusal | None:
    """Return why somebody must stay, or None.

    `policy` is their organisation's; `archived_at` says since when a resident's record is closed.
    A family's own notes are no care record, and staff have none.
    """
    if hold is not None:
        return "legal_hold"
    if policy is Policy.FAMILY or not is_resident:
        return None
    if archived_at is None or now < archived_at + RECORD_KEPT:
        return "care_record_kept"
    return None

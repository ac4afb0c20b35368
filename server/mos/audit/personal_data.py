"""What the logs keep of people, for what and for how long (mos.privacy.declaring)."""

from mos.audit import access
from mos.privacy.declaring import Table, Term, table

_WHO = "To show who has seen and changed what of a resident, and to review it."
_SAFE = "To notice and prove what happened to security (Article 32)."

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "access_log", "Who read or changed what of whom, without its content.", purpose=_WHO,
        terms=(
            Term(
                "access_log", access.KEPT, "the last hour of its month",
                "five years at least (HSLF-FS 2016:40)", by="log",
            ),
        ),
        space="space_id",
        link="org_id entry_id space_id unit_id account_id session_id device_id",
        activity="at hour role kind class purpose",
    ),
    table(
        "audit", "What security rests on, one chain for each organisation: ids and words.",
        purpose=_SAFE, goes="never: a chain has no gaps", account="by_id",
        link="org_id by_id of_id", activity="n at event content", operation="hash",
    ),
    table(
        "audit_head", "Where each chain ends.", purpose=_SAFE, goes="never: a chain has no gaps",
        link="org_id",
        operation="n hash signed_n",
    ),
    table(
        "audit_root", "What all chains have come to, signed each day.", purpose=_SAFE, goes="never",
        operation="no day content hash key signature",
    ),
)  # fmt: skip

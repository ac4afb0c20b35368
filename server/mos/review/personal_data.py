"""What looking at the logs keeps of people, for what and for how long (mos.privacy.declaring)."""

from mos.privacy.declaring import Table, table

_WHY = "To look at a sample of accesses each month, and to show that it was done."

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "access_draw", "That a month's sample was drawn, from how much and by which seed.",
        purpose=_WHY, goes="never: it is the evidence", link="org_id",
        operation="month seed lines drawn drawn_at",
    ),
    table(
        "access_sample", "Accesses that were drawn, and what came of looking at each.",
        purpose=_WHY, goes="never: it is the evidence", space="space_id",
        link="org_id entry_id space_id unit_id account_id device_id reviewed_by",
        activity="month at role kind class purpose outcome note reviewed_at", sealed="note",
    ),
)  # fmt: skip

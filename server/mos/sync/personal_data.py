"""What synchronisation keeps of people, for what and for how long (mos.privacy.declaring)."""

from datetime import timedelta

from mos.privacy.declaring import Table, Term, table
from mos.sync import archive, compaction, quarantine

_DAY = "To keep a resident's day, food and medication the same on every device."
_ERASED = "with the resident's erasure"

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "space", "That there is a resident's day, or their medication.", purpose=_DAY,
        goes="never: an empty row stays, so that no late device fills it again", space="space_id",
        link="org_id space_id of_space",
        operation="kind epoch head_seq floor_seq floor_hlc archive_hlc state live_n live_sum "
        "live_sq tidied_at",
    ),
    table(
        "rec", "What holds: reminders, what happened, what somebody cannot eat, orders.",
        purpose=_DAY,
        terms=(
            Term(
                "rec", compaction.KEPT, "it was deleted",
                "a device that was away must hear of it, or would bring it back", by="upkeep",
            ),
        ),
        goes=_ERASED, space="space_id",
        link="org_id space_id rec_id", health="coll doc", sealed="doc", operation="seq clk",
    ),
    table(
        "op", "Who changed what, when and on which device.", purpose=_DAY,
        terms=(
            Term(
                "op", archive.HOT, "it came, and then into the archive",
                "a device that was away goes on where it was", by="upkeep",
            ),
        ),
        goes=_ERASED, space="space_id",
        link="org_id space_id op_id device_id account_id session_id rec_id",
        health="coll val", sealed="val", activity="kind verdict received_at",
        operation="seq n hlc hlc_claimed",
    ),
    table(
        "quarantine", "A change that could not be saved, until somebody has looked at it.",
        purpose=_DAY,
        terms=(
            Term(
                "quarantine", quarantine.SETTLED_KEPT, "it was settled",
                "what became of it can be asked for a year", by="upkeep",
            ),
            Term(
                "quarantine_stray", quarantine.SETTLED_KEPT, "it came for no space that there is",
                "it is nobody's to settle",
            ),
        ),
        goes=_ERASED, space="space_id",
        link="org_id space_id op_id device_id account_id handled_by", health="payload",
        sealed="payload", activity="reason received_at handled_how handled_at", operation="bytes",
    ),
    table(
        "unread_refusal", "That a change could not be saved, until whoever wrote it has read it.",
        purpose=_DAY, goes="when it was read",
        terms=(
            Term(
                "unread_refusal", timedelta(days=400), "it was refused",
                "whoever has not read it by then will not",
            ),
        ),
        space="space_id",
        link="org_id account_id op_id space_id rec_id", health="coll",
        activity="made_at refused_at", operation="verdict code choice",
    ),
    table(
        "device_space", "How far a device has come.", purpose=_DAY, goes=_ERASED,
        space="space_id", link="org_id space_id device_id", activity="lost_at purged_at seen_at",
        operation="last_n last_hlc archive_claimed last_cursor missing lost skew_ms",
    ),
    table(
        "erasure", "That something was erased: an id and a moment, replayed after a restore.",
        purpose="To erase again what a backup brings back (Article 17).",
        goes="never: a backup of any age may be restored",
        link="org_id space_id", operation="erased_at",
    ),
)  # fmt: skip

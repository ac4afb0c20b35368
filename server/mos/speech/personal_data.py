"""What reading aloud keeps of people, for what and for how long (mos.privacy.declaring)."""

from mos.privacy.declaring import Table, Term, table
from mos.speech.actions import clips

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "clip", "What somebody has recorded to be heard in place of a voice.",
        purpose="To read a reminder aloud in a voice that the resident knows.",
        terms=(
            Term(
                "clip", clips.KEPT, "no reminder refers to it any more",
                "a change that drops it can be taken back", by="upkeep",
            ),
        ),
        goes="with the resident's erasure, or that of whose voice it is",
        space="space_id", link="org_id space_id clip_id added_by", health="body", sealed="body",
        activity="added_at unused_since", operation="kind size",
    ),
)  # fmt: skip

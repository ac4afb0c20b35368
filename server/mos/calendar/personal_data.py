"""What calendar feeds keep of people, for what and for how long (mos.privacy.declaring)."""

from mos.privacy.declaring import Table, table

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "calendar_feed", "That a resident's plan may be read at a secret address.",
        purpose="To show the plan in a calendar program that somebody chose.",
        goes="with the resident's erasure", space="space_id",
        link="org_id space_id feed_id created_by", hidden="token_hash", rights="says medication",
        activity="created_at revoked_at last_read_at",
    ),
)  # fmt: skip

"""What asking for one's own data keeps, for what and for how long (mos.privacy.declaring)."""

from mos.privacy.declaring import Table, Term, table
from mos.rights import rules

_WHY = "To give people what there is of them (Articles 15 and 20)."

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "export", "That somebody asked for all that there is of a person, and how far it is.",
        purpose=_WHY, goes="with the account's erasure",
        terms=(
            Term(
                "export", rules.KEPT, "it was asked for",
                "within a week it can be fetched; it is a copy, and can be asked for again",
            ),
        ),
        account="account_id", link="org_id export_id account_id asked_by",
        activity="asked_at language state tries beat_at rows_read json_size pdf_size fetched_at",
    ),
    table(
        "export_part", "A piece of what was made for them.", purpose=_WHY,
        goes="with what was asked for", link="org_id export_id", health="body", sealed="body",
        operation="form n",
    ),
)  # fmt: skip

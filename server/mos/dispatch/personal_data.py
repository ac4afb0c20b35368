"""What the engine keeps of people, for what and for how long (mos.privacy.declaring)."""

from datetime import timedelta

from mos.dispatch import windows
from mos.privacy.declaring import Table, Term, table

_RINGS = "To ring in time, and to tell a person when nobody answers."
_WATCH = "To notice that MOS itself does not ring."
_ERASED = "with the resident's erasure"

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "horizon", "How far a space is planned.", purpose=_RINGS, goes=_ERASED, space="space_id",
        link="org_id space_id", operation="until",
    ),
    table(
        "due", "What will ring in the next 48 hours.", purpose=_RINGS, goes="when it has rung",
        space="space_id", link="org_id space_id occ reminder_id",
        health="at first_at ends_at category criticality checkable grace_s ring_start ring_again",
    ),
    table(
        "expected", "The same, kept apart to be held against what was told.", purpose=_WATCH,
        terms=(
            Term(
                "expected", windows.SHOWN_FOR, "it was to ring",
                "what nobody was told is looked for again for so long", by="watch",
            ),
        ),
        space="space_id", link="org_id space_id occ",
        health="at",
    ),
    table(
        "occurrence", "What rang, and what became of it.", purpose=_RINGS, goes=_ERASED,
        space="space_id", link="org_id space_id occ reminder_id closed_by snoozed_by",
        health="at ends_at category criticality checkable grace_s state outcome missed_at told_at "
        "late_at closed_at snoozed_until silent_at",
        operation="ring_start ring_again from_at rung step next_at",
    ),
    table(
        "answer", "Who said what of it: a dose twice is noticed here.", purpose=_RINGS,
        goes=_ERASED, space="space_id", link="org_id space_id op_id occ",
        health="outcome at retracted",
        activity="received_at",
    ),
    table(
        "ladder", "Who is told when nobody answers.", purpose=_RINGS, goes=_ERASED,
        space="space_id", link="org_id space_id", rights="category criticality steps",
    ),
    table(
        "ladder_template", "The organisation's own ladder.", purpose=_RINGS, goes="when removed",
        link="org_id changed_by", operation="category criticality steps changed_at",
    ),
    table(
        "alert", "That somebody must look, who took it and how it ended.", purpose=_RINGS,
        goes=_ERASED, space="space_id", link="org_id space_id alert_id occ taken_by handed_to",
        health="kind about category criticality grace_s from_at opened_at closed_at closed_why",
        activity="taken_at resumes_at",
        operation="ladder rung step next_at unreached steps unrecorded revision recorded",
    ),
    table(
        "delivery", "That somebody was told, by which channel, and whether it arrived.",
        purpose=_RINGS, goes=_ERASED, space="space_id",
        terms=(
            Term(
                "delivery", timedelta(days=400), "it was made, in a family",
                "whether somebody was told can be asked for a year; a care provider's belong to "
                "the care record",
            ),
        ),
        link="org_id delivery_id space_id subject account_id device_id contact_id",
        activity="kind step channel state created_at attempted_at settled_at",
        operation="attempts next_at expires_at error",
    ),
    table(
        "spend", "What messages cost in a month.", purpose="To keep within a budget.",
        goes="never: it is of no person",
        link="org_id", operation="channel month parts cost capped_at",
    ),
    table(
        "watch_window", "Expected and told of a quarter of an hour, in numbers.", purpose=_WATCH,
        terms=(
            Term(
                "watch_window", timedelta(days=90), "its quarter of an hour",
                "a season's gaps can be compared",
            ),
        ),
        link="org_id",
        operation="from_at expected told late excused waiting lost silent judged_at",
    ),
    table(
        "watch_round", "The reminder of nobody's that is told each minute.", purpose=_WATCH,
        goes="never", operation="id occ asked_at through_at took_ms missed judged_until push_at "
        "push_ms push_missed",
    ),
    table(
        "transition", "Which steps an occurrence may take.", purpose=_RINGS, goes="never",
        operation="before event after",
    ),
    table(
        "worker_heartbeat", "That a worker lives.", purpose=_WATCH, goes="after a day",
        operation="worker_id seen_at",
    ),
)  # fmt: skip

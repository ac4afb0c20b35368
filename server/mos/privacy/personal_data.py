"""What the key store and the schema itself keep, for what and for how long."""

from mos.privacy.declaring import Table, table

_KEYS = "To seal what is personal, and to make it unreadable for good (Articles 17 and 32)."

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "subject_key", "A person's own key, wrapped by this epoch's.", purpose=_KEYS, store="keys",
        goes="with the person's erasure", account="subject_id", link="org_id subject_id",
        hidden="wrapped", operation="version epoch made_at",
    ),
    table(
        "blind_index", "A keyed hash by which a sealed value is found.", purpose=_KEYS,
        store="keys", goes="with the person's erasure", account="subject_id",
        link="org_id subject_id", hidden="hash", operation="kind",
    ),
    table(
        "tombstone", "That somebody was erased: a keyed hash of an id.", purpose=_KEYS,
        store="keys", goes="never: a copy of any age may be put back", link="org_id",
        hidden="hash", operation="epoch erased_at",
    ),
    table(
        "epoch", "Which epoch keys there were.", purpose=_KEYS, store="keys", goes="never",
        operation="number fingerprint begun_at retired_at destroyed_at",
    ),
    table(
        "recovery_root", "To whom epoch keys are sealed.", purpose=_KEYS, store="keys",
        goes="never", operation="one recipient made_at",
    ),
    table(
        "retention", "What went of each class in a day, in numbers, and how old the oldest is.",
        purpose="To show that what has had its time goes (Article 5(1)(e) and (2)).",
        goes="never: it is the evidence",
        operation="day class removed oldest failed at done_at",
    ),
    table(
        "schema_migration", "Which migrations were applied.", purpose="To upgrade.", goes="never",
        operation="number name checksum applied_at",
    ),
)  # fmt: skip

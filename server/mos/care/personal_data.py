"""What care keeps of people, for what and for how long (mos.privacy.declaring)."""

from datetime import timedelta

from mos.care import rules
from mos.privacy.declaring import Table, Term, table

_CARE = "To know who lives and works here, and who may do what for whom."
_ENTRY = "To let in whoever it is, and nobody else."
_DEVICES = "To ring on a person's devices and to see when one is silent."
_REACH = "To tell those who help, where and when they want to be told."
_DUTY = "To know who is on call."

_ERASED = "with the account's erasure"

PERSONAL_DATA: tuple[Table, ...] = (
    table(
        "installation", "Whether somebody has claimed this MOS.", purpose=_ENTRY,
        goes="never: it is one row, of nobody",
        hidden="claim_hash demo_password", operation="one demo claimed_at created_at",
    ),
    table(
        "organisation", "A care provider or a family.", purpose=_CARE,
        goes="never: it is no person",
        link="org_id", operation="name policy zone language created_at second_factor_from",
    ),
    table(
        "unit", "A part of it, where residents live.", purpose=_CARE, goes="never: it is no person",
        link="org_id unit_id", operation="name zone language archived_at created_at",
    ),
    table(
        "account", "Somebody who can be signed in.", purpose=_CARE, goes=_ERASED,
        account="account_id", link="org_id account_id",
        identity="name email language", rights="role disabled_at",
        activity="quiet_from quiet_to quiet_zone created_at",
    ),
    table(
        "resident", "Whose day is planned, and where they live.", purpose=_CARE, goes=_ERASED,
        terms=(
            Term(
                "care_record", rules.RECORD_KEPT, "they were archived, in a care provider",
                "a care record is kept ten years from its last entry (patientdatalagen 3:17); "
                "whether an archive must have it then is for its owner to say",
                by="person",
            ),
        ),
        account="account_id", link="org_id space_id medication_id account_id unit_id",
        identity="flat", sealed="flat", activity="archived_at",
    ),
    table(
        "resident_past", "Where a resident lived before.", purpose=_CARE, goes=_ERASED,
        space="space_id", link="org_id space_id unit_id", activity="since until",
    ),
    table(
        "relation", "Who may do what for whom, and what that rests on.", purpose=_CARE,
        goes="when it is removed, or " + _ERASED, account="account_id", also="space_id",
        link="org_id relation_id account_id space_id unit_id",
        rights="permissions is_primary consent valid_from valid_to", sealed="consent",
    ),
    table(
        "relation_past", "What a relation gave before it was changed.", purpose=_CARE,
        goes="with the relation", link="org_id relation_id", rights="permissions since until",
    ),
    table(
        "emergency", "Whom staff opened in an emergency, why, and what came of the look at it.",
        purpose="To help whoever needs it at once, and to see afterwards that it was right.",
        goes="with the resident's erasure",
        terms=(
            Term(
                "emergency", timedelta(days=5 * 366), "it was opened",
                "what a log of accesses rests on is kept as long as that (HSLF-FS 2016:40)",
            ),
        ),
        space="space_id",
        link="org_id emergency_id relation_id account_id space_id unit_id reviewed_by",
        activity="at until cause reason outcome note reviewed_at", sealed="reason note",
    ),
    table(
        "delegation", "What a nurse lets a caregiver do, for whom and until when.",
        purpose="To let nobody do medical tasks who has not been shown how, and to prove it.",
        terms=(
            Term(
                "delegation", rules.DELEGATION_KEPT, "it ended",
                "a decision of delegation is kept three years at least (SOSFS 1997:14)",
            ),
        ),
        account="account_id",
        link="org_id delegation_id given_by account_id units spaces renews ended_by",
        rights="task detail valid_from valid_to checked_on checked_how",
        activity="given_at ended_at ended_why warned_days",
    ),
    table(
        "legal_hold", "That somebody must not be erased, and why.",
        purpose="To keep what the law has kept (Article 17(3)).", goes="when it is lifted",
        account="account_id", link="org_id account_id set_by", rights="why", activity="set_at",
    ),
    table(
        "erased_person", "That somebody was erased: an id and a moment, replayed after a restore.",
        purpose="To erase again what a backup brings back (Article 17).",
        goes="never: a backup of any age may be restored",
        link="org_id account_id", operation="erased_at despite",
    ),
    table(
        "credential", "A password's hash.", purpose=_ENTRY, goes=_ERASED, account="account_id",
        link="org_id credential_id account_id", hidden="secret", activity="kind created_at",
    ),
    table(
        "passkey", "The public half of a passkey.", purpose=_ENTRY,
        goes="when its owner removes it", account="account_id", link="org_id passkey_id account_id",
        identity="name", sealed="name", hidden="credential public_key sign_count",
        activity="transports synced created_at used_at",
    ),
    table(
        "totp", "The secret of an app in somebody's phone, by which its codes are known.",
        purpose=_ENTRY, goes="when its owner turns it off", account="account_id",
        link="org_id account_id", hidden="secret pending", sealed="secret pending",
        activity="since last_step pending_at",
    ),
    table(
        "recovery_code", "The keyed hash of a code on paper, unused.", purpose=_ENTRY,
        goes="when it is used or replaced", account="account_id", link="org_id account_id",
        hidden="code_hash", activity="made_at",
    ),
    table(
        "identity_provider", "Where an organisation's people prove who they are.", purpose=_ENTRY,
        goes="when it is removed", link="org_id updated_by", hidden="secret",
        operation="issuer client_id label scopes by_email strong_acr strong_amr updated_at",
    ),
    table(
        "identity", "The keyed hash of what an identity provider calls somebody.",
        purpose=_ENTRY, goes="when it is unlinked, with the provider or " + _ERASED,
        account="account_id", link="org_id account_id", hidden="subject_hash",
        operation="issuer", activity="way linked_at used_at",
    ),
    table(
        "pin", "The hash of a PIN that somebody has on one device.", purpose=_ENTRY,
        goes="when it is removed, with the device or " + _ERASED, account="account_id",
        link="org_id device_id account_id set_by", hidden="secret",
        activity="kind wrong set_at used_at",
    ),
    table(
        "challenge_spent", "An answered challenge, so that each counts once.", purpose=_ENTRY,
        hidden="challenge_hash", operation="expires_at",
        terms=(Term("challenge_spent", timedelta(0), "it has ended", "until then it is believed"),),
    ),
    table(
        "session", "That somebody is signed in on a device, or signs there by a PIN.",
        purpose=_ENTRY,
        terms=(
            Term(
                "session", rules.SESSION_KEPT, "it ended",
                "what was written offline in it may come late, and is judged by it",
            ),
        ),
        account="account_id", link="org_id session_id account_id device_id", hidden="token_hash",
        activity="created_at seen_at expires_at revoked_at methods strong_at signs_only",
    ),
    table(
        "session_former", "A cookie that was just changed.", purpose=_ENTRY,
        terms=(
            Term(
                "session_former", timedelta(0), "its half minute has passed",
                "what was on its way with it is answered",
            ),
        ),
        link="org_id session_id", hidden="token_hash", operation="until",
    ),
    table(
        "sign_in_limit", "How often an address or network was tried; its name is a keyed hash.",
        purpose=_ENTRY, hidden="key_hash",
        terms=(
            Term(
                "sign_in_limit", rules.TRIES_REMEMBERED, "the first try, and no lock stands",
                "whoever guesses is slowed down",
            ),
        ),
        operation="failures window_start locked_until",
    ),
    table(
        "invitation", "A link that was made for somebody.", purpose=_ENTRY, goes=_ERASED,
        terms=(
            Term(
                "invitation", timedelta(days=90), "it was used or ended",
                "whoever opens an old one is told what became of it",
            ),
        ),
        account="account_id", link="org_id invitation_id account_id created_by used_on",
        hidden="token_hash", activity="kind created_at expires_at used_at",
    ),
    table(
        "device", "A device on which somebody is or was signed in, and how it is.",
        purpose=_DEVICES, goes=_ERASED, account="account_id", link="org_id device_id account_id",
        identity="name", sealed="name",
        hidden="push_endpoint push_p256dh push_auth push_key wipe_nonce bound_hash",
        activity="push_since push_gone_at ring_test app zone_release created_at seen_at beat_at "
        "kiosk permission sound battery charging storage_mb persisted asks_signer revoked_at "
        "wiped_at",
    ),
    table(
        "contact", "Where somebody wants to be told beside their devices.", purpose=_REACH,
        goes="when its owner removes it", account="account_id",
        link="org_id contact_id account_id", identity="address label", sealed="address label",
        hidden="secret old_secret code_hash address_digest",
        activity="channel when_told verified_at code_expires_at failures gone_at created_at "
        "paused_at old_secret_until",
    ),
    table(
        "contact_try", "That somebody had a code sent.", purpose=_REACH,
        terms=(
            Term("contact_try", timedelta(days=1), "it was sent", "so many are sent in a day"),
        ),
        account="account_id", link="org_id account_id try_id", activity="at",
    ),
    table(
        "channel_settings", "How mail and messages leave this MOS.", purpose=_REACH,
        goes="when it is removed",
        link="org_id updated_by", hidden="secret", operation="channel settings cap updated_at",
    ),
    table(
        "rota", "Who is on call in turn.", purpose=_DUTY, goes="when it is removed",
        link="org_id rota_id unit_id accounts",
        operation="name weekdays from_time to_time holidays turn valid_from valid_to duty_until "
        "created_at",
    ),
    table(
        "rota_change", "A day that somebody else takes.", purpose=_DUTY, goes="with the rota",
        account="account_id", link="org_id rota_id account_id changed_by",
        activity="day changed_at",
    ),
    table(
        "duty", "Who is on call when.", purpose=_DUTY,
        terms=(
            Term(
                "duty", timedelta(days=90), "it ended",
                "who was on call when somebody was not reached can be asked",
            ),
        ),
        account="account_id", link="org_id unit_id account_id rota_id", activity="from_at to_at",
    ),
)  # fmt: skip

"""Words of the logs. Types only."""

from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

# What was done with a resident's data.
Kind = Literal["read", "changed", "exported", "printed"]

# Why somebody did it, as far as their role and the way say.
Purpose = Literal["own", "family", "care", "management", "review", "feed", "emergency"]

# What security rests on.
Event = Literal[
    "claimed",
    "signed_in",
    "sign_in_failed",
    "locked_out",
    "signed_out",
    "signed_out_everywhere",
    "stepped_up",
    "step_up_failed",
    "password_changed",
    "reset_sent",
    "passkey_added",
    "passkey_removed",
    "totp_set",
    "totp_changed",
    "totp_removed",
    "recovery_codes_made",
    "recovery_code_used",
    "identity_linked",
    "identity_unlinked",
    "identity_provider_set",
    "identity_provider_removed",
    "second_factor_reset",
    "second_factor_required",
    "second_factor_optional",
    "pin_set",
    "pin_changed",
    "pin_removed",
    "signature_made",
    "account_added",
    "account_changed",
    "invited",
    "invitation_mailed",
    "invitation_withdrawn",
    "relation_added",
    "relation_changed",
    "relation_ended",
    "emergency_opened",
    "emergency_ended",
    "emergency_reviewed",
    "delegation_given",
    "delegation_revoked",
    "delegation_ended",
    "resident_added",
    "resident_changed",
    "device_changed",
    "device_ended",
    "device_wiped",
    "channel_set",
    "channel_removed",
    "webhook_added",
    "webhook_changed",
    "webhook_removed",
    "template_set",
    "template_removed",
    "feed_added",
    "feed_ended",
    "erased",
    "hold_set",
    "hold_lifted",
    "exported",
    "keys_split",
    "keys_joined",
    "keys_rotated",
    "keys_sealed",
    "keys_recovered",
    "audit_key_rotated",
    "access_log_dropped",
    "retention_done",
    "sample_drawn",
    "sample_reviewed",
]

# Whose chain holds what is the installation's, and no organisation's.
INSTALLATION = UUID(int=0)


class Who(Struct, frozen=True):
    """Who does it: the account, and the session and device that it came by."""

    org: UUID
    account: UUID
    session: UUID | None = None
    device: UUID | None = None


class Touch(Struct, frozen=True):
    """One resident's space, and which class of data in it: `day`, or a collection's name."""

    space: UUID
    what: str


class Happened(Struct, frozen=True, kw_only=True):
    """One line of a chain: what happened, by whom, and of what (an account, device, space …).

    `says` is more of it: ids, words and numbers; never names, addresses or anything that was
    written by somebody.
    """

    event: Event
    by: UUID | None = None
    session: UUID | None = None
    device: UUID | None = None
    of: UUID | None = None
    says: dict[str, Any] = {}

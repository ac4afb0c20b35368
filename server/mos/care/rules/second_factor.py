"""Codes from a phone (TOTP, RFC 6238) and codes on paper: which of them counts, and when. Pure."""

from base64 import b32encode
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from mos.care.model import Role

# What every authenticator app does: six digits for half a minute, HMAC-SHA-1 (RFC 6238 §4, §5.2).
STEP = timedelta(seconds=30)
DIGITS = 6
SECRET_BYTES = 20
# A phone's clock may be a step off (RFC 6238 §5.2 and §6).
_DRIFT = (0, -1, 1)

# For so long a secret that was shown may be confirmed.
PENDING_LASTS = timedelta(minutes=15)

# Codes on paper: 60 random bits each.
RECOVERY_CODES = 10
RECOVERY_LETTERS = 12

# How many wrong codes pass before the first wait. Only whoever knows the password gets so far.
FREE_TRIES_OF_CODE = 5


# Who needs a second step where the organisation says so: those who work there.
STAFF = frozenset({Role.CAREGIVER, Role.NURSE, Role.MANAGER, Role.ADMIN, Role.AUDITOR})
# For so long after the rule, and after somebody was added, the password alone still does.
SECOND_FACTOR_GRACE = timedelta(days=14)


def second_factor_due(role: Role, *, since: datetime | None, added_at: datetime) -> datetime | None:
    """Return from when on an account needs a second step; None where nobody asks it for one.

    `since` is the organisation's, with its grace; `added_at` when the account was made.
    """
    if since is None or role not in STAFF:
        return None
    return max(since, added_at + SECOND_FACTOR_GRACE)


def step_at(now: datetime) -> int:
    """Return how many steps of half a minute have begun since 1970."""
    return int(now.timestamp() // STEP.total_seconds())


def code_of(secret: bytes, step: int) -> str:
    """Return the code of a step."""
    return _totp(secret).generate(step * int(STEP.total_seconds())).decode()


def step_of(secret: bytes, code: str, now: datetime, *, last: int) -> int | None:
    """Return the step whose code this is, at most one off; None for a wrong or a used one.

    `last` is the latest that counted: its code and those before count no more (§5.2).
    """
    here = step_at(now)
    for step in (here + drift for drift in _DRIFT):
        if step > last and _totp(secret).generate(step * 30) == code.encode():
            return step
    return None


def key_uri(secret: bytes, *, whose: str, issuer: str) -> str:
    """Return what an authenticator app reads from a QR code (otpauth://)."""
    # A colon would part the two in places where it should not.
    return _totp(secret).get_provisioning_uri(whose.replace(":", " "), issuer.replace(":", " "))


def typed_key(secret: bytes) -> str:
    """Return a secret as it is typed into an app: Base32, four letters at a time."""
    text = b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def digits_of(code: str) -> str | None:
    """Return a phone's code as it is compared, None for what is none: spaces do not count."""
    plain = "".join(code.replace("-", " ").split())
    is_one = len(plain) == DIGITS and plain.isascii() and plain.isdecimal()
    return plain if is_one else None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), int(STEP.total_seconds()))  # noqa: S303  the RFC's own

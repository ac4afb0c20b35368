"""How people prove who they are, and for what once is not enough. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta

from mos.care.model import Method

# For so long after somebody proved who they are, what needs it again is let through.
STEP_UP_LASTS = timedelta(minutes=5)

# A cookie that a step-up has replaced: as long as an answer may be on its way.
FORMER_COOKIE_LASTS = timedelta(seconds=30)

# How long somebody may look for their key.
CHALLENGE_LASTS = timedelta(minutes=5)

# What opens a session by holding a thing alone: a link that was handed over, a PIN on a tablet.
_WEAK: frozenset[Method] = frozenset({"device", "pin", "picture"})
# What is proved beside a password: by a phone, or by paper on the day when that is gone.
_CODES: frozenset[Method] = frozenset({"totp", "recovery"})


def is_strong(methods: Collection[Method], *, has_passkey: bool, has_totp: bool) -> bool:
    """Say whether these methods are the best that an account of this kind can do.

    Whoever has a passkey or codes shows one for what matters: a password may have been seen. A
    provider that tells of two steps has asked for one itself.
    """
    known = set(methods) - _WEAK
    if "oidc_strong" in known:
        return True
    if not has_passkey and not has_totp:
        return bool(known)
    by_code = has_totp and not known.isdisjoint(_CODES)
    return by_code or (has_passkey and "passkey" in known)


def step_up_methods(
    *, has_password: bool, has_passkey: bool, has_totp: bool, oidc: bool | None = None
) -> list[Method]:
    """Return the ways in which an account can step up, the best first; none: sign in anew.

    `oidc`: whether the provider that opens the account may tell of two steps; None where none does.
    Whether it has told of them this time is seen in its answer.
    """
    ways: list[Method] = ["passkey"] if has_passkey else []
    if has_totp:
        ways += ["totp", "recovery"]
    if ways:
        return [*ways, "oidc"] if oidc else ways
    if oidc is not None:
        ways.append("oidc")
    return [*ways, "password"] if has_password else ways


# How often one link is mailed before the next time has to wait.
FREE_MAILS_OF_LINK = 3

# A link for a forgotten password.
RESET_LASTS = timedelta(minutes=30)
_LONGEST_RESET_PAUSE = timedelta(minutes=20)


def reset_pause(asked: int) -> timedelta:
    """Return how long no further mail goes to an address after so many in a day.

    Always shorter than a link lives: whoever asks has one that opens.
    """
    return min(timedelta(minutes=1 << min(asked - 1, 5)), _LONGEST_RESET_PAUSE)


def is_stepped_up(strong_at: datetime | None, now: datetime) -> bool:
    """Say whether somebody proved who they are so recently that it still counts."""
    return strong_at is not None and now - strong_at < STEP_UP_LASTS

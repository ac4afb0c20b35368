"""Secrets that are shown once and kept only as a hash: cookies, invitations, the claim."""

import hashlib
import secrets


def new_token() -> str:
    """Return 32 fresh random bytes as base64url."""
    return secrets.token_urlsafe(32)


# Crockford's: no I, L, O or U, which are read as something else or as a word.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE = 16
_MISREAD = str.maketrans("ILO", "110", "- ")


def new_secret(size: int) -> bytes:
    """Return fresh random bytes."""
    return secrets.token_bytes(size)


def new_code(length: int = _CODE) -> str:
    """Return fresh letters and digits, five random bits each, that a person can read and type."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def grouped(code: str) -> str:
    """Return a code as it is shown: four at a time."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def typed(token: str, length: int = _CODE) -> str:
    """Return a code as it was made, however somebody typed it; any other token unchanged."""
    code = token.upper().translate(_MISREAD)
    return code if len(code) == length and set(code) <= set(_LETTERS) else token


def token_hash(token: str) -> bytes:
    """Return what is stored of a token: its SHA-256 (256 random bits need no salt)."""
    return hashlib.sha256(token.encode()).digest()

"""Secrets that are shown once and kept only as a hash: cookies, invitations, the claim."""

import hashlib
import secrets


def new_token() -> str:
    """Return 32 fresh random bytes as base64url."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Return what is stored of a token: its SHA-256 (256 random bits need no salt)."""
    return hashlib.sha256(token.encode()).digest()

"""What is kept unreadable in the database: sealed with AES-256-GCM by a key that lies elsewhere.

Each seal belongs to a context ("channel/<organisation>/sms"): what was sealed for one place opens
in no other. The key is a file beside the database's passwords; a backup of the database alone tells
nobody a secret.
"""

import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Which way of sealing this is: a later one opens what this one has sealed.
_WAY = b"\x01"
_NONCE_BYTES = 12

# Opens what was sealed for a context; raises SealBroken.
Opener = Callable[[str, bytes], bytes]


class SealBroken(ValueError):
    """This was sealed with another key, for another context, or was changed since."""


class Seals:
    """Seals and opens with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        """Use `key`; raises ValueError for one of another length."""
        if len(key) != 32:
            raise ValueError("the key of seals has 32 bytes")
        self._cipher = AESGCM(key)

    def seal(self, context: str, plain: bytes) -> bytes:
        """Return `plain` sealed for `context`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _WAY + nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, context: str, sealed: bytes) -> bytes:
        """Return what was sealed for `context`; raises SealBroken."""
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _WAY or len(nonce) != _NONCE_BYTES:
            raise SealBroken("this was sealed in a way that is unknown here")
        try:
            return self._cipher.decrypt(nonce, body, context.encode())
        except InvalidTag:
            raise SealBroken("this seal does not open with this key and context") from None


def load(path: Path) -> Seals:
    """Return the seals of the key file `path`. Raises OSError, and ValueError for another file."""
    return Seals(path.read_bytes())

"""A sealed value: its bytes, its text, and what can be wrong with it. Pure.

    1 byte way (1: AES-256-GCM) · 2 bytes version of the subject's key · 12 bytes nonce · sealed

A value opens only in the place that it was sealed for: the context (table, column, organisation,
row …) is authenticated with it, and the key is that of one subject and one column.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mos.privacy.seals import SealBroken

# A text that begins so is sealed. No text of people's does: its first character is refused in what
# they write, and where it would not be, `is_sealed` refuses the whole value.
MARK = "\x01S"

_WAY = b"\x01"
_HEAD = 3
_NONCE = 12


class KeyGone(Exception):
    """The person whose value this is was erased: it opens nowhere, and nothing more is sealed."""


class Sealer:
    """Seals and opens one subject's values in one place ("table|column"). Never shows a key."""

    __slots__ = ("_ciphers", "_encrypt", "_head")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Use record keys by version; the latest seals."""
        self._ciphers = {version.to_bytes(2, "big"): AESGCM(key) for version, key in keys.items()}
        latest = max(keys).to_bytes(2, "big")
        self._head = _WAY + latest
        self._encrypt = self._ciphers[latest].encrypt

    def seal(self, context: bytes, plain: bytes) -> bytes:
        """Return `plain` sealed for `context`."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._encrypt(nonce, plain, context)

    def open(self, context: bytes, sealed: bytes) -> bytes:
        """Return what was sealed for `context`; raises SealBroken, or KeyGone of a dropped key."""
        if sealed[:1] != _WAY or len(sealed) < _HEAD + _NONCE:
            raise SealBroken("this was sealed in a way that is unknown here")
        cipher = self._ciphers.get(sealed[1:_HEAD])
        if cipher is None:
            raise KeyGone("the key of this value is gone")
        try:
            nonce = sealed[_HEAD : _HEAD + _NONCE]
            return cipher.decrypt(nonce, sealed[_HEAD + _NONCE :], context)
        except InvalidTag:
            raise SealBroken("this seal does not open with this key and context") from None

    def seal_text(self, context: bytes, plain: bytes) -> str:
        """Return `plain` sealed for `context`, as a text that no plain one can be mistaken for."""
        return MARK + b64encode(self.seal(context, plain)).decode("ascii")

    def open_text(self, context: bytes, text: str) -> bytes:
        """Return what was sealed as `text`; raises SealBroken, or KeyGone of a dropped key."""
        try:
            sealed = b64decode(text[len(MARK) :], validate=True)
        except ValueError:
            raise SealBroken("this is no sealed text") from None
        return self.open(context, sealed)


def is_sealed(value: object) -> bool:
    """Say whether a value of the database is a sealed text; no plain one may look so."""
    return isinstance(value, str) and value.startswith(MARK)

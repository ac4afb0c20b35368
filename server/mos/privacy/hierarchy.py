"""How keys come out of keys (docs/decisions, "Keys that can die"). Pure: no database, no file.

    epoch key ── HKDF "dek-wrap|organisation" ──► wrap key ── AES-256-GCM ──► subject key
    subject key ── HKDF "record|table|column" ──► record key ── AES-256-GCM ──► a value

The wrap key is derived and never kept: with the epoch key every wrapping that it made dies.
"""

import hmac
import secrets
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from mos.privacy.seals import SealBroken

KEY_BYTES = 32
NONCE_BYTES = 12


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def derive(key: bytes, info: str) -> bytes:
    """Return the key of 32 bytes that belongs to `info` (HKDF-Expand, SHA-256; RFC 5869).

    Keys here are uniformly random, so the extracting half has nothing to do.
    """
    return HKDFExpand(SHA256(), KEY_BYTES, info.encode()).derive(key)


def fingerprint(epoch_key: bytes) -> bytes:
    """Return 8 bytes by which an epoch key is known again, and which tell nothing of it."""
    return derive(epoch_key, "fingerprint")[:8]


class Wrap:
    """Wraps the keys of one organisation's subjects for one epoch."""

    __slots__ = ("_cipher", "_epoch", "_org")

    def __init__(self, epoch_key: bytes, epoch: int, org: UUID) -> None:
        """Derive the wrap key of an organisation."""
        self._cipher = AESGCM(derive(epoch_key, f"dek-wrap|{org}"))
        self._epoch = epoch
        self._org = org

    def wrap(self, subject: UUID, version: int, key: bytes) -> bytes:
        """Return a subject's key as the key store keeps it: 60 bytes."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, self._place(subject, version))

    def unwrap(self, subject: UUID, version: int, wrapped: bytes) -> bytes:
        """Return a subject's key; raises SealBroken where it is another's, or was changed."""
        nonce, body = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, body, self._place(subject, version))
        except InvalidTag:
            raise SealBroken("this key does not open with the epoch key that it names") from None

    def _place(self, subject: UUID, version: int) -> bytes:
        return f"subject|{self._org}|{subject}|{version}|{self._epoch}".encode()


def record_key(subject_key: bytes, place: str) -> bytes:
    """Return the key of all of a subject's values in one place: "table|column"."""
    return derive(subject_key, f"record|{place}")


def ledger_hash(org_key: bytes, subject: UUID) -> bytes:
    """Return how the ledger of an organisation remembers somebody erased: 32 bytes."""
    return hmac.digest(derive(org_key, "tombstone"), subject.bytes, sha256)


def blind(org_key: bytes, kind: str, value: str) -> bytes:
    """Return what a value is looked up by within one organisation: 8 bytes."""
    return hmac.digest(derive(org_key, f"blind|{kind}"), value.encode(), sha256)[:8]


def keyed_digest(subject_key: bytes, place: str, text: bytes) -> str:
    """Return what two equal values of one subject have in common: 32 hex digits, not guessable."""
    return hmac.digest(derive(subject_key, f"digest|{place}"), text, sha256).hex()[:32]

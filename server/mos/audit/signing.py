"""The key that signs what the chains have come to: its files, beside the other secrets.

`audit.key` is the private half (Ed25519, 32 bytes). `audit-keys.txt` has a line for each public
half that ever was, the newest last: so roots of before a rotation can still be checked.
`audit-roots.txt` has a line for each root that was signed on this machine, outside the database:
whoever changes the database cannot let a root disappear.
"""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

_PRIVATE = "audit.key"
_PUBLIC = "audit-keys.txt"
_ROOTS = "audit-roots.txt"


class KeyMissing(OSError):
    """The key that signs roots is not here; the text says what to do."""


class Signature(Struct, frozen=True):
    """A signature, and the name of its key."""

    key: str
    value: bytes


def make(folder: Path) -> str:
    """Make the key, or another one after which the one before signs nothing; return its name."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    # First the public half: a root whose key is unknown would look like a forged one.
    with _opened(folder / _PUBLIC, os.O_APPEND) as file:
        file.write(f"{_name(public)} {public.hex()}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    draft = folder / f"{_PRIVATE}.new"
    draft.unlink(missing_ok=True)
    with _opened(draft, os.O_EXCL) as file:
        file.write(private.private_bytes_raw())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _PRIVATE)
    return _name(public)


def exists(folder: Path) -> bool:
    """Say whether there is a key."""
    return (folder / _PRIVATE).exists()


def sign(folder: Path, content: bytes) -> Signature:
    """Return the signature of `content`. Raises KeyMissing."""
    try:
        private = Ed25519PrivateKey.from_private_bytes((folder / _PRIVATE).read_bytes())
    except (FileNotFoundError, ValueError):
        raise KeyMissing(
            f"{folder / _PRIVATE} is missing: put it back, or make one with `mos audit rotate`"
        ) from None
    name = _name(private.public_key().public_bytes_raw())
    return Signature(name, private.sign(content))


def keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """Return the public keys that ever were, by name. Raises KeyMissing."""
    try:
        lines = (folder / _PUBLIC).read_text().split("\n")
    except FileNotFoundError:
        raise KeyMissing(f"{folder / _PUBLIC} is missing: put it back from a copy") from None
    words = [line.split() for line in lines if line.strip()]
    return {name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for name, key in words}


def is_right(known: dict[str, Ed25519PublicKey], signature: Signature, content: bytes) -> bool:
    """Say whether one of the known keys has signed this."""
    key = known.get(signature.key)
    if key is None:
        return False
    try:
        key.verify(signature.value, content)
    except InvalidSignature:
        return False
    return True


def remember(folder: Path, number: int, digest: bytes) -> None:
    """Keep a root's number and hash beside the key."""
    with _opened(folder / _ROOTS, os.O_APPEND) as file:
        file.write(f"{number} {digest.hex()}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def remembered(folder: Path) -> dict[int, bytes]:
    """Return the roots that were signed on this machine: number → hash."""
    try:
        lines = (folder / _ROOTS).read_text().split("\n")
    except FileNotFoundError:
        return {}
    words = [line.split() for line in lines if line.strip()]
    return {int(number): bytes.fromhex(digest) for number, digest in words}


def _name(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _opened(path: Path, how: int) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600), "wb")

"""Secrets are files that only their owner may read, made once and never shown.

`vapid.pem` signs push messages (P-256; `vapid-*.pem` did before it), `limits.key` hides addresses
in the sign-in limits, `sync.key` makes the keys with which sessions sign what they send, `seal.key`
opens the secrets that the database keeps, `audit.key` signs the audit log's roots
(mos.audit.signing), `epoch-<n>.key` opens the key store (mos.privacy.epochs),
and `<role>.password` lets each role of the database sign
in.
"""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mos.audit import signing


def write_secret(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def prepare(folder: Path) -> None:
    """Make the folder (0700) and the keys that are absent from it; leave the others alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / "vapid.pem").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_secret(folder / "vapid.pem", pem)
    for name in ("limits.key", "sync.key", "seal.key"):
        if not (folder / name).exists():
            write_secret(folder / name, secrets.token_bytes(32))
    if not signing.exists(folder):
        signing.make(folder)


def password(folder: Path, role: str) -> str:
    """Return the password of a database role, made at the first asking."""
    file = folder / f"{role}.password"
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(32).encode())
    return file.read_text()

"""The key with which MOS signs its push messages (RFC 8292).

A push service gets to know a sender by this key and by nothing else; a browser's subscription is
bound to it. A lost key therefore means that every device must subscribe again.
"""

import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mos.kernel.clock import system_clock

# Services refuse more than 24 h. Half a day leaves room for clocks that differ.
_LIFETIME = timedelta(hours=12)
_RENEW_AFTER = timedelta(hours=6)


def base64url(raw: bytes) -> str:
    """Return `raw` in base64url without padding, as push services and browsers write it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Vapid:
    """The signing key, with one signed token for each push service it has spoken to."""

    key: ec.EllipticCurvePrivateKey
    contact: str = ""  # "mailto:…" or "https://…", told to the services; "" tells nothing
    # Not the plan's clock, which tests move: the service compares the token with real time.
    clock: Callable[[], datetime] = system_clock
    _tokens: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    @property
    def public_key(self) -> str:
        """Return what a browser needs as `applicationServerKey`: 65 bytes in base64url."""
        return base64url(
            self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )

    def authorization(self, origin: str) -> str:
        """Return the Authorization header for messages to `origin` ("https://push.example")."""
        now = self.clock()
        signed_at, header = self._tokens.get(origin, (None, ""))
        if signed_at is None or not signed_at <= now < signed_at + _RENEW_AFTER:
            header = f"vapid t={self._token(origin, now)}, k={self.public_key}"
            self._tokens[origin] = (now, header)
        return header

    def _token(self, origin: str, now: datetime) -> str:
        claims: dict[str, str | int] = {
            "aud": origin,
            "exp": int((now + _LIFETIME).timestamp()),
        }
        if self.contact.startswith(("mailto:", "https://")):
            claims["sub"] = self.contact
        head = base64url(msgspec.json.encode({"typ": "JWT", "alg": "ES256"}))
        signed = f"{head}.{base64url(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def load_or_make(path: Path, *, contact: str = "") -> Vapid:
    """Return the key in `path` (PEM), made there with mode 0600 when there is none.

    Two processes that start at once end with the same key. Raises OSError, and ValueError for a
    file that holds something else.
    """
    if not path.exists():
        _make(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError(f"{path} does not hold a P-256 private key")
    return Vapid(key, contact)


def _make(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link fails where the name exists: whoever comes second takes the first one's key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

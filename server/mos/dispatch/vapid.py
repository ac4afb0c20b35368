"""The key with which MOS signs its push messages (RFC 8292).

A push service gets to know a sender by this key and by nothing else; a browser's subscription is
bound to it. A lost key therefore means that every device must subscribe again. A key is changed by
a new one beside it: what is bound to the old one is signed with the old one, until each device has
subscribed anew.
"""

import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
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

    @cached_property
    def point(self) -> bytes:
        """Return the public key: 65 bytes."""
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @cached_property
    def public_key(self) -> str:
        """Return what a browser needs as `applicationServerKey`: the point in base64url."""
        return base64url(self.point)

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
    return _load(path, contact)


def load_older(folder: Path, *, contact: str = "") -> list[Vapid]:
    """Return the keys that came before, `vapid-*.pem`; subscriptions may still be bound to them.

    Raises OSError, and ValueError for a file that holds something else.
    """
    return [_load(path, contact) for path in sorted(folder.glob("vapid-*.pem"))]


def renew(folder: Path, now: datetime) -> Path:
    """Make a new key in `vapid.pem`; return where the one before it stands now. Raises OSError."""
    older = folder / f"vapid-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.pem"
    # A second name first: at no moment is there no key, nor one less than before.
    os.link(folder / "vapid.pem", older)
    draft = folder / "vapid.pem.new"
    draft.unlink(missing_ok=True)
    _make(draft)
    draft.replace(folder / "vapid.pem")
    return older


def _load(path: Path, contact: str) -> Vapid:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise ValueError(f"{path} does not hold a P-256 private key") from error
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

"""The key of each session, with which its device signs what it sends later, or for somebody else.

On a tablet that many share, what one person did may be sent while another is signed in. The key is
told once, to whoever signs in, and proves afterwards whose session wrote it. It is made from the
server's own secret and stored nowhere.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

from msgspec import Struct


class SessionKeys(Struct, frozen=True):
    """Makes sessions' keys from the server's secret."""

    secret: bytes

    def text(self, session: UUID) -> str:
        """Return a session's key as its device gets it: 32 bytes, base64url without padding."""
        return urlsafe_b64encode(self._key(session)).rstrip(b"=").decode()

    def is_signed(
        self, session: UUID, mac: str, *, device: UUID, batch: str, ops: Iterable[bytes]
    ) -> bool:
        """Say whether `mac` (64 hex) is the session's over a batch: its ops' texts as sent."""
        text = b"\n".join((str(device).encode(), batch.encode(), *ops))
        right = hmac.digest(self._key(session), text, sha256).hex()
        return hmac.compare_digest(right.encode(), mac.encode())

    def _key(self, session: UUID) -> bytes:
        return hmac.digest(self.secret, b"mos-sync session " + session.bytes, sha256)

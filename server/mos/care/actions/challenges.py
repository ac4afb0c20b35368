"""Challenges: random, bound to what they were asked for, short-lived, good for one right answer.

They are signed and not stored, so that whoever asks for a million of them fills nothing:

    16 bytes at random · 8 bytes when it ends (seconds) · 32 bytes HMAC of both and the purpose
"""

import hmac
import secrets
from datetime import UTC, datetime
from hashlib import sha256

from mos.care import rules, store
from mos.care.actions.doorkeeper import Doorkeeper
from mos.db import Db

_RANDOM = 16
_SIGNED = _RANDOM + 8


def new_challenge(door: Doorkeeper, purpose: str, now: datetime) -> bytes:
    """Return a challenge for `purpose`, which names the door, the device and the session."""
    ends = int((now + rules.CHALLENGE_LASTS).timestamp())
    head = secrets.token_bytes(_RANDOM) + ends.to_bytes(8, "big")
    return head + _mac(door, purpose, head)


def is_challenge(door: Doorkeeper, purpose: str, challenge: bytes, now: datetime) -> bool:
    """Say whether `challenge` was made here for this purpose and has not ended."""
    head, mac = challenge[:_SIGNED], challenge[_SIGNED:]
    if len(head) != _SIGNED or not hmac.compare_digest(_mac(door, purpose, head), mac):
        return False
    return now < _end(challenge)


async def spend(db: Db, challenge: bytes, now: datetime) -> bool:
    """Use up a challenge that was answered rightly; False when it had been."""
    return await store.spend_challenge(
        db, sha256(challenge).digest(), expires_at=_end(challenge), now=now
    )


def _end(challenge: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(challenge[_RANDOM:_SIGNED], "big"), UTC)


def _mac(door: Doorkeeper, purpose: str, head: bytes) -> bytes:
    return door.key("challenge", f"{purpose}|{head.hex()}")

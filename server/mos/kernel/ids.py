"""Identifiers. New ones are UUIDv7 (RFC 9562): they sort by the moment they were made.

Pure but for the random bits; the moment is an argument, so that tests can fix it.
"""

import secrets
from datetime import datetime
from uuid import UUID, uuid5

# Namespace of ids that two devices must be able to make alike without asking (RFC 9562, UUIDv5).
MOS = UUID("0193b3a0-6d6f-7000-8000-6d6f736d6f73")


def new_id(now: datetime) -> UUID:
    """Return a fresh UUIDv7 whose first 48 bits are `now` in milliseconds UTC."""
    millis = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    rand_a = secrets.randbits(12)
    rand_b = secrets.randbits(62)
    return UUID(int=(millis << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)


def made_at(made: UUID) -> int | None:
    """Return the moment in which a UUIDv7 was made, in milliseconds UTC; None of another kind."""
    return made.int >> 80 if made.version == 7 else None


def named_id(space: UUID, name: str) -> UUID:
    """Return the one id that `name` has inside `space`: the same on every device, offline too."""
    return uuid5(MOS, f"{space}/{name}")

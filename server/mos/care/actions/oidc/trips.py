"""Trips: what a browser carries while its person is away at their identity provider.

A cookie says where they set out from and what for, signed and not stored. State, nonce and the PKCE
verifier are made from it with the server's own key: whoever sees the address that leads to the
provider learns none of the others, and a state without its cookie is nobody's.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from mos.care import rules, store
from mos.care.actions.doorkeeper import Doorkeeper
from mos.db import Db
from mos.kernel.errors import Unauthenticated

# `half`: back already, and asked for a code beside.
Kind = Literal["enter", "step", "link", "accept", "half"]


class Trip(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From where somebody set out, when, and what for."""

    kind: Kind
    org: UUID
    # Which provider, so that another one's answer is not taken to it.
    provider: bytes
    begun: int
    random: bytes
    device: UUID | None = None
    session: UUID | None = None
    invitation: UUID | None = None
    account: UUID | None = None

    @property
    def begun_at(self) -> datetime:
        """Return when they set out."""
        return datetime.fromtimestamp(self.begun, UTC)


class Packed(Struct, frozen=True):
    """A trip, and the cookie that stands for it."""

    trip: Trip
    cookie: str


def fingerprint(provider: store.IdentityProvider) -> bytes:
    """Return what tells one provider's settings from another's."""
    return sha256(f"{provider.issuer}\n{provider.client_id}".encode()).digest()[:16]


def pack(door: Doorkeeper, trip: Trip) -> Packed:
    """Return a trip with its cookie."""
    body = _coded(msgspec.msgpack.encode(trip))
    return Packed(trip, f"{body}.{_made(door, 'cookie', body)}")


def random() -> bytes:
    """Return what makes a trip unlike every other."""
    return secrets.token_bytes(16)


def state_of(door: Doorkeeper, packed: Packed) -> str:
    """Return the state: the trip's first letter tells our own page what it was for."""
    return f"{packed.trip.kind[0]}.{_made(door, 'state', packed.cookie)}"


def nonce_of(door: Doorkeeper, packed: Packed) -> str:
    """Return what the ID token must repeat."""
    return _made(door, "nonce", packed.cookie)


def verifier_of(door: Doorkeeper, packed: Packed) -> str:
    """Return the PKCE verifier (RFC 7636): 43 letters."""
    return _made(door, "verifier", packed.cookie)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    return _coded(sha256(verifier.encode()).digest())


def unpack(door: Doorkeeper, cookie: str | None, kinds: tuple[Kind, ...], now: datetime) -> Packed:
    """Return the trip that a browser is on; raises Unauthenticated for none of these kinds."""
    body, _, mac = (cookie or "").partition(".")
    if not hmac.compare_digest(_made(door, "cookie", body).encode(), mac.encode()):
        raise ended()
    trip = msgspec.msgpack.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Trip)
    if trip.kind not in kinds or not trip.begun_at <= now < trip.begun_at + rules.TRIP_LASTS:
        raise ended()
    return Packed(trip, cookie or "")


async def come_back(  # noqa: PLR0913  whose trip, by what, and when
    db: Db,
    door: Doorkeeper,
    cookie: str | None,
    *,
    state: str,
    kinds: tuple[Kind, ...],
    now: datetime,
) -> Packed:
    """Return the trip that an answer's state ends, once; raises Unauthenticated.

    The state is the browser's own: nobody can be sent back into somebody else's account.
    """
    packed = unpack(door, cookie, kinds, now)
    if not hmac.compare_digest(state_of(door, packed).encode(), state.encode()):
        raise ended()
    if not await spend(db, packed, now):
        raise ended()
    return packed


async def spend(db: Db, packed: Packed, now: datetime) -> bool:
    """Use up a trip; False when it had been."""
    digest = sha256(packed.cookie.encode()).digest()
    return await store.spend_challenge(
        db, digest, expires_at=packed.trip.begun_at + rules.TRIP_LASTS, now=now
    )


def ended() -> Unauthenticated:
    """Return the answer to what was begun elsewhere, too long ago, or is over."""
    return Unauthenticated(
        "This was begun in another browser or too long ago: begin anew.", code="oidc_ended"
    )


def _made(door: Doorkeeper, kind: str, of: str) -> str:
    return _coded(door.key(f"oidc {kind}", of))


def _coded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()

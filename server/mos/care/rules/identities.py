"""What an identity provider's word is worth: ID tokens, and the answer that brings one. Pure.

OpenID Connect Core 1.0 §3.1.3.7 (ID token), §2 (claims); RFC 9207 (`iss` of the answer); RFC 8725.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

# For so long somebody may be away at their provider.
TRIP_LASTS = timedelta(minutes=10)
# Two clocks, ours and the provider's.
SKEW = timedelta(seconds=60)
# A token that was made for this answer is not older than the trip.
_OLDEST = TRIP_LASTS + SKEW

# Signatures by keys of which only the provider holds the private half (RFC 8725 §3.1): no `none`,
# and no HMAC, whose key a public one could be taken for.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
)  # fmt: skip

_LONGEST_SUBJECT = 255


class WrongToken(ValueError):
    """An ID token that counts for nothing here; the message says why, without what stands in it."""


def check_token(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime
) -> str:
    """Return the subject of an ID token whose signature was right; raises WrongToken."""
    if claims.get("iss") != issuer:
        raise WrongToken("iss")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise WrongToken("aud")
    # More than one audience has to say for whom it was made; one says it all the same if it likes.
    azp = claims.get("azp")
    if (len(audiences) > 1 or azp is not None) and azp != client_id:
        raise WrongToken("azp")
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    if expires is None or now - SKEW >= expires:
        raise WrongToken("exp")
    if issued is None or issued > now + SKEW or issued < now - _OLDEST:
        raise WrongToken("iat")
    before = claims.get("nbf")
    if before is not None and (_moment(claims, "nbf") or now + 2 * SKEW) > now + SKEW:
        raise WrongToken("nbf")
    if claims.get("nonce") != nonce:
        raise WrongToken("nonce")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= _LONGEST_SUBJECT:
        raise WrongToken("sub")
    return subject


def is_answer_of(issuer: str, named: str | None, *, is_promised: bool) -> bool:
    """Say whether an answer came from `issuer` as far as it says; `is_promised`: it must say so."""
    return named == issuer if named is not None else not is_promised


def is_assured(claims: Mapping[str, Any], *, acr: Collection[str], amr: Collection[str]) -> bool:
    """Say whether the provider tells of two steps, in the words that an organisation believes."""
    told = claims.get("amr")
    ways = [way for way in told if isinstance(way, str)] if isinstance(told, list) else []
    return claims.get("acr") in acr or not set(amr).isdisjoint(ways)


def is_fresh(claims: Mapping[str, Any], *, asked_at: datetime) -> bool:
    """Say whether somebody proved themselves at the provider since they were asked to."""
    at = _moment(claims, "auth_time")
    return at is not None and at >= asked_at - SKEW


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """Return an address that the provider has verified, in lower case, or None."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return None
    return email.strip().lower() or None


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return None

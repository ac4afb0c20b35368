"""Whose passkeys these are: what WebAuthn calls the relying party, from the public address."""

from urllib.parse import urlsplit

from msgspec import Struct


class RelyingParty(Struct, frozen=True):
    """Whose passkeys these are: the public address's host, and the origin that may ask."""

    id: str
    origin: str


def relying_party(public_url: str) -> RelyingParty | None:
    """Return whose passkeys this MOS can ask for; None where browsers have none.

    They want a name, and TLS unless it is `localhost`.
    """
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    is_name = any(character.isalpha() for character in host) and ":" not in host
    if not is_name or (parts.scheme != "https" and host != "localhost"):
        return None
    return RelyingParty(host, f"{parts.scheme}://{parts.netloc}")

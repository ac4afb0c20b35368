"""What people write into forms: bounded, trimmed, and checked with a sentence."""

from typing import Annotated, Literal

from msgspec import Meta

from mos.kernel.errors import Invalid
from mos.kernel.zones import is_zone

# No control characters: they do not show, and the database refuses the null.
_PLAIN = r"^[^\x00-\x1f\x7f]*\Z"

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=_PLAIN)]
Short = Annotated[str, Meta(max_length=100, pattern=_PLAIN)]
Long = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*\Z")]
Email = Annotated[
    str, Meta(min_length=3, max_length=254, pattern=r"^[^\x00-\x20\x7f@]+@[^\x00-\x20\x7f@]+\Z")
]
# Hashing takes whatever comes; a bound keeps it from taking forever.
Password = Annotated[str, Meta(min_length=1, max_length=1024)]
Token = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_ -]+\Z")]
Zone = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+\Z")]
Language = Literal["sv", "en", "fi"]


def named(name: str, *, field: str = "name") -> str:
    """Return a name without the spaces around it; raises Invalid when nothing is left."""
    trimmed = name.strip()
    if not trimmed:
        raise Invalid("Write a name.", field=field)
    return trimmed


def known_zone(zone: str, *, field: str = "zone") -> str:
    """Return an IANA zone name that this server knows; raises Invalid."""
    if not is_zone(zone):
        raise Invalid("This time zone is unknown.", field=field)
    return zone

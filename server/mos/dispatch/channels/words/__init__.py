"""What people are told by e-mail and SMS, in their language.

No name, no plan and no illness: whoever reads over a shoulder learns that something waits, and the
app says the rest to whoever may know it. A text for SMS fits into one (160 letters of GSM-7).
"""

from datetime import datetime
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

from mos.kernel.zones import zone

LANGUAGES = ("sv", "en", "fi")
Kind = Literal[
    "alert",
    "urgent",
    "again",
    "close",
    "code",
    "test",
    "near",
    "cap",
    "emergency",
    "delegation",
    "second_factor_reset",
    "reset",
    "password_changed",
    "invitation",
    "invitation_trust",
]


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """A subject, and the text that says it alone."""

    subject: str
    text: str


def words(language: str, kind: Kind, **parts: str) -> Words:
    """Return what is said, in `language`, or in English where MOS does not speak it."""
    said = _catalogue(language if language in LANGUAGES else "en")[kind]
    return Words(said.subject.format(**parts), said.text.format(**parts))


def clock_time(at: datetime, place: str, language: str) -> str:
    """Return the wall time of `at` in the zone `place`, as its readers write it."""
    return at.astimezone(zone(place)).strftime("%H:%M" if language == "en" else "%H.%M")


def day(at: datetime, place: str, language: str) -> str:
    """Return the day of `at` in the zone `place`, as its readers write it."""
    local = at.astimezone(zone(place))
    match language:
        case "sv":
            return local.strftime("%Y-%m-%d")
        case "fi":
            return f"{local.day}.{local.month}.{local.year}"
        case _:
            return local.strftime("%d %B %Y").lstrip("0")


@cache
def _catalogue(language: str) -> dict[Kind, Words]:
    text = resources.files(__package__).joinpath(f"{language}.json").read_bytes()
    return msgspec.json.decode(text, type=dict[Kind, Words])

"""What people write as an address of a channel, in the one form in which it is kept."""

import re

from mos.dispatch.channels.email.sender import address as email_address

_DECORATION = re.compile(r"[\s().\-/]")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")


def normal(channel: str, text: str) -> str:
    """Return an address as it is kept. Raises ValueError with a sentence for a person."""
    if channel == "email":
        return email_address(text.strip())
    return phone_number(text)


def phone_number(text: str) -> str:
    """Return a telephone number in E.164, as gateways take it ("+46701234567").

    Raises ValueError: without the country's code nobody knows where a number rings.
    """
    bare = _DECORATION.sub("", text)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    # "+46 (0)70-123 45 67" is how it is printed on doors.
    bare = re.sub(r"^(\+46|\+358)0", r"\1", bare)
    if not _INTERNATIONAL.fullmatch(bare):
        raise ValueError("Write the number with its country, as +46 70 123 45 67.")
    return bare

"""The alphabet of SMS (GSM 03.38): what fits into one message of 160 letters.

One letter outside of it turns the whole message into Unicode, of which 70 letters fit, and what
would have been one message is paid as three.
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")
MOST = 160


def length(text: str) -> int | None:
    """Return how many of 160 places `text` takes, or None when it has a letter of no place."""
    places = 0
    for letter in text:
        if letter in _BASIC:
            places += 1
        elif letter in _EXTENDED:
            places += 2
        else:
            return None
    return places


def one_message(text: str) -> str:
    """Return `text` so that it is one message: without the last lines when they do not fit."""
    plain = "".join(c if c in _BASIC or c in _EXTENDED else "?" for c in text)
    lines = plain.split("\n")
    while len(lines) > 1 and (length("\n".join(lines)) or 0) > MOST:
        lines.pop()
    short = "\n".join(lines)
    while (length(short) or 0) > MOST:
        short = short[:-1]
    return short

"""What a PIN may be, and how long a door stays shut after a wrong one. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Literal

from mos.kernel.errors import Invalid

# How many wrong tries pass before the first wait, and after how many in a row the PIN is no more.
FREE_TRIES_OF_PIN = 3
MOST_WRONG_PINS = 20
# A PIN opens what a shift needs, no longer.
SHIFT = timedelta(hours=12)
# Signing by it is one act, and the moment in which that can be taken back.
SIGNATURE_LASTS = timedelta(minutes=5)

# The pictures of a picture PIN, in the order in which they are shown. Names are the app's own
# (spec/vectors/pins.json holds the two together).
PICTURES = (
    "apple", "cat", "key", "ball", "fish", "home", "bus", "moon", "book", "candle", "guitar",
    "star",
)  # fmt: skip

_LEAST, _MOST = 4, 6
# The most used ones that no rule below refuses.
_COMMON_WORDS = """
1004 1010 1212 1313 1122 1221 1985 1990 2000 2001 2002 2020 2024 2025 2026 2112
2211 2323 2468 2580 0852 1379 1397 3131 4711 5683 6969 1470 0741 123123 121212 112233
123321 159753 147258 159357 192837 202020 252525 007007 131313 696969 789456 456789 100200
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def kind_of(secret: str) -> Literal["pin", "picture"]:
    """Return whether a secret is of digits or of pictures."""
    return "pin" if secret[:1].isdigit() else "picture"


def check_pin(secret: str, *, field: str = "secret") -> None:
    """Refuse a PIN that is none, or that others try first; raises Invalid.

    Pictures are their names with hyphens. Twelve of them make four as good as four digits.
    """
    if kind_of(secret) == "pin":
        places = [int(digit) for digit in secret if digit in "0123456789"]
        is_one, most = len(places) == len(secret), 10
    else:
        names = secret.split("-")
        is_one, most = set(names) <= set(PICTURES), len(PICTURES)
        places = [PICTURES.index(name) for name in names] if is_one else []
    if not is_one or not _LEAST <= len(places) <= _MOST:
        raise Invalid("Choose 4 to 6 digits or pictures.", field=field, code="pin_form")
    if secret in _COMMON or _is_pattern(places, most):
        raise Invalid("Others would try this one first.", field=field, code="pin_common")


def _is_pattern(places: Sequence[int], most: int) -> bool:
    """Say whether they are all the same, two turn and turn about, or come in a row."""
    steps = {(after - before) % most for before, after in pairwise(places)}
    alternates = len(set(places)) == len({*places[::2]}) + len({*places[1::2]}) == 2
    return alternates or len(set(places)) == 1 or steps in ({1}, {most - 1})

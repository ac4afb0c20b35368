"""What a PIN may be."""

import json
from pathlib import Path

import pytest

from mos.care import rules
from mos.kernel.errors import Invalid

_VECTORS = Path(__file__).parents[3] / "spec/vectors/pins.json"


def test_the_pictures_are_those_that_the_app_shows():
    assert json.loads(_VECTORS.read_text())["pictures"] == list(rules.PICTURES)


@pytest.mark.parametrize(
    "secret", ["4937", "80361", "604813", "cat-bus-moon-key", "moon-moon-key-cat"]
)
def test_what_nobody_tries_first_is_let_through(secret):
    rules.check_pin(secret)


@pytest.mark.parametrize(
    "secret",
    ["0000", "777777", "1234", "56789", "9876", "8901", "1212", "3838", "383838", "2580", "2026",
     "moon-moon-moon-moon", "apple-cat-key-ball", "home-fish-ball-key", "moon-key-moon-key"],
)  # fmt: skip
def test_what_others_try_first_is_refused(secret):
    with pytest.raises(Invalid) as refused:
        rules.check_pin(secret)
    assert refused.value.code == "pin_common"


@pytest.mark.parametrize(
    "secret", ["", "123", "1234567", "12a4", "moon-cat-key", "moon-cat-dog-key", "moon--cat-key"]
)
def test_what_is_no_pin_is_refused(secret):
    with pytest.raises(Invalid) as refused:
        rules.check_pin(secret)
    assert refused.value.code == "pin_form"

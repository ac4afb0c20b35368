"""Codes from a phone: the RFC's own examples, drift, and that none counts twice."""

from datetime import UTC, datetime, timedelta

import pytest

from mos.care import rules

# RFC 6238, appendix B: eight digits of HMAC-SHA-1, of which apps show the last six.
SECRET = b"12345678901234567890"
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
NOW = datetime(2026, 11, 25, 9, 0, 10, tzinfo=UTC)
HERE = rules.step_at(NOW)


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_codes_are_those_of_the_rfc(seconds, code):
    moment = datetime.fromtimestamp(seconds, UTC)

    assert rules.code_of(SECRET, rules.step_at(moment)) == code[2:]


@pytest.mark.parametrize(("off", "counts"), [(-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0)])
def test_a_clock_may_be_one_step_off(off, counts):
    code = rules.code_of(SECRET, HERE + off)

    assert rules.step_of(SECRET, code, NOW, last=0) == (HERE + off if counts else None)


def test_a_code_counts_once_and_none_before_it():
    code = rules.code_of(SECRET, HERE)
    before = rules.code_of(SECRET, HERE - 1)

    assert rules.step_of(SECRET, code, NOW, last=HERE) is None
    assert rules.step_of(SECRET, before, NOW, last=HERE) is None
    later = NOW + timedelta(seconds=30)
    assert rules.step_of(SECRET, rules.code_of(SECRET, HERE + 1), later, last=HERE) == HERE + 1


@pytest.mark.parametrize(
    ("typed", "digits"),
    [("123456", "123456"), (" 123 456 ", "123456"), ("123-456", "123456"), ("12345", None),
     ("1234567", None), ("12345a", None), ("١٢٣٤٥٦", None), ("", None)],
)  # fmt: skip
def test_a_code_is_six_digits_however_they_are_spaced(typed, digits):
    assert rules.digits_of(typed) == digits


def test_the_address_that_an_app_reads_names_whose_it_is_and_nothing_breaks_out_of_it():
    uri = rules.key_uri(SECRET, whose="a&issuer=x@example.org", issuer="MOS: Sol?")

    assert uri.startswith("otpauth://totp/MOS%20%20Sol%3F:a%26issuer%3Dx%40example.org?")
    assert uri.count("issuer=") == 1
    assert rules.typed_key(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


@pytest.mark.parametrize(
    ("methods", "has", "strong"),
    [
        ({"password"}, {}, True),
        ({"password"}, {"has_totp": True}, False),
        ({"password", "totp"}, {"has_totp": True}, True),
        ({"password", "recovery"}, {"has_totp": True}, True),
        ({"totp"}, {"has_totp": True}, True),
        ({"password", "totp"}, {"has_passkey": True}, False),
        ({"password", "totp"}, {"has_passkey": True, "has_totp": True}, True),
        ({"passkey"}, {"has_passkey": True, "has_totp": True}, True),
        ({"pin"}, {"has_totp": True}, False),
    ],
)
def test_whoever_has_more_than_a_password_proves_more(methods, has, strong):
    given = {"has_passkey": False, "has_totp": False} | has

    assert rules.is_strong(methods, **given) is strong

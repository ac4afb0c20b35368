"""Keys out of keys: fixed vectors, so that what was sealed yesterday opens tomorrow."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from mos.privacy import hierarchy
from mos.privacy.hierarchy import Wrap
from mos.privacy.sealing import MARK, KeyGone, Sealer, is_sealed
from mos.privacy.seals import SealBroken

EPOCH_KEY = bytes(range(32))
ORG = UUID("0193b3a0-0000-7000-8000-000000000001")
ELSA = UUID("0193b3a0-0000-7000-8000-0000000000e1")
BO = UUID("0193b3a0-0000-7000-8000-0000000000b0")
DEK = bytes(range(32, 64))

# Made by HKDF-Expand and HMAC themselves, and never again: a change here loses everybody's data.
VECTORS = {
    "fingerprint": "b524e61b22bdcfcd",
    "wrap": "7312299a92280199125109d15d0eb1dc8c085ac3b5175a18ac1eb42deecd8ee3",
    "record": "5022a8c0ac37fad722489d78231b91af3241aed1fef41020b95e380d5065cdf4",
    "ledger": "c25f6613c64042411ad1375382f918995f640aacf00d5d443bbe8611d34833bb",
    "blind": "104f2c8750efd297",
    "digest": "6d0b6a68159e1526f86fe8c1836f3975",
}


def test_the_hierarchy_is_hkdf_and_hmac_of_the_documented_words():
    def expand(key, words):
        return HKDFExpand(SHA256(), 32, words).derive(key)

    assert hierarchy.derive(EPOCH_KEY, f"dek-wrap|{ORG}") == expand(
        EPOCH_KEY, f"dek-wrap|{ORG}".encode()
    )
    assert hierarchy.record_key(DEK, "rec|doc") == expand(DEK, b"record|rec|doc")


def test_derived_keys_stay_what_they_are():
    derived = {
        "fingerprint": hierarchy.fingerprint(EPOCH_KEY).hex(),
        "wrap": hierarchy.derive(EPOCH_KEY, f"dek-wrap|{ORG}").hex(),
        "record": hierarchy.record_key(DEK, "rec|doc").hex(),
        "ledger": hierarchy.ledger_hash(DEK, ELSA).hex(),
        "blind": hierarchy.blind(DEK, "email", "elsa@example.org").hex(),
        "digest": hierarchy.keyed_digest(DEK, "rec|doc", b'{"drug":"Waran"}'),
    }

    assert derived == VECTORS


def test_a_wrapped_key_opens_for_its_own_subject_version_and_epoch_alone():
    wrapped = Wrap(EPOCH_KEY, 7, ORG).wrap(ELSA, 1, DEK)

    assert Wrap(EPOCH_KEY, 7, ORG).unwrap(ELSA, 1, wrapped) == DEK
    others = (
        (Wrap(EPOCH_KEY, 7, ORG), BO, 1),
        (Wrap(EPOCH_KEY, 7, ORG), ELSA, 2),
        (Wrap(EPOCH_KEY, 8, ORG), ELSA, 1),
        (Wrap(EPOCH_KEY, 7, BO), ELSA, 1),
        (Wrap(bytes(32), 7, ORG), ELSA, 1),
    )
    for wrap, subject, version in others:
        with pytest.raises(SealBroken):
            wrap.unwrap(subject, version, wrapped)


def test_a_value_opens_where_it_was_sealed_and_nowhere_else():
    one = Sealer({1: hierarchy.record_key(DEK, "rec|doc")})
    text = one.seal_text(b"org|space|reminder|r1|title", b'"Frukost"')

    assert one.open_text(b"org|space|reminder|r1|title", text) == b'"Frukost"'
    with pytest.raises(SealBroken):
        one.open_text(b"org|space|reminder|r2|title", text)
    for place in ("account|name", "rec|val"):
        with pytest.raises(SealBroken):
            Sealer({1: hierarchy.record_key(DEK, place)}).open_text(
                b"org|space|reminder|r1|title", text
            )
    with pytest.raises(SealBroken):
        Sealer({1: hierarchy.record_key(EPOCH_KEY, "rec|doc")}).open_text(
            b"org|space|reminder|r1|title", text
        )


@pytest.mark.parametrize("at", [0, 5, 20, -1])
def test_a_changed_byte_is_noticed(at):
    one = Sealer({1: hierarchy.record_key(DEK, "rec|doc")})
    sealed = bytearray(one.seal(b"here", b"Waran 2,5 mg"))
    sealed[at] ^= 1

    with pytest.raises(SealBroken):
        one.open(b"here", bytes(sealed))


def test_an_older_version_of_a_key_still_opens_and_the_latest_seals():
    old, new = bytes(32), bytes([1] * 32)
    before = Sealer({1: old}).seal(b"here", b"plain")
    both = Sealer({1: old, 2: new})

    assert both.open(b"here", before) == b"plain"
    assert both.seal(b"here", b"plain")[1:3] == b"\x00\x02"
    with pytest.raises(KeyGone):
        Sealer({1: old}).open(b"here", both.seal(b"here", b"plain"))


def test_the_same_value_never_looks_the_same():
    one = Sealer({1: bytes(32)})

    assert len({one.seal_text(b"here", b"true") for _ in range(100)}) == 100


@pytest.mark.parametrize("text", ["", "\x01", "Snälla", "S", "\x02S", None, {"v": MARK}, 1])
def test_a_plain_value_is_not_taken_for_a_sealed_one(text):
    assert not is_sealed(text)


@pytest.mark.parametrize("rest", ["", "!!!", "AQ==", "å"])
def test_what_only_looks_sealed_is_refused(rest):
    with pytest.raises(SealBroken):
        Sealer({1: bytes(32)}).open_text(b"here", MARK + rest)

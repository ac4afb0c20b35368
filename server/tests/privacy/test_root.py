"""The recovery root: any two of three shares, and no one alone."""

import itertools

import pytest

from mos.privacy import root

KEY = bytes(range(32))


def test_any_two_shares_open_what_was_sealed_to_the_root():
    made = root.make()
    copy = root.seal(made.recipient, KEY)

    for two in itertools.permutations(made.shares, 2):
        assert root.recipient_of(two) == made.recipient
        assert root.open_copy(two, copy) == KEY
    assert KEY not in copy


def test_one_share_or_the_same_twice_is_not_enough():
    made = root.make()

    for shares in ([], made.shares[:1], [made.shares[0], made.shares[0].upper()]):
        with pytest.raises(root.SharesWrong, match="2 different shares"):
            root.recipient_of(shares)


def test_a_wrong_word_is_noticed():
    first, second, _ = root.make().shares
    words = first.split()
    words[9] = "academic" if words[9] != "academic" else "acid"

    with pytest.raises(root.SharesWrong):
        root.recipient_of([" ".join(words), second])


def test_shares_of_two_roots_do_not_join():
    with pytest.raises(root.SharesWrong):
        root.recipient_of([root.make().shares[0], root.make().shares[1]])


def test_another_roots_copy_does_not_open():
    made, other = root.make(), root.make()

    with pytest.raises(root.NotForThisRoot):
        root.open_copy(made.shares[:2], root.seal(other.recipient, KEY))


def test_a_root_shows_no_share():
    made = root.make()

    assert made.recipient in repr(made)
    assert made.shares[0] not in repr(made)

"""The recovery root: an age identity that exists on paper alone, in three shares of which two do.

What stays here is its recipient, to whom each epoch key is sealed. The shares are SLIP-39 words:
33 each, which catch a wrong or swapped word by themselves.
"""

import secrets
from collections.abc import Sequence

import bech32
import pyrage
from msgspec import Struct
from pyrage.x25519 import Identity, Recipient
from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics

SHARES = 3
NEEDED = 2

_SECRET_BYTES = 32
_PREFIX = "age-secret-key-"


class SharesWrong(ValueError):
    """These words are no two shares of one root; the text says why."""


class NotForThisRoot(ValueError):
    """The copy of the epoch key was sealed to another root, or was changed."""


class Root(Struct, frozen=True):
    """A new root: whom to seal to, and the shares that alone can open."""

    recipient: str
    shares: tuple[str, ...]

    def __repr__(self) -> str:
        """Show no share."""
        return f"Root({self.recipient})"


def make() -> Root:
    """Return a new root. Nothing of it but the recipient may be kept on a machine."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    groups = generate_mnemonics(1, [(NEEDED, SHARES)], secret)
    return Root(str(_identity(secret).to_public()), tuple(groups[0]))


def recipient_of(shares: Sequence[str]) -> str:
    """Return the recipient of the root that these shares make. Raises SharesWrong."""
    return str(_joined(shares).to_public())


def seal(recipient: str, epoch_key: bytes) -> bytes:
    """Return an epoch key sealed to a root's recipient: an age file."""
    return bytes(pyrage.encrypt(epoch_key, [Recipient.from_str(recipient)]))


def open_copy(shares: Sequence[str], copy: bytes) -> bytes:
    """Return the epoch key of a copy. Raises SharesWrong or NotForThisRoot."""
    try:
        return bytes(pyrage.decrypt(copy, [_joined(shares)]))
    except pyrage.DecryptError:
        raise NotForThisRoot("this copy does not open with these shares") from None


def _joined(shares: Sequence[str]) -> Identity:
    words = [" ".join(share.lower().split()) for share in shares]
    if len(set(words)) < NEEDED:
        raise SharesWrong(f"{NEEDED} different shares are needed")
    try:
        secret = combine_mnemonics(words[:NEEDED])
    except MnemonicError as error:
        raise SharesWrong(str(error)) from None
    if len(secret) != _SECRET_BYTES:
        raise SharesWrong("these are shares of something else")
    return _identity(secret)


def _identity(secret: bytes) -> Identity:
    data = bech32.convertbits(secret, 8, 5) or []
    return Identity.from_str(bech32.bech32_encode(_PREFIX, data).upper())

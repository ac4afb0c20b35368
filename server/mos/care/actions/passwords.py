"""Passwords: hashed and verified with Argon2id (RFC 9106), off the event loop, a few at a time."""

import asyncio
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from mos.kernel.errors import TooMany


class Cost(NamedTuple):
    """How dear one guess is."""

    memory_kib: int
    rounds: int


# Tries at once. Each costs 30 ms of a core, so the last of them waits a second or two.
_ROOM = 64

# What OWASP asks for at least: about 30 ms of one core.
STANDARD = Cost(memory_kib=19 * 1024, rounds=2)
# RFC 9106's second choice, for servers with memory to spare: about 200 ms of one core.
STRONG = Cost(memory_kib=64 * 1024, rounds=3)


class Verdict(NamedTuple):
    """What a password check found out. `outdated`: store a new hash, the cost has changed."""

    right: bool
    outdated: bool


class Passwords:
    """The one way to hash and verify. No more run at once than the machine has cores."""

    def __init__(self, cost: Cost = STANDARD, *, at_once: int | None = None) -> None:
        """Hash at `cost`, at most `at_once` at a time (default: one per core)."""
        self._hasher = PasswordHasher(
            time_cost=cost.rounds, memory_cost=cost.memory_kib, parallelism=1
        )
        self._turn = asyncio.Semaphore(at_once or os.cpu_count() or 1)
        self._inside = 0
        # Verified against when there is no account, so that the answer takes as long.
        self._nobody = self._hasher.hash("nobody's password")

    @contextmanager
    def room(self) -> Iterator[None]:
        """Let few enough try at once that each has an answer in time; raises TooMany.

        Entered before a try is counted, it also bounds how many tries a day can hold.
        """
        if self._inside >= _ROOM:
            raise TooMany("Many people are signing in. Wait a moment.", retry_after_s=5)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def hash(self, password: str) -> str:
        """Return the PHC string to store for `password`."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def verify(self, secret: str | None, password: str) -> Verdict:
        """Say whether `password` is the one behind `secret`; None is as slow and never right."""
        async with self._turn:
            right = await asyncio.to_thread(self._is_right, secret or self._nobody, password)
        if secret is None or not right:
            return Verdict(right=False, outdated=False)
        return Verdict(right=True, outdated=self._hasher.check_needs_rehash(secret))

    def _is_right(self, secret: str, password: str) -> bool:
        try:
            return self._hasher.verify(secret, _normal(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    # The same letter typed on two keyboards may come as different code points (NIST SP 800-63B).
    return unicodedata.normalize("NFKC", password)

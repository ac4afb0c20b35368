"""Who may what, and might until lately."""

from collections.abc import Iterable

from mos.ops.sim.plan import ALL_WORDS
from mos.ops.sim.reference import Had, Who

# For how long after a right has ended what happened before is taken.
_LATE_MS = 72 * 3_600_000


class Rights:
    """What each account may do in each space. At the beginning everybody may everything."""

    def __init__(self, accounts: Iterable[str], spaces: Iterable[str]) -> None:
        """Let all of them into all spaces."""
        everywhere = dict.fromkeys(spaces, frozenset(ALL_WORDS))
        self.now = {account: dict(everywhere) for account in accounts}
        self._had: dict[str, dict[str, list[Had]]] = {account: {} for account in self.now}
        self._since: dict[tuple[str, str], int] = {}

    def change(self, account: str, space: str, words: list[str] | None, now_ms: int) -> None:
        """Let an account do this in a space from now on; nothing, if None."""
        before = self.now[account].pop(space, None)
        if before is not None:
            right = Had(before, self._since.get((account, space), 0), now_ms)
            self._had[account].setdefault(space, []).append(right)
        if words is not None:
            self.now[account][space] = frozenset(words)
            self._since[account, space] = now_ms

    def who(self, account: str, device: str, now_ms: int, schema: int) -> Who:
        """Return who asks, as the session tells the server."""
        had = {
            space: [right for right in rights if right.until > now_ms - _LATE_MS]
            for space, rights in self._had[account].items()
        }
        return Who(
            account,
            device,
            dict(self.now[account]),
            {key: had[key] for key in had if had[key]},
            schema,
        )

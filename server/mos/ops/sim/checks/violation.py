"""What is raised where something does not hold."""

from collections.abc import Iterable


class Violation(Exception):
    """Something does not hold: `check` is its number, `trace` what led there."""

    def __init__(self, check: str, what: str, trace: Iterable[str] = ()) -> None:
        """Say what was found."""
        super().__init__(f"{check}: {what}")
        self.check = check
        self.what = what
        self.trace = list(trace)

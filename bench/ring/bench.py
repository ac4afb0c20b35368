"""One run of the benchmark: what it runs on, and how much of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.report import Result
from mos.ops.postgres import Cluster


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of something: `quick`, usually, and with `--whole`."""

    quick: int
    usual: int
    whole: int | None = None


@dataclass
class Bench:
    """What a part of the benchmark gets: a durable PostgreSQL with MOS's schema and nobody."""

    cluster: Cluster
    place: Path
    quick: bool
    whole: bool

    @property
    def runs(self) -> int:
        """How often each is measured."""
        return 1 if self.quick else 3

    def much(self, size: Size) -> int:
        """Return how much this run does."""
        if self.quick:
            return size.quick
        return size.whole if self.whole and size.whole is not None else size.usual


Part = Callable[[Bench], list[Result]]

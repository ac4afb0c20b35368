"""One run of the benchmark: what it runs on, and how long it may take."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench import peers
from bench.home import Home
from bench.peers import Peer
from bench.report import Result
from mos.ops.postgres import Cluster


@dataclass
class Bench:
    """What a part of the benchmark gets."""

    cluster: Cluster
    home: Home
    place: Path
    quick: bool
    stack: ExitStack

    @cached_property
    def kinto(self) -> Peer:
        """Kinto, from the first time that it is wanted."""
        return self.stack.enter_context(peers.kinto(self.place, self.cluster))

    @cached_property
    def pouch(self) -> Peer:
        """express-pouchdb, likewise."""
        return self.stack.enter_context(peers.pouch(self.place, self.cluster))

    @property
    def seconds(self) -> float:
        """How long one run sends."""
        return 0.5 if self.quick else 3

    @property
    def runs(self) -> int:
        """How often each is measured."""
        return 1 if self.quick else 3


Part = Callable[[Bench], list[Result]]

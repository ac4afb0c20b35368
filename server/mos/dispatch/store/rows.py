"""What statements of several subjects answer and take."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct


class Space(Struct, frozen=True):
    """A space, with its organisation."""

    org: UUID
    space: UUID


def columns(rows: Sequence[Any], names: Iterable[str]) -> dict[str, list[Any]]:
    """Turn rows into one array for each column, as `unnest` takes them."""
    return {name: [getattr(row, name) for row in rows] for name in names}

"""Rows that statements of several subjects answer."""

from typing import TypeVar
from uuid import UUID

from msgspec import Struct

_Row = TypeVar("_Row")


class Id(Struct, frozen=True):
    """One id: of what, the statement says."""

    id: UUID


class Number(Struct, frozen=True):
    """One count."""

    number: int


def there(row: _Row | None) -> _Row:
    """Return a row that the scope must show. Raises LookupError."""
    if row is None:
        raise LookupError("the scope shows no such row")
    return row

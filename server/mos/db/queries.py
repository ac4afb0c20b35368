"""Named statements in `.sql` files, typed.

A file holds blocks of

    -- name: due_reminders
    -- What it answers, in a line or two.
    SELECT … WHERE at <= :before

`:name` becomes `$n` (a cast `::type` is left alone), and the statement is sent with its full name
in front, so that pg_stat_activity and pg_stat_statements show `/* mos.plan.due_reminders */`.
Each query names the Struct of its rows; a test prepares every one on the migrated schema and
compares its columns with the Struct's fields.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")

_BLOCK = re.compile(r"^-- name: (?P<name>[a-z_0-9]+)[ \t]*$", re.MULTILINE)
# A parameter, unless it is a cast, stands in a string, or belongs to an array slice like [1:n].
_TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|::\w+|(?<![\w:\]]):(?P<param>[a-z_][a-z_0-9]*)")


@dataclass(frozen=True, slots=True)
class Query(Generic[Row]):
    """One statement: `sql` with `$n`, the `params` in that order, and the type of its rows."""

    name: str
    sql: str
    params: tuple[str, ...]
    row: type[Row]

    def args(self, given: dict[str, Any]) -> list[Any]:
        """Return the arguments in the statement's order. Raises TypeError unless all are given."""
        if given.keys() != set(self.params):
            wrong = sorted(given.keys() ^ set(self.params))
            raise TypeError(f"{self.name}: missing or unknown parameters {wrong}")
        return [given[name] for name in self.params]


def _compile(name: str, text: str) -> tuple[str, tuple[str, ...]]:
    params: list[str] = []

    def number(match: re.Match[str]) -> str:
        param = match.group("param")
        if param is None:
            return match.group(0)
        if param not in params:
            params.append(param)
        return f"${params.index(param) + 1}"

    body = _TOKEN.sub(number, text).strip().rstrip(";")
    return f"/* {name} */ {body}", tuple(params)


# Every query ever declared, for the test that prepares them all.
_declared: list[Query[Any]] = []


def declared() -> Iterator[Query[Any]]:
    """Yield every query that an imported module has declared."""
    yield from _declared


class Queries:
    """The statements of one `.sql` file beside a package's code."""

    def __init__(self, package: str, file: str = "queries.sql") -> None:
        """Read `file` from `package` (a dotted name, usually `__package__`)."""
        self._package = package
        text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
        heads = list(_BLOCK.finditer(text))
        ends = [head.start() for head in heads[1:]] + [len(text)]
        self._texts = {
            head["name"]: text[head.end() : end] for head, end in zip(heads, ends, strict=True)
        }

    def names(self) -> list[str]:
        """Return the names of the file's statements."""
        return list(self._texts)

    def query(self, name: str, row: type[Row]) -> Query[Row]:
        """Return the statement called `name`, whose rows are `row` Structs. Raises KeyError."""
        full = f"{self._package}.{name}"
        sql, params = _compile(full, self._texts[name])
        query = Query(full, sql, params, row)
        _declared.append(query)
        return query

    def command(self, name: str) -> Query[None]:
        """Return the statement called `name`, which answers no rows."""
        return self.query(name, type(None))

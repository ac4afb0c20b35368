"""Roots: once a day what all chains have come to is signed; and the look at whether all holds."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from mos.audit import chain, signing
from mos.audit.chain import Broken, Head, Line, Walk
from mos.db import Db, Pool, Queries

_sql = Queries(__package__, "store.sql")

_PAGE = 10_000


class Root(Struct, frozen=True):
    """One day's signed root. `content`: number, moment, hash of the root before, heads."""

    no: int
    day: date
    content: str
    hash: bytes
    key: str
    signature: bytes


class Verdict(Struct, frozen=True):
    """What a look found: how much was looked at, and what is broken."""

    lines: int
    roots: int
    broken: list[Broken]


class _Kept(Struct, frozen=True):
    kept: bool


class _Beyond(Struct, frozen=True):
    org: UUID
    n: int


_HEADS = _sql.query("heads", Head)
_UNSIGNED = _sql.query("unsigned_heads", Head)
_LINES = _sql.query("lines", Line)
_BEYOND = _sql.query("beyond", _Beyond)
_ROOTS = _sql.query("roots", Root)
_LAST = _sql.query("last_root", Root)
_SIGN = _sql.query("sign", _Kept)


async def sign(db: Db, folder: Path, now: datetime) -> int | None:
    """Sign this day's root unless it is there; return its number. Needs the engine's role.

    Raises KeyMissing. The caller remembers it (`signing.remember`) once it is committed.
    """
    last = await db.one(_LAST)
    if last is not None and last.day >= now.date():
        return None
    heads = await db.all(_UNSIGNED)
    number = last.no + 1 if last else 1
    content = chain.canonical(
        {
            "at": chain.moment(now),
            "before": (last.hash if last else chain.START).hex(),
            "heads": {str(head.org): [head.n, head.hash.hex()] for head in heads},
            "no": number,
        }
    )
    signature = signing.sign(folder, content.encode())
    row = await db.one(
        _SIGN,
        no=number,
        day=now.date(),
        content=content,
        key=signature.key,
        signature=signature.value,
        orgs=[head.org for head in heads],
        numbers=[head.n for head in heads],
    )
    return number if row is not None and row.kept else None


async def last_root(db: Db) -> Root | None:
    """Return the latest root. Needs the engine's role."""
    return await db.one(_LAST)


async def all_roots(db: Db) -> list[Root]:
    """Return every root, in order. Needs the engine's role."""
    return await db.all(_ROOTS)


async def verify(
    pool: Pool, folder: Path, *, since: date | None = None, seen: Callable[[int, int], None]
) -> Verdict:
    """Look along all chains, or what came after the last root before `since`.

    `seen` hears how many lines have been looked at, and of how many. Needs the engine's role.
    Raises KeyMissing.
    """
    async with pool.transaction() as db:
        roots = await db.all(_ROOTS)
        # Whoever adds a line meanwhile adds it after these ends.
        heads = await db.all(_HEADS)
    broken = check_roots(roots, folder)
    starts = _heads(root for root in roots if since is not None and root.day < since)
    walk = Walk(
        starts.values(), _signed(root for root in roots if since is None or root.day >= since)
    )
    before = {org: head.n for org, head in starts.items()}
    total = sum(head.n - before.get(head.org, 0) for head in heads)
    async for lines in _pages(pool, heads, before):
        walk.see(lines)
        seen(walk.lines, total)
    async with pool.transaction() as db:
        beyond = await db.all(_BEYOND)
    broken += walk.end(heads)
    broken += [Broken(each.org, each.n, "it lies after the chain's end") for each in beyond]
    return Verdict(walk.lines, len(roots), broken)


async def pages(pool: Pool) -> AsyncIterator[list[Line]]:
    """Yield all lines of all chains, by organisation and number. Needs the engine's role."""
    async with pool.transaction() as db:
        heads = await db.all(_HEADS)
    async for lines in _pages(pool, heads, {}):
        yield lines


async def _pages(
    pool: Pool, heads: list[Head], before: dict[UUID, int]
) -> AsyncIterator[list[Line]]:
    org, n = UUID(int=0), -1
    while True:
        async with pool.transaction() as db:
            lines = await db.all(
                _LINES,
                orgs=[head.org for head in heads],
                starts=[before.get(head.org, 0) for head in heads],
                ends=[head.n for head in heads],
                org=org,
                n=n,
                limit=_PAGE,
            )
        yield lines
        if len(lines) < _PAGE:
            return
        org, n = lines[-1].org, lines[-1].n


def check_roots(roots: list[Root], folder: Path) -> list[Broken]:
    """Return what is wrong with the roots themselves. Raises KeyMissing."""
    known, remembered = signing.keys(folder), signing.remembered(folder)
    broken, before, number = [], chain.START, 0
    for root in roots:
        said = _said(root)
        if not signing.is_right(
            known, signing.Signature(root.key, root.signature), root.content.encode()
        ):
            broken.append(Broken(None, root.no, "the signature is wrong"))
        elif said["no"] != root.no or said["before"] != before.hex() or root.no != number + 1:
            broken.append(Broken(None, root.no, "the root before it is missing or another"))
        if remembered.pop(root.no, root.hash) != root.hash:
            broken.append(Broken(None, root.no, "another one was signed on this machine"))
        before, number = root.hash, root.no
    broken += [
        Broken(None, no, "it was signed on this machine, and is missing")
        for no in sorted(remembered)
    ]
    return broken


def _said(root: Root) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(root.content)
    return said


def _heads(roots: Iterable[Root]) -> dict[UUID, Head]:
    """Return where each chain was when the last of these roots was signed."""
    heads: dict[UUID, Head] = {}
    for root in roots:
        for org, (n, digest) in _said(root)["heads"].items():
            heads[UUID(org)] = Head(UUID(org), n, bytes.fromhex(digest))
    return heads


def _signed(roots: Iterable[Root]) -> dict[tuple[UUID, int], tuple[bytes, int]]:
    return {
        (UUID(org), n): (bytes.fromhex(digest), root.no)
        for root in roots
        for org, (n, digest) in _said(root)["heads"].items()
    }

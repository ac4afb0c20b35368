"""The access log as a file: written page by page, while it is being sent."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import structs

from mos.care.actions.noting import note
from mos.care.model import Actor
from mos.db import Pool, Scope
from mos.review.actions import reading
from mos.review.actions.reading import Asked
from mos.review.model import Access

Format = Literal["csv", "json"]

_PAGE = 2_000
_COLUMNS = (
    "at", "resident", "unit", "person", "role", "kind", "what", "purpose", "device", "space",
    "account", "id",
)  # fmt: skip


async def export(
    pool: Pool, actor: Actor, asked: Asked, form: Format, now: datetime
) -> AsyncIterator[bytes]:
    """Return the parts of a file of all that is asked for, having noted that it left.

    Raises Forbidden or Invalid before the first part. Whose right ends meanwhile gets no further.
    """
    # Nothing that is added while it is written comes into it.
    asked = structs.replace(asked, until=asked.until or now)
    async with pool.transaction(Scope(org=actor.org)) as db:
        first = await reading.accesses(db, actor, asked, None, now, limit=_PAGE)
        note(
            db, actor, "exported", now, of=asked.space, what="access_log", form=form,
            account=asked.account, kind=asked.kind,
        )  # fmt: skip
    return _parts(pool, actor, asked, form, first, now)


async def _parts(  # noqa: PLR0913, PLR0917  what is left to write
    pool: Pool,
    actor: Actor,
    asked: Asked,
    form: Format,
    page: reading.AccessPage,
    now: datetime,
) -> AsyncIterator[bytes]:
    is_csv = form == "csv"
    # Spreadsheets read UTF-8 by this mark alone.
    yield b"\xef\xbb\xbf" + _csv([_COLUMNS]) if is_csv else b'{"entries":[\n'
    is_first = True
    while True:
        if page.entries:
            yield (
                _csv([_row(each) for each in page.entries])
                if is_csv
                else _json(page.entries, is_first=is_first)
            )
            is_first = False
        if page.next is None:
            break
        async with pool.transaction(Scope(org=actor.org)) as db:
            page = await reading.accesses(db, actor, asked, page.next, now, limit=_PAGE)
    if not is_csv:
        yield b"\n]}\n"


def _row(entry: Access) -> tuple[str, ...]:
    values = structs.asdict(entry) | {"at": entry.at.isoformat()}
    return tuple(_harmless(str(values[name] or "")) for name in _COLUMNS)


def _harmless(text: str) -> str:
    """Let no spreadsheet take what somebody called themselves for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _csv(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _json(entries: list[Access], *, is_first: bool) -> bytes:
    lines = b",\n".join(msgspec.json.encode(each) for each in entries)
    return lines if is_first else b",\n" + lines

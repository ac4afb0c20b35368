"""All that there is of a person, into files: for `mos privacy export`."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import Struct

from mos.db import Pool
from mos.rights.actions import setting
from mos.rights.actions.readable import Gathered
from mos.rights.actions.readable import readable as in_words
from mos.rights.actions.reading import Count, NoSuchPerson, Opener, Whose, pieces
from mos.rights.model import Language
from mos.wiring import PERSONAL_DATA

__all__ = ["NoSuchPerson", "Opener", "Written", "export"]


class Written(Struct, frozen=True):
    """How many rows of how many tables a document holds."""

    tables: int
    rows: int


Write = Callable[[bytes], Any]
Progress = Callable[[str, int], None]


async def export(
    pool: Pool,
    org: UUID,
    account: UUID,
    now: datetime,
    write: Write,
    *,
    archive: Path | None = None,
    progress: Progress = lambda _table, _rows: None,
    readable: Write | None = None,
    language: Language = "sv",
) -> Written:
    """Write all that there is of an account, opened, as one JSON document; in pages.

    What can be read of it is written as PDF with `readable`, in `language`. Raises
    NoSuchPerson, and KeyGone of somebody erased.
    """
    gathered = Gathered()
    count = Count(gathered.row, progress)
    async with pool.transaction() as db:
        async for piece in pieces(db, Whose(org, account, now, archive), PERSONAL_DATA, count):
            write(piece)
        if readable is not None:
            told = await in_words(db, org, account, gathered, language, now, count)
            readable(setting.pdf(told))
    return Written(count.tables, count.rows)
